"""Replays Tests/Scenarios with the Python client: see the README there."""

from __future__ import annotations

import asyncio
import atexit
import base64
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import coffer
import coffer.aio
from host import ROOT, Host

FOLDER = ROOT / "Tests/Scenarios"
EMPTIED = ("files", "scratch", "strict", "renaming", "limited", "linking", "failing")
TERMS = (
    "on_conflict if_match if_none_match content_type content_encoding content_disposition content_language "
    "cache_control metadata checksums idempotency_key"
).split()
RANGE = "offset length suffix if_match if_none_match".split()
CONTENT = "content_type content_encoding content_disposition content_language cache_control metadata".split()
TRANSFER = "to_storage on_conflict if_match if_none_match source_if_match".split()
Document = Dict[str, Any]


class Wrong(AssertionError):
    """A step that is not as the scenario says."""


def scenarios() -> Iterator[tuple[str, str, Document]]:
    """Every scenario, for each of its storages, with a name to call it by."""
    for file in sorted(FOLDER.glob("*.json")):
        for scenario in json.loads(file.read_text())["scenarios"]:
            for storage in scenario["each"]:
                yield f"{file.stem}: {scenario['name']} [{storage}]", storage, scenario


_bodies: Dict[tuple[int, int], bytes] = {}


def body(spec: Document) -> bytes:
    """The bytes that a body means."""
    if "text" in spec:
        data: bytes = spec["text"].encode()
    elif "base64" in spec:
        data = base64.b64decode(spec["base64"])
    else:
        data = _generated(spec["size"], spec["seed"])
    if "slice" in spec:
        data = data[spec["slice"][0] : spec["slice"][1]]
    return data


def _generated(size: int, seed: int) -> bytes:
    if (size, seed) not in _bodies:
        state, data = seed, bytearray(size)
        for index in range(size):
            state = (1664525 * state + 1013904223) & 0xFFFFFFFF
            data[index] = state >> 24
        _bodies[size, seed] = bytes(data)
    return _bodies[size, seed]


def matches(expected: Any, found: Any) -> bool:
    """Whether `found` is what is expected, which may be a matcher."""
    if isinstance(expected, dict):
        if isinstance(found, bytes):
            return found == body(expected)
        if set(expected) == {"any"}:
            return found is not None
        if set(expected) == {"not"}:
            return not matches(expected["not"], found)
        if expected and set(expected) <= {"starts", "ends"}:
            return (
                isinstance(found, str)
                and found.startswith(expected.get("starts", ""))
                and found.endswith(expected.get("ends", ""))
            )
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return all(matches(one, other) for one, other in zip(expected, found))
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (expected, found))
    return (numbers or type(expected) is type(found)) and bool(expected == found)


def scenarios_host() -> Host:
    """A host as the scenarios need it."""
    return Host((FOLDER / "coffer.yaml").read_text(), fixtures={"tiny.so": ["-DLINKS", "tiny.c"]})


class Replay:
    """One run of one scenario."""

    def __init__(self, client: coffer.Client, storage: str) -> None:
        self.client = client
        self.name = storage
        self.saved: Dict[str, Any] = {"storage": storage}

    def run(self, scenario: Document) -> None:
        for name in EMPTIED:
            self.client.storage(name).delete_prefix("", force=True)
        for number, step in enumerate(scenario["steps"], 1):
            try:
                self.step(self.filled(step))
            except Wrong as error:
                raise Wrong(f"step {number} ({step['call']}): {error}") from error.__cause__

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda found: str(self.saved[found.group(1)]), value)
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {name: self.filled(item) for name, item in value.items()}
        return value

    def step(self, step: Document) -> None:
        verb: Callable[..., Any] = getattr(Verbs, step.pop("call"))
        storage = self.client.storage(step.pop("storage", self.name))
        gives, fails, save = step.pop("gives", {}), step.pop("fails", None), step.pop("save", {})
        try:
            # An argument that the verb does not know is a TypeError.
            result = verb(storage, **step)
        except coffer.CofferError as error:
            if fails is None:
                raise Wrong(f"failed with {error.code}: {error}") from error
            self.compare(fails, {**error.__dict__, "code": error.code})
            return
        if fails is not None:
            raise Wrong(f"gave {result} instead of failing with {fails}")
        self.compare(gives, result or {})
        for name, member in save.items():
            self.saved[name] = result[member]

    def compare(self, expected: Document, found: Document) -> None:
        for name, value in expected.items():
            if name not in found or not matches(value, found[name]):
                raise Wrong(f"{name} is {str(found.get(name))[:200]!r}, expected {str(value)[:200]!r}")


class Verbs:
    """What each verb is in Python; arguments are those of the README."""

    @staticmethod
    def put(storage: coffer.Storage, key: str, body: Document, **terms: Any) -> Document:
        return storage.put(key, bytes_of(body), **only(terms, TERMS)).document

    @staticmethod
    def put_file(storage: coffer.Storage, key: str, body: Document, **terms: Any) -> Document:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "body")
            path.write_bytes(bytes_of(body))
            return storage.put(key, path, **only(terms, TERMS)).document

    @staticmethod
    def put_stream(
        storage: coffer.Storage, key: str, body: Document, piece: int, announced: bool = False, **terms: Any
    ) -> Document:
        data = bytes_of(body)
        length = len(data) if announced else None
        with storage.open(key, "wb", length=length, **only(terms, TERMS)) as writer:
            for start in range(0, len(data), piece):
                writer.write(data[start : start + piece])
        document: Document = writer.object.document
        return document

    @staticmethod
    def abandon(
        storage: coffer.Storage, key: str, body: Document, piece: int, after: int, announced: bool = False, **terms: Any
    ) -> None:
        data = bytes_of(body)
        writer = storage.open(key, "wb", length=len(data) if announced else None, **only(terms, TERMS))
        for start in range(0, after, piece):
            writer.write(data[start : min(start + piece, after)])
        writer.abort()
        writer.close()

    @staticmethod
    def create(storage: coffer.Storage, body: Document, **terms: Any) -> Document:
        return storage.create(bytes_of(body), **only(terms, [*TERMS, "filename", "location"])).document

    @staticmethod
    def get(storage: coffer.Storage, key: str, **part: Any) -> Document:
        return {"body": storage.get(key, **only(part, RANGE))}

    @staticmethod
    def read(storage: coffer.Storage, key: str, piece: int, **part: Any) -> Document:
        with storage.open(key, buffering=0, **only(part, RANGE)) as reader:
            pieces = []
            while data := reader.read(piece):
                assert len(data) <= piece
                pieces.append(data)
            found = reader.object
            return {
                "body": b"".join(pieces),
                "size": found.size,
                "content_type": found.content_type,
                "etag": found.etag,
            }

    @staticmethod
    def seek(storage: coffer.Storage, key: str, reads: list[list[int]]) -> Document:
        bodies = []
        with storage.open(key) as reader:
            for position, count in reads:
                reader.seek(position)
                bodies.append(reader.read(count))
        return {"bodies": bodies}

    @staticmethod
    def stat(storage: coffer.Storage, key: str, **conditions: Any) -> Document:
        return storage.stat(key, **only(conditions, ["if_match", "if_none_match"])).document

    @staticmethod
    def exists(storage: coffer.Storage, key: str) -> Document:
        return {"exists": storage.exists(key)}

    @staticmethod
    def list(storage: coffer.Storage, **which: Any) -> Document:
        found = [*storage.list(**only(which, ["prefix", "delimiter", "start_after"]))]
        return {
            "keys": [entry.key for entry in found if not entry.is_prefix],
            "prefixes": [entry.key for entry in found if entry.is_prefix],
        }

    @staticmethod
    def page(storage: coffer.Storage, **which: Any) -> Document:
        page = storage.page(**only(which, ["prefix", "delimiter", "start_after", "cursor", "limit"]))
        return {"keys": [found.key for found in page.objects], "prefixes": page.prefixes, "cursor": page.cursor}

    @staticmethod
    def delete(storage: coffer.Storage, key: str, **conditions: Any) -> None:
        storage.delete(key, **only(conditions, ["if_match"]))

    @staticmethod
    def delete_many(storage: coffer.Storage, keys: Any) -> Document:
        pairs = [key if isinstance(key, str) else (key["key"], key["if_match"]) for key in keys]
        results = storage.delete_many(pairs)
        return {"results": [{"key": found.key, "code": found.error and found.error.code} for found in results]}

    @staticmethod
    def delete_prefix(storage: coffer.Storage, prefix: str, **how: Any) -> Document:
        result = storage.delete_prefix(prefix, **only(how, ["dry_run", "force"]))
        return {"count": result.count, "keys": result.keys}

    @staticmethod
    def copy(storage: coffer.Storage, key: str, to: str, **terms: Any) -> Document:
        return storage.copy(key, to, **only(terms, TRANSFER)).document

    @staticmethod
    def move(storage: coffer.Storage, key: str, to: str, **terms: Any) -> Document:
        return storage.move(key, to, **only(terms, TRANSFER)).document

    @staticmethod
    def duplicate(storage: coffer.Storage, key: str, **terms: Any) -> Document:
        return storage.duplicate(key, **only(terms, ["to_storage"])).document

    @staticmethod
    def change(storage: coffer.Storage, key: str, **terms: Any) -> Document:
        return storage.change(key, **only(terms, [*CONTENT, "if_match"])).document

    @staticmethod
    def url(storage: coffer.Storage, key: str) -> Document:
        return {"url": storage.url(key)}

    @staticmethod
    def link(storage: coffer.Storage, key: str, **terms: Any) -> Document:
        link = storage.link(key, **only(terms, ["method", "expires_in", "content_type", "size", "filename"]))
        end = link.expires_at and link.expires_at.isoformat().replace("+00:00", "Z")
        headers = dict(link.required_headers)
        return {"url": link.url, "method": link.method, "expires_at": end, "required_headers": headers}

    @staticmethod
    def containers(storage: coffer.Storage) -> Document:
        return {"names": [found.name for found in storage.containers()]}

    @staticmethod
    def make_container(storage: coffer.Storage, name: str) -> None:
        storage.make_container(name)

    @staticmethod
    def remove_container(storage: coffer.Storage, name: str) -> None:
        storage.remove_container(name)

    @staticmethod
    def info(storage: coffer.Storage) -> Document:
        return storage.info().document

    @staticmethod
    def check(storage: coffer.Storage) -> Document:
        return dict(storage.health())

    @staticmethod
    def make_storage(storage: coffer.Storage, name: str, settings: Document) -> Document:
        return storage.client.make_storage(name, settings).document

    @staticmethod
    def drop_storage(storage: coffer.Storage, name: str) -> None:
        storage.client.drop_storage(name)

    @staticmethod
    def storages(storage: coffer.Storage) -> Document:
        found = storage.client.storages()
        return {"names": [info.name for info in found], "default": next(info.name for info in found if info.is_default)}

    @staticmethod
    def health(storage: coffer.Storage) -> Document:
        return dict(storage.client.health())

    @staticmethod
    def version(storage: coffer.Storage) -> Document:
        return dict(storage.client.version())

    @staticmethod
    def profiles(storage: coffer.Storage) -> Document:
        return dict(storage.client.profiles())

    @staticmethod
    def plugins(storage: coffer.Storage) -> Document:
        return {"plugins": storage.client.plugins()}

    @staticmethod
    def activate(storage: coffer.Storage, profile: str) -> Document:
        return dict(storage.client.activate(profile))

    @staticmethod
    def reload(storage: coffer.Storage) -> Document:
        return dict(storage.client.reload())


def only(arguments: Document, known: list[str]) -> Document:
    """`arguments`, if a scenario may say all of them here."""
    unknown = set(arguments) - set(known)
    if unknown:
        raise TypeError(f"a verb does not know {', '.join(sorted(unknown))}")
    return arguments


bytes_of = body


def main() -> int:
    """Replays everything with this Python and nothing but the standard library."""
    # Also where a replayer fails, nothing is left running.
    host = scenarios_host()
    atexit.register(host.stop)
    failures, passed, skipped = 0, 0, 0
    with coffer.Client(host.socket) as client:
        paths = client.openapi()["paths"]
        for name, storage, scenario in scenarios():
            method, _, path = scenario.get("route", "").partition(" ")
            if path and method.lower() not in paths.get(path, {}):
                skipped += 1
                continue
            try:
                Replay(client, storage).run(scenario)
                passed += 1
            except Wrong as error:
                failures += 1
                print(f"{name}: {error}")
    asyncio.run(_loop(host.socket))
    host.end()
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"python {version}: {passed} scenarios passed, {failures} failed, {skipped} skipped, asyncio passed")
    return 1 if failures else 0


async def _loop(path: str) -> None:
    data = bytes(range(256)) * 4096
    async with coffer.aio.Client(path) as client:
        for name in ("files", "scratch"):
            storage = client.storage(name)
            await storage.delete_prefix("", force=True)
            await storage.put("a", data)
            async with storage.write("b") as writer:
                await writer.write(data)
            async with storage.open("b") as reader:
                assert await reader.read() == data
            assert await storage.get_many(["a", "b"]) == [data, data]
            assert [entry.key async for entry in storage.list()] == ["a", "b"]


if __name__ == "__main__":
    sys.exit(main())
