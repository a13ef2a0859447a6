"""Reading an object as a file: from the descriptor that the host passed, or from the connection.

All bytes are of one version, or reading fails: going elsewhere in a stream asks for the same version again.
"""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING, Union, cast

from . import _calls
from ._channel import Channel, require_same_process
from ._connection import Connection, broken
from ._receiving import Closed
from ._wire import Malformed
from .errors import BackendError, Changed, CofferError, Corrupt, PreconditionFailed
from .model import Object

if TYPE_CHECKING:
    from . import _wire

# So much is read and thrown away rather than asked for anew.
_SKIP = 256 << 10
# What one system call may read at most on Linux.
_CALL_LIMIT = 0x7FFFF000
# The field that asks for the object as a descriptor.
DESCRIPTOR = ("Prefer", "coffer-fd")
# Bytes that `open` reads ahead of small reads.
BUFFER_SIZE = 256 << 10


def part_of(head: _wire.Head) -> tuple[int, int, int | None]:
    """First byte, the one after the last, and the object's whole size, as the head of a GET tells them."""
    passed = head.passed()
    length = passed[1] if passed else head.length
    part = head.content_range()
    if part is None or part[1] - part[0] != length:
        return 0, length, length
    return part


def pread_exactly(fd: int, offset: int, length: int) -> bytes:
    """These bytes of a file, all of them."""
    try:
        data = os.pread(fd, min(length, _CALL_LIMIT), offset)
        if len(data) == length:
            return data
        pieces = [data]
        done = len(data)
        while data and done < length:
            data = os.pread(fd, min(length - done, _CALL_LIMIT), offset + done)
            pieces.append(data)
            done += len(data)
    except OSError as error:
        raise BackendError(f"reading the object's file: {error.strerror}") from error
    if done < length:
        raise Corrupt(f"the object's file ends {length - done} bytes early")
    return b"".join(pieces)


class RawReader(io.RawIOBase):
    """The bytes of one object, unbuffered; `ObjectReader` wraps it."""

    def __init__(self, channel: Channel, storage: str, key: str, fields: _calls.FieldList, version: str | None) -> None:
        super().__init__()
        self._channel = channel
        self._storage = storage
        self._key = key
        self._version = version
        self._pid = os.getpid()
        self._connection: Connection | None = None
        self._fd = -1
        self._fd_offset = 0
        self._position = 0
        # Where the stream is, which may not be where the caller is.
        self._stream_position = 0
        head = self._ask([*fields, DESCRIPTOR])
        self._start, self._stop, size = part_of(head)
        self._stream_position = self._start
        self.object: Object = _calls.object_of_head(head, key, size)
        self.length = self._stop - self._start

    def _ask(self, fields: _calls.FieldList) -> _wire.Head:
        """Sends a GET, and keeps what its answer gives to read from."""
        call = _calls.get(self._storage, self._key, fields, self._version)
        head, connection = self._channel.exchange(call)
        if head.status >= 300:
            _calls.check(head, self._channel.read_all(head, connection, safe=True))
        try:
            passed = head.passed()
        except BaseException:
            connection.close()
            raise
        if passed is None:
            if head.chunked:
                connection.close()
                raise Malformed("it does not say how long the object is").explained(self._channel.path)
            self._connection = connection
            return head
        self._fd, head.fd = head.fd, -1
        self._channel.release(connection)
        if self._fd < 0:
            # Too many files are open here for one more: then the bytes themselves.
            if fields[-1:] != [DESCRIPTOR]:
                raise Malformed("it names a descriptor that nobody asked for").explained(self._channel.path)
            return self._ask(fields[:-1])
        self._fd_offset = passed[0]
        return head

    @property
    def is_direct(self) -> bool:
        """Whether the bytes come from a descriptor instead of the connection."""
        return self._fd >= 0

    @property
    def file(self) -> tuple[int, int]:
        """The descriptor that the bytes come from, and where the object begins in it."""
        return self._fd, self._fd_offset

    # What io asks for

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True: a stream is asked for anew where needed."""
        return True

    def tell(self) -> int:
        """The place of the next byte, from the first one that was asked for."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes elsewhere; nothing is asked for before the next read."""
        self._check_open()
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.length}.get(whence)
        if start is None:
            raise ValueError(f"whence is 0, 1 or 2, not {whence}")
        if start + offset < 0:
            raise OSError(errno.EINVAL, "a position before the first byte")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Union[bytearray, memoryview]) -> int:  # type: ignore[override]
        """Reads some bytes; 0 only at the end."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        left = self.length - self._position
        if left <= 0 or not len(view):
            return 0
        if len(view) > left:
            view = view[:left]
        count = self._from_file(view) if self._fd >= 0 else self._from_stream(view)
        self._position += count
        return count

    def readall(self) -> bytes:
        """All that is left."""
        self._check_open()
        left = self.length - self._position
        if left <= 0:
            return b""
        if self._fd >= 0:
            data = pread_exactly(self._fd, self._fd_offset + self._position, left)
            self._position += left
            return data
        buffer = bytearray(left)
        view = memoryview(buffer)
        filled = 0
        while filled < left:
            # Short data is never the end: the stream raises where it ends early.
            filled += self.readinto(view[filled:])
        return bytes(buffer)

    def fileno(self) -> int:
        """The descriptor, where the whole object is exactly one file: for `mmap` and `sendfile`."""
        self._check_open()
        if self._fd < 0 or self._fd_offset or self._start or self._stop != self.object.size:
            raise io.UnsupportedOperation("the object is not read from a file of its own")
        return self._fd

    def close(self) -> None:
        """Ends the read."""
        if not self.closed:
            super().close()
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)
            self._drop()

    # Where the bytes are

    def _from_file(self, view: memoryview) -> int:
        try:
            count = os.preadv(self._fd, [view], self._fd_offset + self._position)
        except OSError as error:
            raise BackendError(f"reading the object's file: {error.strerror}", key=self._key) from error
        if not count:
            raise Corrupt(f"the object's file ends {self.length - self._position} bytes early", key=self._key)
        return count

    def _from_stream(self, view: memoryview) -> int:
        require_same_process(self._pid, "reader")
        try:
            connection = self._at(self._start + self._position)
            count = connection.read_into(view) if connection else self._from_file(view)
        except Closed as failure:
            self._drop()
            raise broken(self._channel.path, failure, safe=True) from failure
        except BaseException:
            # Whatever it was, nobody knows where the stream is now.
            self._drop()
            raise
        self._stream_position += count
        if self._stream_position == self._stop and connection:
            self._finish(connection)
        return count

    def _at(self, place: int) -> Connection | None:
        """The connection with `place` of the object as its next byte; None where a descriptor came instead."""
        ahead = place - self._stream_position
        if self._connection and 0 < ahead <= _SKIP:
            scratch = memoryview(bytearray(ahead))
            while len(scratch):
                scratch = scratch[self._connection.read_into(scratch) :]
            self._stream_position = place
        elif not self._connection or ahead:
            self._drop()
            self._reopen(place)
        return self._connection

    def _reopen(self, place: int) -> None:
        fields = [("Range", f"bytes={place}-{self._stop - 1}")]
        etag = self.object.etag
        if etag is not None:
            fields += _calls.match_fields(if_match=etag)
        try:
            head = self._ask([*fields, DESCRIPTOR])
        except PreconditionFailed as error:
            raise self._changed() from error
        start, stop, size = part_of(head)
        if start != place or stop != self._stop or size != self.object.size:
            raise self._changed()
        if etag is None and head.fields.get("coffer-modified") != self.object.document["modified"]:
            raise self._changed()
        self._stream_position = place
        # A descriptor that comes only now begins here.
        self._fd_offset -= self._position

    def _changed(self) -> CofferError:
        return Changed("the object was replaced while it was read", storage=self._storage, key=self._key)

    def _finish(self, connection: Connection) -> None:
        try:
            # The end of a body that is sent in chunks is read too, so that the connection can serve again.
            if not connection.reusable:
                connection.read_into(memoryview(bytearray(1)))
        except Closed:
            # Every byte came; only this connection is lost.
            connection.close()
        self._connection = None
        self._channel.release(connection)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection and connection.pid == os.getpid():
            connection.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on a closed object")


class ObjectReader(io.BufferedReader):
    """An object, open for reading: a `BufferedReader` that knows what it reads."""

    def __init__(self, raw: RawReader, buffer_size: int = BUFFER_SIZE) -> None:
        super().__init__(raw, buffer_size)

    @property
    def _source(self) -> RawReader:
        return cast(RawReader, self.raw)

    @property
    def object(self) -> Object:
        """What is read."""
        return self._source.object

    @property
    def key(self) -> str:
        """Its key."""
        return self._source.object.key

    @property
    def length(self) -> int:
        """Bytes from the first to the last that was asked for."""
        return self._source.length

    @property
    def size(self) -> int:
        """The same, as file systems call it."""
        return self._source.length

    @property
    def is_direct(self) -> bool:
        """Whether the bytes come from a descriptor instead of the connection."""
        return self._source.is_direct
