"""One connection to the host, blocking; with one exchange at a time."""

from __future__ import annotations

import array
import errno
import os
import select
import socket
import struct
from typing import Union

from . import _wire
from .errors import CofferError, InvalidArgument, PermissionDenied, Timeout, Unavailable

Buffer = Union[bytes, bytearray, memoryview]

# Room for more descriptors than the one that is asked for, so that strays are seen and closed.
_ANCILLARY = socket.CMSG_SPACE(8 * 4)
_PIECE = 64 << 10
# Given at every receive: no child of ours inherits what comes.
_CLOSE_ON_EXEC = socket.MSG_CMSG_CLOEXEC


class Closed(Exception):
    """The host closed the connection."""

    def __init__(self, *, before_answer: bool, nothing_sent: bool = False) -> None:
        super().__init__(before_answer, nothing_sent)
        self.before_answer = before_answer
        """Whether nothing of an answer had come."""
        self.nothing_sent = nothing_sent
        """Whether the host cannot have seen anything of the request."""


def unreachable(path: str, number: int | None, text: str) -> CofferError:
    """Why nobody can be reached at `path`."""
    if number in (errno.ENOENT, errno.ENOTDIR):
        return Unavailable(
            f"no host at {path}: there is no such socket; "
            "start cofferd, or name its socket with socket= or COFFER_SOCKET"
        )
    if number == errno.ECONNREFUSED:
        return Unavailable(f"no host at {path}: nobody listens there any more; start cofferd")
    if number in (errno.EACCES, errno.EPERM):
        return PermissionDenied(
            f"no access to the socket {path}; its owner or `socket:` in the host's configuration decides who has"
        )
    return Unavailable(f"no host at {path}: {text}")


def broken(path: str, failure: Closed, safe: bool) -> Unavailable:
    """What callers are told of a connection that the host closed."""
    when = "without an answer" if failure.before_answer else "in the middle of its answer"
    return Unavailable(
        f"the host at {path} closed the connection {when}",
        retryable=safe or failure.nothing_sent,
        maybe_applied=not safe and not failure.nothing_sent,
    )


class Connection:
    """A connected socket, what was received beyond the head, and how much of the body is still to come.

    Invariants:
    1. `reusable` is true only when the last answer was read to its end and nothing else is there.
    2. A descriptor that came is in `head.fd` and belongs to whoever takes it from there; any other is closed at once.
    """

    __slots__ = ("_chunked", "_keep", "_left", "_rest", "path", "pid", "socket", "timeout")

    def __init__(self, path: str, timeout: float | None) -> None:
        self.path = path
        self.pid = os.getpid()
        self.timeout = timeout
        self._rest: bytes | memoryview = b""
        self._left = 0
        self._chunked = False
        self._keep = False
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            if timeout is not None:
                # Of the kernel and not of Python: Python's own would poll before every receive, and make a connect to a
                # busy host fail instead of wait.
                limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1_000_000) or int(timeout < 1))
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            self.socket.connect(path)
        except BlockingIOError as error:
            self.socket.close()
            raise self._late("connecting") from error
        except OSError as error:
            self.socket.close()
            if error.errno is None:
                # Python itself refuses a name that is too long, without a number.
                raise InvalidArgument(f"the name of the socket cannot be used: {path}: {error}") from error
            raise unreachable(path, error.errno, error.strerror or str(error)) from error
        except BaseException:
            self.socket.close()
            raise

    def _late(self, what: str) -> Timeout:
        return Timeout(f"the host at {self.path} said nothing for {self.timeout} s while {what}", retryable=True)

    def close(self) -> None:
        """Closes the socket; safe to call twice."""
        self._keep = False
        self.socket.close()

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

    # Sending

    def send(self, data: Buffer, fd: int = -1) -> None:
        """Sends a request, or its head; a descriptor goes with its first byte."""
        sent = 0
        try:
            if fd >= 0:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
                sent = self.socket.sendmsg([data], [rights])
                if sent == len(data):
                    return
            while True:
                sent += self.socket.send(data[sent:] if sent else data)
                if sent == len(data):
                    return
        except BlockingIOError as error:
            raise self._late("taking the request") from error
        except (BrokenPipeError, ConnectionError) as error:
            raise Closed(before_answer=True, nothing_sent=sent == 0) from error

    def send_body(self, data: memoryview) -> bool:
        """Sends a piece of a body; False where the host has answered before it had everything, or closed."""
        channel = self.socket
        while len(data):
            try:
                sent = channel.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                poll = select.poll()
                poll.register(channel, select.POLLIN | select.POLLOUT)
                ready = poll.poll(None if self.timeout is None else self.timeout * 1000)
                if not ready:
                    raise self._late("taking the bytes") from None
                if ready[0][1] & select.POLLIN:
                    return False
                continue
            except (BrokenPipeError, ConnectionError):
                return False
            data = data[sent:]
        return True

    # Receiving

    def receive(self, no_body: bool = False) -> _wire.Head:
        """The head of the answer; `no_body` where the request was HEAD."""
        channel = self.socket
        fd = -1
        data: bytes = bytes(self._rest)
        self._rest = b""
        try:
            while True:
                try:
                    piece, ancillary, flags, _ = channel.recvmsg(_PIECE, _ANCILLARY, _CLOSE_ON_EXEC)
                except BlockingIOError as error:
                    raise self._late("answering") from error
                except ConnectionError as error:
                    raise Closed(before_answer=not data) from error
                if ancillary or flags & socket.MSG_CTRUNC:
                    fd = first_descriptor(ancillary, fd)
                if not piece:
                    raise Closed(before_answer=not data)
                data = data + piece if data else piece
                end = data.find(b"\r\n\r\n")
                if end < 0:
                    if len(data) > _wire.HEAD_LIMIT:
                        raise _wire.Malformed("its head has no end")
                    if not b"HTTP/1.1 ".startswith(data[:9]):
                        raise _wire.Malformed(f"it begins with {data[:24]!r}")
                    continue
                head = _wire.Head(data[:end])
                rest = data[end + 4 :]
                if head.status < 200:
                    # An interim answer: the real one follows.
                    data = rest
                    if not data:
                        continue
                    data, self._rest = b"", data
                    return self.receive(no_body)
                break
        except _wire.Malformed as error:
            _close(fd)
            raise error.explained(self.path) from None
        except BaseException:
            _close(fd)
            raise
        self._keep = not head.close
        self._left = 0 if no_body else head.length
        self._chunked = head.chunked and not no_body
        self._rest = rest
        head.fd = fd
        return head

    def read_all(self, limit: int | None = None) -> bytes:
        """The whole body."""
        if self._chunked:
            return b"".join(iter(lambda: self.read_some(256 << 10), b""))
        left = self._left
        if limit is not None and left > limit:
            raise Unavailable(f"the answer has {left} bytes, more than {limit}")
        rest = self._rest
        if len(rest) == left:
            # What most answers are: all of it came with the head.
            self._left, self._rest = 0, b""
            return bytes(rest)
        body = bytearray(left)
        view = memoryview(body)
        filled = 0
        while filled < left:
            count = self.read_into(view[filled:])
            filled += count
        return bytes(body)

    def read_some(self, size: int) -> bytes:
        """Some bytes of the body; empty only at its end."""
        buffer = bytearray(size)
        count = self.read_into(memoryview(buffer))
        del buffer[count:]
        return bytes(buffer)

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
        if self._chunked and not self._left:
            self._end_of_line()
        return count

    def _receive_into(self, target: memoryview) -> int:
        # A descriptor that came with a body has no place to go, and the kernel closes it.
        try:
            count = self.socket.recv_into(target)
        except BlockingIOError as error:
            raise self._late("sending the bytes") from error
        except ConnectionError as error:
            raise Closed(before_answer=False) from error
        if not count:
            raise Closed(before_answer=False)
        return count

    def _line(self) -> bytes:
        while True:
            rest = bytes(self._rest)
            end = rest.find(b"\r\n")
            if end >= 0:
                self._rest = rest[end + 2 :]
                return rest[:end]
            if len(rest) > 4096:
                raise _wire.Malformed("a line of its chunks has no end").explained(self.path)
            more = bytearray(_PIECE)
            count = self._receive_into(memoryview(more))
            self._rest = rest + more[:count]

    def _end_of_line(self) -> None:
        if self._line():
            raise _wire.Malformed("a chunk does not end where it said").explained(self.path)

    def _next_chunk(self) -> bool:
        line = self._line().partition(b";")[0].strip()
        try:
            self._left = int(line, 16)
        except ValueError:
            raise _wire.Malformed(f"a chunk begins with {line[:20]!r}").explained(self.path) from None
        if self._left:
            return True
        while self._line():
            # Trailers say nothing that anybody here asks for.
            pass
        self._chunked = False
        return False


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


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
