"""Exchanges with one host over connections that are kept; safe to use from many threads, and after a fork.

Invariants:
1. A connection is with one exchange at a time, and comes back only when its answer was read to the end.
2. A request goes out twice only if it may: the connection was an old one and either the host cannot have seen anything
   of it, or nothing of an answer came and doing it twice does the same as doing it once.
3. A process uses no connection that another one made.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Deque, TypeVar

from . import _calls, _wire
from ._connection import Connection, broken
from ._receiving import Closed
from .errors import Timeout, Unavailable

T = TypeVar("T")

_IDLE_LIMIT = 32


class Channel:
    """The way to one host."""

    def __init__(self, path: str, timeout: float | None) -> None:
        self.path = path
        self.timeout = timeout
        self._pid = os.getpid()
        # The last one back is the first one out: what is in use stays few. Its ends are safe between threads.
        self._idle: Deque[Connection] = deque()

    def __del__(self) -> None:
        self.discard_idle()

    # Connections

    def acquire(self, must_live: bool) -> tuple[Connection, bool]:
        """A connection, and whether it served before; `must_live` looks whether the host still holds its end."""
        if self._pid != os.getpid():
            # A child: what waits here is the parent's, and closing our copies leaves it alone.
            self.discard_idle()
            self._pid = os.getpid()
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if not must_live or connection.is_alive():
                return connection, True
            connection.close()
        return Connection(self.path, self.timeout), False

    def release(self, connection: Connection) -> None:
        """Takes a connection back; one that cannot serve again is closed."""
        if connection.reusable and connection.pid == self._pid and len(self._idle) < _IDLE_LIMIT:
            self._idle.append(connection)
        else:
            connection.close()

    def discard_idle(self) -> None:
        """Closes the connections that wait for a next request."""
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    # Exchanges

    def begin(self, head: bytes) -> Connection:
        """Sends the head of a request whose body follows in pieces."""
        while True:
            connection, is_old = self.acquire(must_live=True)
            try:
                connection.send(head)
                return connection
            except Closed as failure:
                connection.close()
                if not (is_old and failure.nothing_sent):
                    raise broken(self.path, failure, safe=False) from failure
            except BaseException:
                connection.close()
                raise

    def exchange(self, call: _calls.Call[T], fd: int = -1) -> tuple[_wire.Head, Connection]:
        """Sends a whole request; gives the head of its answer, and the connection on which the body waits."""
        data = call.head()
        if call.body:
            data += call.body
        may_repeat = call.is_repeatable
        while True:
            connection, is_old = self.acquire(must_live=not may_repeat)
            try:
                try:
                    connection.send(data, fd)
                except Closed as failure:
                    # The host may have answered before it had everything, and closed: then the answer is there.
                    if failure.nothing_sent:
                        raise
                return connection.receive(call.method == "HEAD"), connection
            except Closed as failure:
                connection.close()
                if is_old and failure.before_answer and (may_repeat or failure.nothing_sent):
                    # All that wait are as old: once is enough.
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

    def run(self, call: _calls.Call[T], fd: int = -1) -> T:
        """Sends a whole request, reads its whole answer, and gives what it means."""
        head, connection = self.exchange(call, fd)
        body = self.read_all(head, connection, call.is_safe)
        return call.result(head, body)

    def read_all(self, head: _wire.Head, connection: Connection, safe: bool, keep: bool = True) -> bytes:
        """The whole body of an answer; the connection comes back, unless it is not to be kept."""
        try:
            if head.fd >= 0:
                os.close(head.fd)
                head.fd = -1
            body = connection.read_all()
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

    def finish(self, connection: Connection, is_whole: bool = True) -> tuple[_wire.Head, bytes]:
        """The answer to a request whose body was sent in pieces; after a part of it, the connection serves no more."""
        try:
            head = connection.receive()
        except Closed as failure:
            connection.close()
            raise broken(self.path, failure, safe=False) from failure
        except BaseException:
            connection.close()
            raise
        return head, self.read_all(head, connection, safe=False, keep=is_whole)


def require_same_process(pid: int, what: str) -> None:
    """Refuses to go on with a stream that another process began: both would read from one connection."""
    if pid != os.getpid():
        raise Unavailable(f"this {what} belongs to the process that opened it; open it again after the fork")
