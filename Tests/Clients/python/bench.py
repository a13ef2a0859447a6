"""Measures the Python client in turn with a floor, A B A B …: only ratios of one run mean something."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import os
import socket
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import coffer
import coffer.aio
from coffer.fsspec import CofferFileSystem
from host import BUILD, ROOT, Host

Work = Callable[[], object]
ROUNDS = 9


Clock = Callable[[], float]


def timed(work: Work, times: int, clock: Clock) -> float:
    start = clock()
    for _ in range(times):
        work()
    return (clock() - start) / times


class Table:
    """Rows of ratios, each with its target."""

    def __init__(self) -> None:
        print("| row | measured | target | verdict |\n| --- | --- | --- | --- |")

    def row(
        self,
        name: str,
        ours: Work,
        floor: Work,
        times: int,
        most: float | None,
        rounds: int = ROUNDS,
        clock: Clock = time.perf_counter,
    ) -> None:
        """`ours` takes so many times as long as `floor`: `most` is the target, or None to report alone."""
        pairs: List[Tuple[float, float]] = []
        ours(), floor()
        for _ in range(rounds):
            base = timed(floor, times, clock)
            pairs.append((timed(ours, times, clock), base))
        ratios = sorted(one / base for one, base in pairs)
        ratio = statistics.median(ratios)
        ours_time, base_time = (statistics.median(column) for column in zip(*pairs))
        verdict = "–" if most is None else "reached" if ratio <= most else "missed"
        target = "–" if most is None else f"at most {most:.2f}x"
        spread = f"{ratios[0]:.2f}–{ratios[-1]:.2f}"
        print(f"| {name} | {ratio:.2f}x [{spread}] ({shown(ours_time)}; {shown(base_time)}) | {target} | {verdict} |")


def shown(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


class Raw:
    """As little as a client in Python can do: bytes that are ready, and no look at the answer but for its length."""

    def __init__(self, path: str, storage: str, key: str, size: int) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.request = f"GET /v1/storages/{storage}/objects/{key} HTTP/1.1\r\nHost: coffer\r\n\r\n".encode()
        self.size = size

    def get(self) -> bytes:
        self.socket.sendall(self.request)
        data = self.socket.recv(65536)
        end = data.index(b"\r\n\r\n") + 4
        while len(data) < end + self.size:
            data += self.socket.recv(65536)
        return data[end:]


def main() -> None:
    host = Host()
    client = coffer.Client(host.socket)
    table = Table()
    for name in ("scratch", "files"):
        storage = client.storage(name)
        storage.put("k", os.urandom(1024))
        raw = Raw(host.socket, name, "k", 1024)
        read = functools.partial(storage.get, "k")
        table.row(f"get 1 KiB from {name}, against bare send and recv", read, raw.get, 1000, 2.0)

    loop = asyncio.new_event_loop()
    later = coffer.aio.Client(host.socket).storage("scratch")
    raw = Raw(host.socket, "scratch", "k", 1024)

    async def some() -> None:
        for _ in range(100):
            await later.get("k")

    def as_many() -> None:
        for _ in range(100):
            raw.get()

    table.row("the same by asyncio", lambda: loop.run_until_complete(some()), as_many, 5, None)

    files = client.storage("files")
    size = 1 << 30 if os.environ.get("COFFER_SCALE") == "full" else 1 << 28
    name_of_size = "1 GiB" if size == 1 << 30 else "256 MiB"
    with tempfile.TemporaryDirectory(dir=host.folder) as folder:
        path = Path(folder, "big")
        with open(path, "wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
        files.put("big", path)
        # The very file that the host keeps: how a file was written decides how quickly it is read.
        path = host.folder / "files" / "big"

        def plain() -> int:
            with open(path, "rb") as file:
                return len(file.read())

        def ours() -> int:
            with files.open("big") as file:
                return len(file.read())

        # Both are one call of the kernel into new memory. By the clock on the wall, what else the machine does decides:
        # by the time of the processor, what is done.
        for how, whole in {"read": ours, "get": lambda: files.get("big")}.items():
            name = f"{how} of {name_of_size} by descriptor, against open().read()"
            table.row(f"{name}, time of the processor", whole, plain, 1, 1 / 0.95, rounds=5, clock=time.process_time)
            table.row(f"{name}, on the wall", whole, plain, 1, None, rounds=5)
        buffer = bytearray(1 << 20)

        def pieces(opened: Callable[[], object]) -> None:
            with opened() as file:  # type: ignore[attr-defined]
                while file.readinto(buffer):
                    pass

        table.row(
            f"{name_of_size} in pieces of 1 MiB, against open(buffering=0)",
            lambda: pieces(lambda: files.open("big", buffering=0)),
            lambda: pieces(lambda: open(path, "rb", buffering=0)),
            1,
            1 / 0.95,
            rounds=5,
        )

    fs = CofferFileSystem(host.socket)
    for name in ("scratch", "files"):
        storage = client.storage(name)
        names = [f"{name}/many/{number}" for number in range(1000)]
        fs.pipe({one: os.urandom(1000) for one in names})
        keys = [one.partition("/")[2] for one in names]

        def one_by_one(storage: coffer.Storage = storage, keys: List[str] = keys) -> None:
            for key in keys:
                storage.get(key)

        def by_threads(storage: coffer.Storage = storage, keys: List[str] = keys) -> None:
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(storage.get, keys))

        together = lambda names=names: fs.cat(names)  # noqa: E731
        table.row(f"fsspec cat of 1,000 objects from {name}, against one by one", together, one_by_one, 1, 1.0)
        table.row(f"the same from {name}, against 16 threads", together, by_threads, 1, 1.0)
    host.end()
    through_s3(table)


def by_obstore(facts: Dict[str, str], names: List[str]) -> Work:
    """Reads the same objects by obstore, all at once."""
    import obstore

    bucket = names[0].partition("/")[0]
    store = obstore.store.S3Store(
        bucket,
        endpoint=facts["S3_ENDPOINT"],
        access_key_id=facts["S3_ACCESS_KEY"],
        secret_access_key=facts["S3_SECRET_KEY"],
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )

    async def one(name: str) -> object:
        return await (await obstore.get_async(store, name)).bytes_async()

    async def every() -> List[object]:
        return await asyncio.gather(*(one(name.partition("/")[2]) for name in names))

    return lambda: asyncio.run(every())


def through_s3(table: Table) -> None:
    """Against s3fs on the same server, where the build has the plugin, and a server and s3fs are here."""
    servers = ROOT / "Tests/Servers/rclone-s3"
    missing = [
        what
        for what, there in {
            "libcoffer-s3.so": (BUILD / "libcoffer-s3.so").exists(),
            "Tests/Servers/rclone-s3": (servers / "start").exists(),
            "rclone": (ROOT / ".build/venv/bin/rclone").exists(),
            "s3fs": importlib.util.find_spec("s3fs") is not None,
        }.items()
        if not there
    ]
    if missing:
        print(f"| fsspec cat of 1,000 objects through S3, against s3fs | skipped: no {', no '.join(missing)} | – | – |")
        return
    import s3fs

    with tempfile.TemporaryDirectory(prefix="coffer-s3-") as folder:
        said = subprocess.run([servers / "start", folder], capture_output=True, text=True, check=True).stdout
        facts = dict(line.split("=", 1) for line in said.split())
        host = Host(
            "storages:\n  bench: { backend: s3, on_conflict: replace, conditions: none, create: true, "
            f"region: us-east-1, endpoint: '{facts['S3_ENDPOINT']}', access_key: '{facts['S3_ACCESS_KEY']}', "
            f"secret_key: '{facts['S3_SECRET_KEY']}' }}\n"
        )
        try:
            peer = s3fs.S3FileSystem(
                key=facts["S3_ACCESS_KEY"], secret=facts["S3_SECRET_KEY"], endpoint_url=facts["S3_ENDPOINT"]
            )
            fs = CofferFileSystem(host.socket)
            names = [f"bench/many/{number}" for number in range(1000)]
            fs.pipe({name: os.urandom(1000) for name in names})
            ours, theirs = functools.partial(fs.cat, names), functools.partial(peer.cat, names)
            table.row("fsspec cat of 1,000 objects through S3, against s3fs", ours, theirs, 1, 1.0, rounds=3)
            if importlib.util.find_spec("obstore") is not None:
                table.row("the same, against obstore and asyncio", ours, by_obstore(facts, names), 1, None, rounds=3)
        finally:
            host.end()
            subprocess.run([servers / "stop", folder], check=True)


main()
