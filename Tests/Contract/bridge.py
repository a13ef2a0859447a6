"""Lets programs that speak only TCP reach a host on its Unix socket.

The port is the kernel's choice, on the loopback address, for as long as the bridge runs.
"""

import asyncio
import threading


class Bridge:
    """Carries bytes between a TCP port and the Unix socket at `path`; changes none."""

    def __init__(self, path):
        self.path = path
        self.port = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _listen(self):
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader, writer):
        try:
            host_reader, host_writer = await asyncio.open_unix_connection(self.path)
        except OSError:
            # The client sees what there is to see: the host does not answer.
            writer.close()
            return
        await asyncio.gather(_carry(reader, host_writer), _carry(host_reader, writer))
        host_writer.close()
        writer.close()


async def _carry(reader, writer):
    """Copies until the end of one side, and ends the other side's half as well."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # One side is gone; the other hears of it by the end of its connection.
        writer.close()
