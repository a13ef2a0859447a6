"""Exchanges with one host for asyncio; the rules are those of the blocking channel."""

from __future__ import annotations

import os
from collections import deque
from typing import Deque, TypeVar

from .. import _calls, _wire
from .._connection import broken
from .._receiving import Closed
from ..errors import Timeout
from ._connection import Connection

T = TypeVar("T")

_IDLE_LIMIT = 32


class Channel:
    """The way to one host."""

    def __init__(self, path: str, timeout: float | None) -> None:
        self.path = path
        self.timeout = timeout
        self._pid = os.getpid()
        self._idle: Deque[Connection] = deque()

    def __del__(self) -> None:
        self.discard_idle()

    async def acquire(self, must_live: bool) -> tuple[Connection, bool]:
        """A connection, and whether it served before."""
        if self._pid != os.getpid():
            self.discard_idle()
            self._pid = os.getpid()
        while self._idle:
            connection = self._idle.pop()
            if not must_live or connection.is_alive():
                return connection, True
            connection.close()
        connection = Connection(self.path, self.timeout)
        try:
            await connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection, False

    def release(self, connection: Connection) -> None:
        """Takes a connection back; one that cannot serve again is closed."""
        if connection.reusable and connection.pid == self._pid and len(self._idle) < _IDLE_LIMIT:
            self._idle.append(connection)
        else:
            connection.close()

    def discard_idle(self) -> None:
        """Closes the connections that wait for a next request."""
        while self._idle:
            self._idle.pop().close()

    async def begin(self, head: bytes) -> Connection:
        """Sends the head of a request whose body follows in pieces."""
        while True:
            connection, is_old = await self.acquire(must_live=True)
            try:
                await connection.send(head)
                return connection
            except Closed as failure:
                connection.close()
                if not (is_old and failure.nothing_sent):
                    raise broken(self.path, failure, safe=False) from failure
            except BaseException:
                connection.close()
                raise

    async def exchange(self, call: _calls.Call[T], fd: int = -1) -> tuple[_wire.Head, Connection]:
        """Sends a whole request; gives the head of its answer, and the connection on which the body waits."""
        data = call.head()
        if call.body:
            data += call.body
        may_repeat = call.is_repeatable
        while True:
            connection, is_old = await self.acquire(must_live=not may_repeat)
            try:
                try:
                    await connection.send(data, fd)
                except Closed as failure:
                    # The host may have answered before it had everything, and closed: then the answer is there.
                    if failure.nothing_sent:
                        raise
                return await connection.head(call.method == "HEAD"), connection
            except Closed as failure:
                connection.close()
                if is_old and failure.before_answer and (may_repeat or failure.nothing_sent):
                    self.discard_idle()
                    may_repeat = False
                    continue
                raise broken(self.path, failure, call.is_safe) from failure
            except Timeout as late:
                connection.close()
                late.retryable, late.maybe_applied = call.is_safe, not call.is_safe
                raise
            except BaseException:
                connection.close()
                raise

    async def run(self, call: _calls.Call[T], fd: int = -1) -> T:
        """Sends a whole request, reads its whole answer, and gives what it means."""
        head, connection = await self.exchange(call, fd)
        return call.result(head, await self.read_all(head, connection, call.is_safe))

    async def read_all(self, head: _wire.Head, connection: Connection, safe: bool, keep: bool = True) -> bytes:
        """The whole body of an answer; the connection comes back, unless it is not to be kept."""
        try:
            if head.fd >= 0:
                os.close(head.fd)
                head.fd = -1
            body = await connection.read_all()
        except Closed as failure:
            connection.close()
            raise broken(self.path, failure, safe) from failure
        except BaseException:
            connection.close()
            raise
        if keep:
            self.release(connection)
        else:
            connection.close()
        return body

    async def finish(self, connection: Connection, is_whole: bool = True) -> tuple[_wire.Head, bytes]:
        """The answer to a request whose body was sent in pieces."""
        try:
            head = await connection.head()
        except Closed as failure:
            connection.close()
            raise broken(self.path, failure, safe=False) from failure
        except BaseException:
            connection.close()
            raise
        return head, await self.read_all(head, connection, safe=False, keep=is_whole)
