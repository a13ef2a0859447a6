"""Answers as they come over a socket: the head, then the body piece by piece.

Every step can be tried again after the socket had nothing yet, so that the blocking client, which waits in the kernel,
and the asyncio client, which waits for its loop, share this.
"""

from __future__ import annotations

import array
import os
import re
import socket

from . import _wire

# Room for more descriptors than the one that is asked for, so that strays are seen and closed.
_ANCILLARY = socket.CMSG_SPACE(8 * 4)
_PIECE = 64 << 10
# Given at every receive: no child of ours inherits what comes.
_CLOSE_ON_EXEC = socket.MSG_CMSG_CLOEXEC
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\Z").match


class Closed(Exception):
    """The host closed the connection."""

    def __init__(self, *, before_answer: bool, nothing_sent: bool = False) -> None:
        super().__init__(before_answer, nothing_sent)
        self.before_answer = before_answer
        """Whether nothing of an answer had come."""
        self.nothing_sent = nothing_sent
        """Whether the host cannot have seen anything of the request."""


class Receiver:
    """A connected socket, what was received beyond the head, and how much of the body is still to come.

    Invariants:
    1. `reusable` is true only when the last answer was read to its end and nothing else is there.
    2. A descriptor that came is in `head.fd` and belongs to whoever takes it from there; any other is closed at once.
    3. A call that ends with `_blocked` has lost nothing: the next call goes on where it stopped.

    In chunks, `_left` counts what is left of the chunk; `_place` says what comes when it is 0:

        size ──▶ bytes ──▶ end of chunk ──▶ size … size 0 ──▶ trailers ──▶ (not chunked any more)
    """

    __slots__ = ("_chunked", "_fd", "_keep", "_left", "_place", "_rest", "path", "pid", "socket")

    def __init__(self, path: str, connected: socket.socket) -> None:
        self.path = path
        self.pid = os.getpid()
        self.socket = connected
        self._rest: bytes = b""
        self._left = 0
        self._chunked = False
        self._place = "size"
        self._keep = False
        self._fd = -1

    def _blocked(self, what: str) -> Exception:
        """What to raise when the socket has nothing now."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the socket; safe to call twice."""
        self._keep = False
        self.socket.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def reusable(self) -> bool:
        """Whether another request may go over this connection."""
        return self._keep and not self._left and not self._chunked and not self._rest

    def is_alive(self) -> bool:
        """Whether the host still holds its end and has said nothing unasked."""
        try:
            self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def settle(self, is_clean: bool) -> None:
        """Says whether the last answer, which somebody else took apart, left nothing behind."""
        self._keep = is_clean

    def receive(self, no_body: bool = False) -> _wire.Head:
        """The head of the answer; `no_body` where the request was HEAD."""
        try:
            while True:
                data = self._rest
                end = data.find(b"\r\n\r\n") if data else -1
                if end < 0:
                    self._receive_head(data)
                    continue
                head = _wire.Head(data[:end])
                self._rest = data[end + 4 :]
                # An interim answer is not the real one, which follows.
                if head.status >= 200:
                    break
        except _wire.Malformed as error:
            raise error.explained(self.path) from None
        self._keep = not head.close
        self._chunked = head.chunked and not no_body
        self._left = 0 if no_body else head.length
        self._place = "size"
        head.fd, self._fd = self._fd, -1
        return head

    def _receive_head(self, data: bytes) -> None:
        if len(data) > _wire.HEAD_LIMIT:
            raise _wire.Malformed("its head has no end")
        if not b"HTTP/1.1 ".startswith(data[:9]):
            raise _wire.Malformed(f"it begins with {data[:24]!r}")
        try:
            piece, ancillary, _, _ = self.socket.recvmsg(_PIECE, _ANCILLARY, _CLOSE_ON_EXEC)
        except BlockingIOError:
            raise self._blocked("answering") from None
        except ConnectionError as error:
            raise Closed(before_answer=not data) from error
        if ancillary:
            self._fd = first_descriptor(ancillary, self._fd)
        if not piece:
            raise Closed(before_answer=not data)
        self._rest = data + piece if data else piece

    def at_once(self) -> bytes | None:
        """The whole body, where all of it came with the head, as it does for most answers."""
        if self._chunked or len(self._rest) != self._left:
            return None
        body, self._rest, self._left = self._rest, b"", 0
        return body

    @property
    def left(self) -> int | None:
        """How many bytes of the body are still to come; None where nobody knows."""
        return None if self._chunked else self._left

    def read_into(self, target: memoryview) -> int:
        """Reads bytes of the body into `target`; 0 only at its end, unless `target` is empty."""
        if self._chunked and not self._left and not self._next_chunk():
            return 0
        wanted = min(len(target), self._left)
        if not wanted:
            return 0
        if self._rest:
            count = min(wanted, len(self._rest))
            target[:count] = self._rest[:count]
            self._rest = self._rest[count:]
        else:
            count = self._receive_into(target[:wanted])
        self._left -= count
        return count

    def _receive_into(self, target: memoryview) -> int:
        # A descriptor that came with a body has no place to go, and the kernel closes it.
        try:
            count = self.socket.recv_into(target)
        except BlockingIOError:
            raise self._blocked("sending the bytes") from None
        except ConnectionError as error:
            raise Closed(before_answer=False) from error
        if not count:
            raise Closed(before_answer=False)
        return count

    def _next_chunk(self) -> bool:
        """Reads what stands between chunks; False at the end of the body."""
        try:
            if self._place == "end of chunk":
                if self._line():
                    raise _wire.Malformed("a chunk does not end where it said")
                self._place = "size"
            if self._place == "size":
                line = self._line()
                size = _CHUNK_SIZE(line)
                if not size:
                    raise _wire.Malformed(f"a chunk begins with {line[:20]!r}")
                self._left = int(size.group(1), 16)
                self._place = "end of chunk" if self._left else "trailers"
            if self._place == "end of chunk":
                return True
            while self._line():
                # Trailers say nothing that anybody here asks for.
                pass
        except _wire.Malformed as error:
            raise error.explained(self.path) from None
        self._chunked = False
        return False

    def _line(self) -> bytes:
        while True:
            end = self._rest.find(b"\r\n")
            if end >= 0:
                line, self._rest = self._rest[:end], self._rest[end + 2 :]
                return line
            if len(self._rest) > 4096:
                raise _wire.Malformed("a line of its chunks has no end")
            more = bytearray(_PIECE)
            count = self._receive_into(memoryview(more))
            self._rest += more[:count]


def first_descriptor(ancillary: list[tuple[int, int, bytes]], fd: int) -> int:
    """The first descriptor that came, after `fd` if that is one; all others are closed."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers = array.array("i")
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
            for number in numbers:
                if fd < 0:
                    fd = number
                else:
                    os.close(number)
    return fd
