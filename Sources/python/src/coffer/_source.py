"""What may be written: bytes, files, paths, pieces; and how each is best sent."""

from __future__ import annotations

import io
import os
import stat
from typing import IO, Any, Iterable, Iterator, NamedTuple, Union, cast

from .errors import InvalidArgument

Data = Union[bytes, bytearray, memoryview, "os.PathLike[str]", IO[bytes], Iterable[bytes]]
"""Bytes, an open binary file, a `Path` to one, or pieces."""

# From this size on a descriptor is worth more than it costs.
DESCRIPTOR_THRESHOLD = 64 << 10
PIECE = 256 << 10


class Region(NamedTuple):
    """Bytes of a regular file that the host can copy by its descriptor."""

    fd: int
    offset: int
    length: int


class Source:
    """One body, looked at once: bytes as a whole, a region of a file, or pieces of known or unknown length."""

    def __init__(self, data: Data) -> None:
        self.bytes: bytes | memoryview | None = None
        self.region: Region | None = None
        self.length: int | None = None
        self._file: IO[bytes] | None = None
        self._own = False
        self._pieces: Iterable[bytes] = ()
        if isinstance(data, bytes):
            self.bytes = data
        elif isinstance(data, (bytearray, memoryview)):
            self.bytes = memoryview(data).cast("B") if len(data) else b""
        elif isinstance(data, str):
            raise TypeError("an object is bytes: encode the text, or give a pathlib.Path for a file")
        elif isinstance(data, os.PathLike):
            self._take(io.FileIO(data))
            self._own = True
        elif isinstance(data, io.BytesIO):
            self.bytes = data.getbuffer()[data.tell() :]
            self._file = data
        elif hasattr(data, "read"):
            if isinstance(data, io.TextIOBase):
                raise TypeError("an object is bytes: open the file with mode 'rb'")
            self._take(cast("IO[bytes]", data))
        elif hasattr(data, "__iter__"):
            self._pieces = data
        else:
            raise TypeError(f"an object is bytes, a binary file, a path or pieces, not {type(data).__name__}")
        if self.bytes is not None:
            self.length = len(self.bytes)

    def _take(self, file: IO[bytes]) -> None:
        self._file = file
        region = _region(file)
        if region is not None and region.length >= DESCRIPTOR_THRESHOLD:
            self.region = region

    def pieces(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        if self._file is None:
            yield from self._pieces
            return
        while True:
            piece = self._file.read(PIECE)
            if not piece:
                return
            if isinstance(piece, str):
                raise TypeError("an object is bytes: open the file with mode 'rb'")
            yield piece

    @property
    def is_file(self) -> bool:
        """Whether the pieces are read from a file."""
        return self._file is not None

    def done(self) -> None:
        """The host has it all: the caller's file stands at its end."""
        if self._file is not None and not self._own:
            if isinstance(self._file, io.BytesIO):
                self.bytes = None
                self._file.seek(0, io.SEEK_END)
            elif self.region is not None:
                self._file.seek(self.region.offset + self.region.length)

    def close(self) -> None:
        """Closes what was opened here."""
        if self._own and self._file is not None:
            self._file.close()


def _region(file: Any) -> Region | None:
    """From where the file stands to its end, if it is a regular file that may be read; None where it is not."""
    try:
        fd = file.fileno()
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        offset = file.tell()
        size = os.fstat(fd).st_size
    except (AttributeError, OSError, ValueError):
        # Not a file of the system: it has bytes to read, and that is enough.
        return None
    # A decoder such as GzipFile has the descriptor of something else than what it reads.
    if not isinstance(file, (io.FileIO, io.BufferedReader, io.BufferedRandom)) and type(file).__module__ != "tempfile":
        return None
    if isinstance(file, io.BufferedReader) and not isinstance(file.raw, io.FileIO):
        return None
    if offset > size:
        raise InvalidArgument("the file stands behind its end")
    return Region(fd, offset, size - offset)
