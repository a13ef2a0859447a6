"""The client for asyncio: the verbs of `coffer.Storage`, awaited, on the running loop and without threads.

    import coffer.aio

    async with coffer.aio.Client() as client:
        files = client.storage("files")
        await files.put("greeting.txt", b"hello")
        async with files.open("greeting.txt") as reader:
            async for piece in reader:
                ...

Only a file that has to come from the disk first is read on a thread, so that the loop does not wait for the disk.
"""

from ._client import Client
from ._reader import Reader
from ._storage import Storage
from ._writer import Writer

__all__ = ["Client", "Reader", "Storage", "Writer"]
