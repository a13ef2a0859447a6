"""Reading an object in pieces, for asyncio: from the descriptor that the host passed, or from the connection."""

from __future__ import annotations

import io
import os
from types import TracebackType
from typing import AsyncIterator, Generator, Optional, Type

from .. import _calls, _wire
from .._channel import require_same_process
from .._connection import broken
from .._receiving import Closed
from ..errors import Changed, Corrupt, PreconditionFailed
from ..model import Object
from ..reader import DESCRIPTOR, part_of
from . import _file
from ._channel import Channel
from ._connection import Connection

_PIECE = 256 << 10


class Reader:
    """An object, open for reading: `read`, `seek`, `tell`, and `async for` over its pieces.

    All bytes are of one version, or reading fails.
    """

    def __init__(self, channel: Channel, storage: str, key: str, fields: _calls.FieldList, version: str | None) -> None:
        self._channel = channel
        self._storage = storage
        self._key = key
        self._version = version
        self._first = fields
        self._pid = os.getpid()
        self._connection: Connection | None = None
        self._fd = -1
        self._fd_offset = 0
        self._position = 0
        self._stream_position = 0
        self._start = self._stop = 0
        self._object: Object | None = None
        self._closed = False

    # `await storage.open(key)` and `async with storage.open(key)` both begin here.

    def __await__(self) -> Generator[None, None, Reader]:
        return self._begin().__await__()

    async def _begin(self) -> Reader:
        if self._object is None:
            head = await self._ask([*self._first, DESCRIPTOR])
            self._start, self._stop, size = part_of(head)
            self._stream_position = self._start
            self._object = _calls.object_of_head(head, self._key, size)
        return self

    async def __aenter__(self) -> Reader:
        return await self._begin()

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @property
    def object(self) -> Object:
        """What is read."""
        if self._object is None:
            raise ValueError("the object is not open yet: await storage.open(…), or use async with")
        return self._object

    @property
    def length(self) -> int:
        """Bytes from the first to the last that was asked for."""
        return self._stop - self._start

    @property
    def is_direct(self) -> bool:
        """Whether the bytes come from a descriptor instead of the connection."""
        return self._fd >= 0

    def tell(self) -> int:
        """The place of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes elsewhere; nothing is asked for before the next read."""
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.length}[whence]
        if place < 0:
            raise ValueError("a position before the first byte")
        self._position = place
        return place

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.read_some():
            yield piece

    async def read_some(self, size: int = _PIECE) -> bytes:
        """Some bytes, at most `size`; empty only at the end."""
        buffer = bytearray(max(0, min(size, self.length - self._position)))
        count = await self.readinto(memoryview(buffer))
        del buffer[count:]
        return bytes(buffer)

    async def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes, or all that are left."""
        self._check_open()
        left = max(0, self.length - self._position)
        wanted = left if size < 0 else min(size, left)
        if self._fd >= 0:
            data = await _file.read_exactly(self._fd, self._fd_offset + self._position, wanted)
            self._position += wanted
            return data
        buffer = bytearray(wanted)
        view = memoryview(buffer)
        filled = 0
        while filled < wanted:
            filled += await self.readinto(view[filled:])
        return bytes(buffer)

    async def readinto(self, buffer: memoryview | bytearray) -> int:
        """Reads some bytes; 0 only at the end."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        left = self.length - self._position
        if left <= 0 or not len(view):
            return 0
        view = view[:left]
        count = await (self._from_file(view) if self._fd >= 0 else self._from_stream(view))
        self._position += count
        return count

    def close(self) -> None:
        """Ends the read."""
        self._closed = True
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        self._drop()

    # Where the bytes are

    async def _ask(self, fields: _calls.FieldList) -> _wire.Head:
        call = _calls.get(self._storage, self._key, fields, self._version)
        head, connection = await self._channel.exchange(call)
        if head.status >= 300:
            _calls.check(head, await self._channel.read_all(head, connection, safe=True))
        try:
            passed = head.passed()
            if passed is None and head.chunked:
                raise _wire.Malformed("it does not say how long the object is")
        except _wire.Malformed as error:
            connection.close()
            raise error.explained(self._channel.path) from None
        if passed is None:
            self._connection = connection
            return head
        self._fd, head.fd = head.fd, -1
        self._channel.release(connection)
        if self._fd < 0:
            # Too many files are open here for one more: then the bytes themselves.
            if fields[-1:] != [DESCRIPTOR]:
                raise _wire.Malformed("it names a descriptor that nobody asked for").explained(self._channel.path)
            return await self._ask(fields[:-1])
        self._fd_offset = passed[0]
        return head

    async def _from_file(self, view: memoryview) -> int:
        count = await _file.read_into(self._fd, view, self._fd_offset + self._position)
        if not count:
            raise Corrupt(f"the object's file ends {self.length - self._position} bytes early", key=self._key)
        return count

    async def _from_stream(self, view: memoryview) -> int:
        require_same_process(self._pid, "reader")
        place = self._start + self._position
        try:
            if not self._connection or self._stream_position != place:
                self._drop()
                await self._reopen(place)
            connection = self._connection
            count = await (connection.read_some_into(view) if connection else self._from_file(view))
        except Closed as failure:
            self._drop()
            raise broken(self._channel.path, failure, safe=True) from failure
        except BaseException:
            self._drop()
            raise
        self._stream_position += count
        if self._stream_position == self._stop and connection:
            self._connection = None
            self._channel.release(connection)
        return count

    async def _reopen(self, place: int) -> None:
        fields = [("Range", f"bytes={place}-{self._stop - 1}")]
        if self.object.etag is not None:
            fields += _calls.match_fields(if_match=self.object.etag)
        changed = Changed("the object was replaced while it was read", storage=self._storage, key=self._key)
        try:
            head = await self._ask([*fields, DESCRIPTOR])
        except PreconditionFailed as error:
            raise changed from error
        if part_of(head) != (place, self._stop, self.object.size):
            raise changed
        if self.object.etag is None and head.fields.get("coffer-modified") != self.object.document["modified"]:
            raise changed
        self._stream_position = place
        # A descriptor that comes only now begins here.
        self._fd_offset -= self._position

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection and connection.pid == os.getpid():
            connection.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("I/O operation on a closed object")
        _ = self.object
