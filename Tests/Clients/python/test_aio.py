"""The asyncio client: the same promises, on a loop."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Coroutine

import coffer
import coffer.aio
import pytest
from host import Host
from impostor import Impostor, answering, request
from test_failures import CUT, GARBAGE

BIG = os.urandom(5_000_000)
Body = Callable[[coffer.aio.Storage], Coroutine[Any, Any, None]]


@pytest.fixture(params=["files", "scratch"])
def run(request: pytest.FixtureRequest, shared_host: Host, client: coffer.Client) -> Callable[[Body], None]:
    """Runs a body on a loop of its own, with a storage."""

    async def main(body: Body) -> None:
        async with coffer.aio.Client(shared_host.socket) as client:
            await body(client.storage(request.param))

    return lambda body: asyncio.run(main(body))


def test_the_verbs(run: Callable[[Body], None], tmp_path: Path) -> None:
    async def body(storage: coffer.aio.Storage) -> None:
        found = await storage.put("a/b", b"hello", metadata={"x": "ü"}, content_type="a/b")
        assert found == await storage.stat("a/b")
        assert await storage.get("a/b") == b"hello"
        assert await storage.get("a/b", suffix=2) == b"lo"
        assert await storage.exists("a/b")
        assert not await storage.exists("none")
        with pytest.raises(FileNotFoundError):
            await storage.get("none")
        assert (await storage.change("a/b", metadata={"x": None, "y": "1"})).metadata == {"y": "1"}
        assert (await storage.copy("a/b", "c")).key == "c"
        assert (await storage.move("c", "d")).key == "d"
        assert (await storage.duplicate("d")).size == 5
        await storage.delete("d")
        assert (await storage.create(b"x", filename="x.txt")).key.endswith(".txt")
        assert [entry.key async for entry in storage.list("a/")] == ["a/b"]
        assert [entry.key async for entry in storage.list(delimiter="/") if entry.is_prefix] == ["a/"]
        assert len((await storage.page(limit=2)).objects) == 2
        assert [found.error for found in await storage.delete_many(["a/b", "none"])] == [None, None]
        assert (await storage.delete_prefix("", force=True)).count == 2
        assert (await storage.info()).name == storage.name
        assert (await storage.health())["status"] == "ok"
        assert (await storage.client.health())["status"] == "ok"
        assert [info.name for info in await storage.client.storages()] == ["files", "scratch"]
        assert (await storage.client.default_storage()).name == "files"

    run(body)


def test_everything_that_may_be_put(run: Callable[[Body], None], tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(BIG)
    (tmp_path / "small").write_bytes(b"small")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(BIG), 700_001):
            yield BIG[start : start + 700_001]
            await asyncio.sleep(0)

    async def body(storage: coffer.aio.Storage) -> None:
        for data in (BIG, bytearray(BIG), io.BytesIO(BIG), tmp_path / "big", [BIG[:9], b"", BIG[9:]], pieces()):
            assert (await storage.put("k", data)).size == len(BIG)
            assert await storage.get("k") == BIG
        assert (await storage.put("k", tmp_path / "small")).size == 5

    run(body)


def test_reading_in_pieces(run: Callable[[Body], None]) -> None:
    async def body(storage: coffer.aio.Storage) -> None:
        await storage.put("k", BIG)
        async with storage.open("k") as reader:
            assert reader.object.size == len(BIG)
            assert reader.is_direct == (storage.name == "files")
            assert b"".join([piece async for piece in reader]) == BIG
            assert await reader.read() == b""
            reader.seek(-5, io.SEEK_END)
            assert await reader.read(100) == BIG[-5:]
            reader.seek(100)
            assert await reader.read(1000) == BIG[100:1100]
            assert reader.tell() == 1100
            assert await reader.read() == BIG[1100:]
        reader = await storage.open("k", offset=10, length=2_000_000)
        assert await reader.read() == BIG[10:2_000_010]
        reader.close()
        with pytest.raises(ValueError, match="closed"):
            await reader.read()
        with pytest.raises(coffer.NotFound):
            await storage.open("none")

    run(body)


def test_writing_in_pieces(run: Callable[[Body], None]) -> None:
    async def body(storage: coffer.aio.Storage) -> None:
        for length in (None, len(BIG)):
            async with storage.write("k", length=length, content_type="a/b") as writer:
                for start in range(0, len(BIG), 300_000):
                    await writer.write(BIG[start : start + 300_000])
            assert writer.object.content_type == "a/b"
            assert await storage.get("k") == BIG
        with pytest.raises(KeyError):
            async with storage.write("k") as writer:
                await writer.write(BIG)
                raise KeyError
        with pytest.raises(coffer.InvalidArgument):
            async with storage.write("k", length=3) as writer:
                await writer.write(b"ab")
        with pytest.raises(coffer.InvalidKey):
            async with storage.write("../up") as writer:
                for _ in range(1000):
                    await writer.write(BIG)
        assert await storage.get("k") == BIG

    run(body)


def test_a_cancelled_write_leaves_nothing(run: Callable[[Body], None]) -> None:
    async def body(storage: coffer.aio.Storage) -> None:
        begun = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield BIG
                begun.set()

        task = asyncio.create_task(storage.put("k", endless()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await storage.exists("k")

    run(body)


def test_many_at_once(run: Callable[[Body], None]) -> None:
    async def body(storage: coffer.aio.Storage) -> None:
        items = {f"n/{number}": os.urandom(number) for number in range(300)}
        assert [found.key for found in await storage.put_many(items)] == list(items)
        assert await storage.get_many(items) == list(items.values())
        with pytest.raises(coffer.NotFound):
            await storage.get_many(["n/1", "none"])

    run(body)


def test_the_loop_goes_on_while_a_reader_waits() -> None:
    def script(connection: socket.socket) -> None:
        request(connection)
        connection.recv(1)

    async def main(path: str) -> None:
        client = coffer.aio.Client(path)
        task = asyncio.create_task(client.storage("s").get("k"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(coffer.Timeout):
            await coffer.aio.Client(path, timeout=0.01).health()

    with Impostor(script) as impostor:
        asyncio.run(main(impostor.socket))


def test_an_idle_client_finds_the_host_again(own_host: Host) -> None:
    async def main() -> None:
        files = coffer.aio.Client(own_host.socket).storage("files")
        await files.put("k", b"x")
        own_host.restart(signal.SIGKILL)
        assert await files.get("k") == b"x"
        own_host.restart(signal.SIGKILL)
        await files.put("k", b"y")
        async with files.write("big") as writer:
            await writer.write(BIG)
        own_host.stop(signal.SIGKILL)
        with pytest.raises(coffer.Unavailable):
            await files.get("k")
        own_host.start()

    asyncio.run(main())


def test_a_host_that_dies_is_an_error(own_host: Host) -> None:
    async def main() -> None:
        scratch = coffer.aio.Client(own_host.socket).storage("scratch")
        await scratch.put("k", BIG)
        async with scratch.open("k") as reader:
            assert await reader.read(10) == BIG[:10]
            own_host.stop(signal.SIGKILL)
            with pytest.raises(coffer.Unavailable, match="in the middle of its answer"):
                await reader.read()
        own_host.start()
        with pytest.raises(coffer.Unavailable, match="nothing was written"):
            async with scratch.write("k") as writer:
                await writer.write(BIG)
                own_host.stop(signal.SIGKILL)
                await writer.write(BIG)
        own_host.start()

    asyncio.run(main())


@pytest.mark.parametrize("garbage", [*GARBAGE, CUT], ids=range(len(GARBAGE) + 1))
def test_garbage_is_told_as_such(garbage: bytes) -> None:
    async def main(path: str) -> None:
        client = coffer.aio.Client(path)
        for attempt in (client.health(), client.storage("s").stat("k"), client.storage("s").put("k", BIG)):
            with pytest.raises((coffer.Internal, coffer.Unavailable)):
                await attempt

    with Impostor(answering(garbage)) as impostor:
        asyncio.run(main(impostor.socket))


def test_both_clients_have_the_same_verbs() -> None:
    def verbs(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    # What a loop has no use for, and what it has instead of `open` for writing.
    assert verbs(coffer.Storage) - verbs(coffer.aio.Storage) == {"download"}
    assert verbs(coffer.aio.Storage) - verbs(coffer.Storage) == {"write"}
    assert verbs(coffer.Client) == verbs(coffer.aio.Client)
