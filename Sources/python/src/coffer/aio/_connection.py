"""One connection to the host for asyncio: what the blocking one does, with the loop to wait for the socket."""

from __future__ import annotations

import array
import asyncio
import socket
from typing import Callable, TypeVar

from .. import _wire
from .._connection import Buffer, new_socket, unreachable
from .._receiving import Closed, Receiver
from ..errors import InvalidArgument, Timeout

T = TypeVar("T")

# A host whose queue of connections is full has them handled in a moment; the kernel cannot tell when.
_RETRY = 0.002


class _NothingYet(Exception):
    """The socket has nothing now; told what the caller waits for."""


class Connection(Receiver):
    """A connection on which every call waits in the loop until it is done."""

    __slots__ = ("timeout",)

    def __init__(self, path: str, timeout: float | None) -> None:
        kind = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        super().__init__(path, new_socket(path, kind))
        self.timeout = timeout

    def _blocked(self, what: str) -> Exception:
        return _NothingYet(what)

    async def connect(self) -> None:
        """Connects; a Unix socket does so at once, or not now."""
        waited = 0.0
        while True:
            try:
                self.socket.connect(self.path)
                return
            except BlockingIOError:
                if self.timeout is not None and waited > self.timeout:
                    raise self._late("connecting") from None
            except OSError as error:
                if error.errno is None:
                    raise InvalidArgument(f"the name of the socket cannot be used: {self.path}: {error}") from error
                raise unreachable(self.path, error.errno, error.strerror or str(error)) from error
            await asyncio.sleep(_RETRY)
            waited += _RETRY

    # Waiting

    async def _wait(self, what: str, to_write: bool = False) -> None:
        """Waits until the socket has something, or takes something."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        number = self.socket.fileno()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        def expire() -> None:
            if not ready.done():
                ready.set_exception(self._late(what))

        alarm = None if self.timeout is None else loop.call_later(self.timeout, expire)
        loop.add_reader(number, wake)
        if to_write:
            loop.add_writer(number, wake)
        try:
            await ready
        finally:
            loop.remove_reader(number)
            if to_write:
                loop.remove_writer(number)
            if alarm is not None:
                alarm.cancel()

    def _late(self, what: str) -> Timeout:
        return Timeout(f"the host at {self.path} said nothing for {self.timeout} s while {what}", retryable=True)

    async def _until(self, attempt: Callable[[], T]) -> T:
        while True:
            try:
                return attempt()
            except _NothingYet as nothing:
                what = str(nothing)
            await self._wait(what)

    # Exchanging

    async def send(self, data: Buffer, fd: int = -1) -> None:
        """Sends a request, or its head; a descriptor goes with its first byte."""
        sent = 0
        while sent < len(data):
            try:
                if fd >= 0 and not sent:
                    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
                    sent = self.socket.sendmsg([data], [rights], socket.MSG_NOSIGNAL)
                else:
                    sent += self.socket.send(data[sent:] if sent else data, socket.MSG_NOSIGNAL)
                continue
            except BlockingIOError:
                pass
            except ConnectionError as error:
                raise Closed(before_answer=True, nothing_sent=sent == 0) from error
            await self._wait("taking the request", to_write=True)

    async def send_body(self, data: memoryview) -> bool:
        """Sends a piece of a body; False where the host has answered before it had everything, or closed."""
        while len(data):
            try:
                data = data[self.socket.send(data, socket.MSG_NOSIGNAL) :]
                continue
            except BlockingIOError:
                pass
            except ConnectionError:
                return False
            await self._wait("taking the bytes", to_write=True)
            if self._has_answer():
                return False
        return True

    def _has_answer(self) -> bool:
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    async def head(self, no_body: bool = False) -> _wire.Head:
        """The head of the answer."""
        return await self._until(lambda: self.receive(no_body))

    async def read_some_into(self, target: memoryview) -> int:
        """Reads bytes of the body; 0 only at its end."""
        return await self._until(lambda: self.read_into(target))

    async def read_some(self, size: int) -> bytes:
        """Some bytes of the body; empty only at its end."""
        buffer = bytearray(size)
        count = await self.read_some_into(memoryview(buffer))
        del buffer[count:]
        return bytes(buffer)

    async def read_all(self) -> bytes:
        """The whole body."""
        body = self.at_once()
        if body is not None:
            return body
        left = self.left
        if left is None:
            pieces = []
            while piece := await self.read_some(256 << 10):
                pieces.append(piece)
            return b"".join(pieces)
        buffer = bytearray(left)
        view = memoryview(buffer)
        filled = 0
        while filled < left:
            filled += await self.read_some_into(view[filled:])
        return bytes(buffer)
