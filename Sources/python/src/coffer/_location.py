"""Where the host's socket is looked for; the same order in every client."""

from __future__ import annotations

import os


def locate(socket: str | os.PathLike[str] | None = None) -> str:
    """The path of the socket.

    `socket` if given, then `COFFER_SOCKET`; else the first that exists of `$XDG_RUNTIME_DIR/coffer/coffer.sock` and
    `/run/coffer/coffer.sock`, and the first of the two where none does, so that a message can name it.
    """
    if socket is not None:
        return os.fspath(socket)
    named = os.environ.get("COFFER_SOCKET")
    if named:
        return named
    places = ["/run/coffer/coffer.sock"]
    folder = os.environ.get("XDG_RUNTIME_DIR")
    if folder:
        places.insert(0, f"{folder}/coffer/coffer.sock")
    return next((place for place in places if os.path.exists(place)), places[0])
