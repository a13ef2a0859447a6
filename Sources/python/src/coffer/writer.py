"""Writing an object as a file: nothing is visible before `close`, and nothing ever after an exception.

Small objects go as one request when they are complete; larger ones go in pieces while they are made.
"""

from __future__ import annotations

import io
import os
import warnings
from types import TracebackType
from typing import Any, Optional, Type, Union, cast

from . import _calls, _wire
from ._channel import Channel, require_same_process
from ._connection import Connection
from .errors import Cancelled, CofferError, Internal, InvalidArgument, Unavailable
from .model import Object

# Pieces of this size go out; what is smaller in all goes as one request.
PIECE = 256 << 10
_HEAD_IN_ONE = 64 << 10


class ObjectWriter(io.BufferedIOBase):
    """An object, open for writing.

    `close` publishes it, and `object` then says where it went. Leaving a `with` block by an exception, `abort`, or
    letting the writer go without `close` leaves what was there before.
    """

    def __init__(
        self,
        channel: Channel,
        method: str,
        target: str,
        fields: _calls.FieldList,
        length: int | None = None,
        *,
        name: str = "",
    ) -> None:
        super().__init__()
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
        # A head that cannot be sent is told at once.
        _wire.request_head(method, target, fields)

    @property
    def object(self) -> Object:
        """What was written, under its real key; known after `close`."""
        if self._object is None:
            raise ValueError("the object is not written before close()")
        return self._object

    # What io asks for

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """How many bytes were written."""
        self._check_open()
        return self._written

    def write(self, data: Any) -> int:
        """Takes all of `data`; returns when the host, or the buffer here, has it."""
        self._check_open()
        if isinstance(data, str):
            raise TypeError("an object is bytes; encode the text, or open with mode 'w'")
        with memoryview(data) as given:
            view = given.cast("B") if given.nbytes else memoryview(b"")
            count = len(view)
            if self._length is not None and self._written + count > self._length:
                self.abort()
                raise InvalidArgument(f"more bytes than the announced {self._length}")
            self._written += count
            if len(self._buffer) + count < PIECE:
                self._buffer += view
                return count
            if count < PIECE:
                self._buffer += view
                self._send_buffer()
                return count
            self._send_buffer()
            self._send(view)
            return count

    def flush(self) -> None:
        """Nothing: nobody sees anything before `close`."""
        if self.closed:
            raise ValueError("I/O operation on a closed object")

    def close(self) -> None:
        """Publishes the object; raises what the host says against it."""
        if self.closed:
            return
        try:
            if not self._aborted:
                require_same_process(self._pid, "writer")
                self._commit()
        except BaseException:
            self.abort()
            raise
        finally:
            super().close()

    def abort(self) -> None:
        """Gives the write up: what was there stays."""
        self._aborted = True
        self._buffer = bytearray()
        connection, self._connection = self._connection, None
        if connection and connection.pid == os.getpid():
            # The host sees a body that ends early, and drops it.
            connection.close()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self.abort()
        self.close()

    def __del__(self) -> None:
        # Unlike files: half of an object must not take the place of a whole one because somebody forgot it.
        if getattr(self, "_pid", None) is None or self.closed:
            return
        if not self._aborted and self._pid == os.getpid():
            warnings.warn(
                f"{self._name} was not closed: it was not written", ResourceWarning, stacklevel=2, source=self
            )
        self.abort()
        super().close()

    # The request

    def _commit(self) -> None:
        method, target, fields = self._request
        if self._length is not None and self._written != self._length:
            raise InvalidArgument(f"{self._length - self._written} bytes fewer than the announced {self._length}")
        if self._connection is None:
            self._object = self._channel.run(_calls.put(method, target, bytes(self._buffer), fields))
            return
        self._send_buffer()
        connection = self._connection
        if self._length is None:
            connection.send_body(memoryview(b"0\r\n\r\n"))
        self._connection = None
        head, body = self._channel.finish(connection)
        self._object = _calls.put(method, target, b"", fields).result(head, body)

    def _send_buffer(self) -> None:
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            self._send(memoryview(data))

    def _send(self, view: memoryview) -> None:
        require_same_process(self._pid, "writer")
        try:
            if self._connection is None:
                framing = (
                    "Transfer-Encoding: chunked\r\n" if self._length is None else f"Content-Length: {self._length}\r\n"
                )
                self._connection = self._channel.begin(_wire.request_head(*self._request, framing))
            connection = self._connection
            if self._length is not None:
                done = connection.send_body(view)
            else:
                done = (
                    connection.send_body(memoryview(f"{len(view):x}\r\n".encode()))
                    and connection.send_body(view)
                    and connection.send_body(memoryview(b"\r\n"))
                )
        except BaseException:
            self.abort()
            raise
        if not done:
            self._refused(connection)

    def _refused(self, connection: Connection) -> None:
        """The host answered before it had everything: raises why."""
        self._connection = None
        self._aborted = True
        try:
            head, body = self._channel.finish(connection, is_whole=False)
        except Unavailable as error:
            # It never had the end, so it cannot have published anything.
            raise Unavailable(
                f"the host at {self._channel.path} went away before it had all bytes; nothing was written",
                retryable=True,
            ) from error
        _calls.check(head, body)
        raise Internal(f"the host answered {head.status} before it had all bytes")

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on a closed object")
        if self._aborted:
            raise Cancelled("the write was given up")


class TextWriter(io.TextIOWrapper):
    """An object, open for writing text; it ends as an `ObjectWriter` does."""

    def __init__(self, writer: ObjectWriter, **options: Any) -> None:
        super().__init__(cast(Any, writer), **options)
        self._writer = writer

    @property
    def object(self) -> Object:
        """What was written; known after `close`."""
        return self._writer.object

    def abort(self) -> None:
        """Gives the write up."""
        self._writer.abort()
        self._discard()

    def close(self) -> None:
        """Publishes the object."""
        if self._writer._aborted:
            self._discard()
        else:
            super().close()

    def _discard(self) -> None:
        try:
            super().close()
        except CofferError:
            # The text that was still here has no place to go, which is what was asked for.
            io.BufferedIOBase.close(self._writer)

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self.abort()
        else:
            self.close()

    def __del__(self) -> None:
        writer: Union[ObjectWriter, None] = getattr(self, "_writer", None)
        if writer is not None and not writer.closed:
            writer.__del__()
