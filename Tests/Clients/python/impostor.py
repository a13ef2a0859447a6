"""Something that is no host, and answers each connection as a test says: for failures that no host makes."""

from __future__ import annotations

import socket
import tempfile
import threading
from pathlib import Path
from typing import Callable, Optional

Script = Callable[[socket.socket], None]


class Impostor:
    """Listens on a Unix socket; each connection is handled by the script, on a thread of its own."""

    def __init__(self, script: Script) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="coffer-")
        self.socket = str(Path(self._folder.name, "impostor.sock"))
        self.requests = 0
        self._script = script
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.socket)
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._script(connection)
            except OSError:
                # The client went away, which is what some tests want.
                pass

    def __enter__(self) -> Impostor:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would leave the thread in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._folder.cleanup()


def request(connection: socket.socket) -> bytes:
    """The head of one request; empty where the client closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def answering(*answers: bytes, then: Optional[Script] = None) -> Script:
    """Answers the requests of a connection with these bytes, one after the other, and closes."""

    def script(connection: socket.socket) -> None:
        for answer in answers:
            if not request(connection):
                return
            connection.sendall(answer)
        if then is not None:
            then(connection)

    return script
