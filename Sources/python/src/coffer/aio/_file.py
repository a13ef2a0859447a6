"""Reading a file in a loop: at once what is in memory, on a thread what has to come from the disk."""

from __future__ import annotations

import asyncio
import os

from ..errors import BackendError
from ..reader import pread_exactly

# Where the file system or the kernel cannot say whether it would wait, it is taken to.
_NOWAIT = getattr(os, "RWF_NOWAIT", None)
# More than this would hold the loop, however quickly memory gives it.
_AT_ONCE = 1 << 20


async def read_into(fd: int, target: memoryview, offset: int) -> int:
    """Reads some bytes at `offset`; 0 at the end of the file."""
    if _NOWAIT is not None:
        try:
            return os.preadv(fd, [target[:_AT_ONCE]], offset, _NOWAIT)
        except OSError:
            # Not in memory, or nobody knows.
            pass
    try:
        return await asyncio.to_thread(os.preadv, fd, [target], offset)
    except OSError as error:
        raise BackendError(f"reading the object's file: {error.strerror}") from error


async def read_exactly(fd: int, offset: int, length: int) -> bytes:
    """These bytes of a file, all of them."""
    if length <= _AT_ONCE and _NOWAIT is not None:
        buffer = bytearray(length)
        try:
            if os.preadv(fd, [buffer], offset, _NOWAIT) == length:
                return bytes(buffer)
        except OSError:
            pass
    # A copy of the descriptor: the thread may outlive the caller, who closes his.
    own = os.dup(fd)

    def read() -> bytes:
        try:
            return pread_exactly(own, offset, length)
        finally:
            os.close(own)

    return await asyncio.to_thread(read)
