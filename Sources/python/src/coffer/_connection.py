"""One connection to the host, blocking; with one exchange at a time."""

from __future__ import annotations

import array
import errno
import select
import socket
import struct
from typing import Union

from ._receiving import Closed, Receiver
from .errors import CofferError, InvalidArgument, PermissionDenied, Timeout, Unavailable

Buffer = Union[bytes, bytearray, memoryview]


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


def new_socket(path: str, kind: int) -> socket.socket:
    """A socket that is not connected yet."""
    try:
        return socket.socket(socket.AF_UNIX, kind)
    except OSError as error:
        raise Unavailable(f"cannot connect to {path}: {error.strerror}", retryable=True) from error


def broken(path: str, failure: Closed, safe: bool) -> Unavailable:
    """What callers are told of a connection that the host closed."""
    when = "without an answer" if failure.before_answer else "in the middle of its answer"
    return Unavailable(
        f"the host at {path} closed the connection {when}",
        retryable=safe or failure.nothing_sent,
        maybe_applied=not safe and not failure.nothing_sent,
    )


class Connection(Receiver):
    """A connection on which every call waits until it is done, or `timeout` seconds without a byte have gone by."""

    __slots__ = ("timeout",)

    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__(path, new_socket(path, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
        self.timeout = timeout
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
            raise self._blocked("connecting") from error
        except OSError as error:
            self.socket.close()
            if error.errno is None:
                # Python itself refuses a name that is too long, without a number.
                raise InvalidArgument(f"the name of the socket cannot be used: {path}: {error}") from error
            raise unreachable(path, error.errno, error.strerror or str(error)) from error
        except BaseException:
            self.socket.close()
            raise

    def _blocked(self, what: str) -> Timeout:
        return Timeout(f"the host at {self.path} said nothing for {self.timeout} s while {what}", retryable=True)

    # Sending

    def send(self, data: Buffer, fd: int = -1) -> None:
        """Sends a request, or its head; a descriptor goes with its first byte."""
        sent = 0
        try:
            if fd >= 0:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
                sent = self.socket.sendmsg([data], [rights], socket.MSG_NOSIGNAL)
                if sent == len(data):
                    return
            while True:
                # A program that lets SIGPIPE end it still gets an exception.
                sent += self.socket.send(data[sent:] if sent else data, socket.MSG_NOSIGNAL)
                if sent == len(data):
                    return
        except BlockingIOError as error:
            raise self._blocked("taking the request") from error
        except (BrokenPipeError, ConnectionError) as error:
            raise Closed(before_answer=True, nothing_sent=sent == 0) from error

    def send_body(self, data: memoryview) -> bool:
        """Sends a piece of a body; False where the host has answered before it had everything, or closed."""
        channel = self.socket
        while len(data):
            try:
                sent = channel.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                poll = select.poll()
                poll.register(channel, select.POLLIN | select.POLLOUT)
                ready = poll.poll(None if self.timeout is None else self.timeout * 1000)
                if not ready:
                    raise self._blocked("taking the bytes") from None
                if ready[0][1] & select.POLLIN:
                    return False
                continue
            except (BrokenPipeError, ConnectionError):
                return False
            data = data[sent:]
        return True

    # Receiving

    def read_all(self) -> bytes:
        """The whole body."""
        body = self.at_once()
        if body is not None:
            return body
        left = self.left
        if left is None:
            return b"".join(iter(lambda: self.read_some(256 << 10), b""))
        buffer = bytearray(left)
        view = memoryview(buffer)
        filled = 0
        while filled < left:
            filled += self.read_into(view[filled:])
        return bytes(buffer)

    def read_some(self, size: int) -> bytes:
        """Some bytes of the body; empty only at its end."""
        buffer = bytearray(size)
        count = self.read_into(memoryview(buffer))
        del buffer[count:]
        return bytes(buffer)
