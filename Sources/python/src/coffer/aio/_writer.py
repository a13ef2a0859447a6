"""Writing an object in pieces, for asyncio: nothing is visible before `close`, and nothing ever after an exception."""

from __future__ import annotations

import os
import warnings
from types import TracebackType
from typing import Generator, Optional, Type, Union

from .. import _calls, _wire
from .._channel import require_same_process
from ..errors import Cancelled, Internal, InvalidArgument, Unavailable
from ..model import Object
from ..writer import PIECE
from ._channel import Channel
from ._connection import Connection


class Writer:
    """An object, open for writing: `await write(bytes)`, then `await close()`.

    Leaving `async with` by an exception or a cancellation, `abort`, or letting the writer go leaves what was there.
    """

    def __init__(
        self, channel: Channel, method: str, target: str, fields: _calls.FieldList, length: int | None, name: str = ""
    ) -> None:
        self._channel = channel
        self._request = (method, target, fields)
        self._length = length
        self._name = name
        self._pid = os.getpid()
        self._buffer = bytearray()
        self._connection: Connection | None = None
        self._written = 0
        self._aborted = False
        self._object: Object | None = None
        _wire.request_head(method, target, fields)

    def __await__(self) -> Generator[None, None, Writer]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self.abort()
        else:
            await self.close()

    def __del__(self) -> None:
        if getattr(self, "_aborted", True) or self._object is not None:
            return
        if self._pid == os.getpid():
            warnings.warn(
                f"{self._name} was not closed: it was not written", ResourceWarning, stacklevel=2, source=self
            )
        self.abort()

    @property
    def object(self) -> Object:
        """What was written, under its real key; known after `close`."""
        if self._object is None:
            raise ValueError("the object is not written before close()")
        return self._object

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    async def write(self, data: Union[bytes, bytearray, memoryview]) -> int:
        """Takes all of `data`; returns when the host, or the buffer here, has it."""
        self._check_open()
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        if self._length is not None and self._written + len(view) > self._length:
            self.abort()
            raise InvalidArgument(f"more bytes than the announced {self._length}")
        self._written += len(view)
        if len(self._buffer) + len(view) < PIECE:
            self._buffer += view
        else:
            await self._send_buffer()
            await self._send(view)
        return len(view)

    async def close(self) -> None:
        """Publishes the object; raises what the host says against it."""
        if self._aborted or self._object is not None:
            return
        try:
            require_same_process(self._pid, "writer")
            await self._commit()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Gives the write up: what was there stays."""
        self._aborted = True
        self._buffer = bytearray()
        connection, self._connection = self._connection, None
        if connection and connection.pid == os.getpid():
            connection.close()

    async def _commit(self) -> None:
        method, target, fields = self._request
        if self._length is not None and self._written != self._length:
            raise InvalidArgument(f"{self._length - self._written} bytes fewer than the announced {self._length}")
        if self._connection is None:
            self._object = await self._channel.run(_calls.put(method, target, bytes(self._buffer), fields))
            return
        await self._send_buffer()
        connection = self._connection
        if self._length is None:
            await connection.send_body(memoryview(b"0\r\n\r\n"))
        head, body = await self._channel.finish(connection)
        self._connection = None
        self._object = _calls.put(method, target, b"", fields).result(head, body)

    async def _send_buffer(self) -> None:
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            await self._send(memoryview(data))

    async def _send(self, view: memoryview) -> None:
        require_same_process(self._pid, "writer")
        if not len(view):
            return
        try:
            if self._connection is None:
                framing = (
                    "Transfer-Encoding: chunked\r\n" if self._length is None else f"Content-Length: {self._length}\r\n"
                )
                self._connection = await self._channel.begin(_wire.request_head(*self._request, framing))
            connection = self._connection
            if self._length is not None:
                done = await connection.send_body(view)
            else:
                done = (
                    await connection.send_body(memoryview(f"{len(view):x}\r\n".encode()))
                    and await connection.send_body(view)
                    and await connection.send_body(memoryview(b"\r\n"))
                )
        except BaseException:
            self.abort()
            raise
        if not done:
            await self._refused(connection)

    async def _refused(self, connection: Connection) -> None:
        """The host answered before it had everything: raises why."""
        self._connection = None
        self._aborted = True
        try:
            head, body = await self._channel.finish(connection, is_whole=False)
        except Unavailable as error:
            raise Unavailable(
                f"the host at {self._channel.path} went away before it had all bytes; nothing was written",
                retryable=True,
            ) from error
        _calls.check(head, body)
        raise Internal(f"the host answered {head.status} before it had all bytes")

    def _check_open(self) -> None:
        if self._object is not None:
            raise ValueError("I/O operation on a closed object")
        if self._aborted:
            raise Cancelled("the write was given up")
