"""Objects as files: reading with seek, writing with commit and abort, and everything that may be put."""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import mmap
import os
import tempfile
import zipfile
from pathlib import Path

import coffer
import pytest
from host import Host

BIG = os.urandom(3_000_000)


def test_a_reader_is_a_file(storage: coffer.Storage) -> None:
    storage.put("big", BIG, content_type="a/b")
    with storage.open("big") as reader:
        assert issubclass(type(reader), io.BufferedReader)
        assert (reader.object.content_type, reader.length, reader.key) == ("a/b", len(BIG), "big")
        assert reader.read(10) == BIG[:10]
        assert reader.tell() == 10
        assert reader.seek(-10, io.SEEK_END) == len(BIG) - 10
        assert reader.read() == BIG[-10:]
        assert reader.read(5) == b""
        assert reader.seek(len(BIG) + 5) == len(BIG) + 5
        assert reader.read(5) == b""
        reader.seek(1000)
        buffer = bytearray(2_000_000)
        assert reader.readinto(buffer) == len(buffer)
        assert buffer == BIG[1000:2_001_000]
        reader.seek(0)
        assert hashlib.sha256(reader.read()).digest() == hashlib.sha256(BIG).digest()
    with pytest.raises(ValueError, match="closed"):
        reader.read(1)
    with storage.open("big", offset=100, length=50) as part:
        assert (part.read(), part.length, part.object.size) == (BIG[100:150], 50, len(BIG))
    with storage.open("big", suffix=50) as part:
        part.seek(40)
        assert part.read() == BIG[-10:]


def test_a_reader_that_is_left_serves_the_next(storage: coffer.Storage) -> None:
    storage.put("big", BIG)
    for _ in range(3):
        with storage.open("big") as reader:
            reader.read(1)
        with storage.open("big") as reader:
            reader.seek(1_000_000)
            assert reader.read(3) == BIG[1_000_000:1_000_003]
            reader.seek(10)
            assert reader.read(3) == BIG[10:13]


def test_a_seek_never_mixes_two_versions(client: coffer.Client) -> None:
    scratch = client.storage("scratch")
    scratch.put("k", BIG)
    with scratch.open("k", buffering=0) as reader:
        assert reader.read(1000) == BIG[:1000]
        scratch.put("k", BIG[::-1])
        reader.seek(2_000_000)
        with pytest.raises(coffer.Changed):
            reader.read(1000)


def test_text_has_lines(storage: coffer.Storage) -> None:
    with storage.open("t.txt", "w") as writer:
        print("größer", "line two", sep="\n", file=writer)
    assert writer.object.size == 18
    with storage.open("t.txt", "r") as reader:
        assert list(reader) == ["größer\n", "line two\n"]
    with storage.open("t.txt", "w", encoding="utf-16") as writer:
        writer.write("x")
    assert storage.get("t.txt").decode("utf-16") == "x"


def test_a_zip_file_lies_in_an_object(storage: coffer.Storage) -> None:
    with storage.open("a.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one.txt", b"1" * 100_000)
        archive.writestr("two.txt", b"2")
    with storage.open("a.zip") as reader, zipfile.ZipFile(reader) as archive:
        assert archive.read("two.txt") == b"2"
        assert archive.testzip() is None


def test_an_object_of_its_own_file_can_be_mapped(client: coffer.Client) -> None:
    files = client.storage("files")
    files.put("big", BIG)
    with files.open("big") as reader, mmap.mmap(reader.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[-5:] == BIG[-5:]
    client.storage("scratch").put("big", BIG)
    with client.storage("scratch").open("big") as reader, pytest.raises(OSError, match="file of its own"):
        reader.fileno()


@pytest.mark.parametrize("size", [100, 1_000_000])
@pytest.mark.parametrize("mode", ["wb", "w"])
def test_an_exception_leaves_what_was_there(storage: coffer.Storage, mode: str, size: int) -> None:
    storage.put("k", b"old")
    for kind in (KeyError, KeyboardInterrupt, SystemExit):
        with pytest.raises(kind), storage.open("k", mode) as writer:
            writer.write("x" * size if mode == "w" else b"x" * size)
            raise kind
        assert writer.closed
    assert storage.get("k") == b"old"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_writer_that_is_forgotten_writes_nothing(storage: coffer.Storage) -> None:
    for mode, data in (("wb", b"x" * 1_000_000), ("wb", b"x"), ("w", "x")):
        writer = storage.open("k", mode)
        writer.write(data)
        del writer
        gc.collect()
    assert not storage.exists("k")
    with pytest.warns(ResourceWarning, match="k was not closed"):
        writer = storage.open("k", "wb")
        del writer
        gc.collect()


def test_a_writer_is_given_up(storage: coffer.Storage) -> None:
    writer = storage.open("k", "wb")
    writer.write(BIG)
    writer.abort()
    with pytest.raises(coffer.Cancelled):
        writer.write(b"x")
    writer.close()
    writer.close()
    assert not storage.exists("k")
    with pytest.raises(ValueError, match="not written before"):
        _ = writer.object


def test_a_length_that_is_not_kept_writes_nothing(storage: coffer.Storage) -> None:
    with pytest.raises(coffer.InvalidArgument, match="more bytes"), storage.open("k", "wb", length=5) as writer:
        writer.write(b"123456")
    for size in (5, 1_000_000):
        with pytest.raises(coffer.InvalidArgument, match="fewer"), storage.open("k", "wb", length=size) as writer:
            writer.write(b"x" * (size - 1))
    assert not storage.exists("k")


def test_mode_x_writes_once(storage: coffer.Storage) -> None:
    with storage.open("k", "xb") as writer:
        writer.write(b"first")
    with pytest.raises(FileExistsError):
        storage.open("k", "xb")
    storage.delete("k")
    with pytest.raises(FileExistsError), storage.open("k", "x") as late:
        storage.put("k", b"in between")
        late.write("late")
    assert storage.get("k") == b"in between"


def test_a_mode_that_nobody_knows_is_an_error(storage: coffer.Storage) -> None:
    for mode in ("a", "ab", "rb+", "rt+", "", "q"):
        with pytest.raises(ValueError, match="mode is"):
            storage.open("k", mode)
    with pytest.raises(ValueError, match="go with text"):
        storage.open("k", "rb", encoding="utf-8")


def test_an_early_refusal_is_heard_while_writing(client: coffer.Client) -> None:
    with pytest.raises(coffer.InvalidKey), client.storage("files").open("../up", "wb") as writer:
        for _ in range(1000):
            writer.write(BIG)


def test_everything_that_may_be_put(storage: coffer.Storage, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(BIG)
    (tmp_path / "small").write_bytes(b"small")
    with gzip.open(tmp_path / "packed", "wb") as packed:
        packed.write(BIG)
    for data in (BIG, bytearray(BIG), memoryview(BIG), io.BytesIO(BIG), tmp_path / "big", [BIG[:10], b"", BIG[10:]]):
        assert storage.put("k", data).size == len(BIG)
        assert storage.get("k") == BIG
    assert storage.put("k", tmp_path / "small").size == 5
    # One that grows while it is read is taken as far as it is then.
    with open(tmp_path / "small", "ab") as growing, open(tmp_path / "small", "rb") as file:
        growing.write(b"er")
        growing.flush()
        assert storage.put("k", file).size == 7
    with open(tmp_path / "big", "rb") as file:
        file.read(10)
        storage.put("k", file)
        assert file.tell() == len(BIG)
    assert storage.get("k") == BIG[10:]
    # Its descriptor is that of the packed bytes, which are not what it reads.
    with gzip.open(tmp_path / "packed", "rb") as unpacked:
        storage.put("k", unpacked)
    assert storage.get("k") == BIG
    with tempfile.TemporaryFile() as file:
        file.write(BIG)
        file.seek(0)
        storage.put("k", file)
    assert storage.get("k") == BIG
    with storage.open("k") as other:
        storage.put("k2", other)
    assert storage.get("k2") == BIG
    read, write = os.pipe()
    os.write(write, b"through a pipe")
    os.close(write)
    with open(read, "rb") as pipe:
        storage.put("k", pipe)
    assert storage.get("k") == b"through a pipe"


def test_what_may_not_be_put(storage: coffer.Storage, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    with open(tmp_path / "text") as text, pytest.raises(TypeError, match="mode 'rb'"):
        storage.put("k", text)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="encode the text"):
        storage.put("k", "text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        storage.put("k", 5)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        storage.put("k", tmp_path / "absent")
    with pytest.raises(ZeroDivisionError):
        storage.put("k", (bytes(1_000_000 // n) for n in (1, 2, 0)))
    assert not storage.exists("k")


def test_a_download_is_there_whole_or_not_at_all(storage: coffer.Storage, tmp_path: Path) -> None:
    storage.put("k", BIG)
    assert storage.download("k", tmp_path / "out").size == len(BIG)
    assert (tmp_path / "out").read_bytes() == BIG
    with pytest.raises(FileNotFoundError):
        storage.download("absent", tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        storage.download("k", tmp_path / "no" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_many_at_once(storage: coffer.Storage) -> None:
    items = {f"n/{number}": os.urandom(number * 7) for number in range(500)}
    found = storage.put_many(items)
    assert [one.key for one in found] == list(items)
    assert storage.get_many(items) == list(items.values())
    with pytest.raises(coffer.NotFound):
        storage.get_many(["n/1", "absent", "n/2"])
    assert storage.get_many([]) == []
    storage.put("big", BIG)
    assert storage.get_many(["big", "n/3", "big"], concurrency=1) == [BIG, items["n/3"], BIG]


def test_short_lines(storage: coffer.Storage, shared_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFER_SOCKET", shared_host.socket)
    name = storage.name
    coffer.put(f"{name}:a.txt", b"hello")
    assert coffer.get(f"{name}:a.txt") == b"hello"
    with coffer.open(f"{name}:a.txt", "rb") as file:
        assert file.read() == b"hello"
    assert coffer.copy(f"{name}:a.txt", "b.txt").storage == name
    assert coffer.move(f"{name}:b.txt", "files:c.txt").storage == "files"
    assert coffer.exists("c.txt")
    assert coffer.stat("c.txt").size == 5
    assert [found.key for found in coffer.list(f"{name}:a")] == ["a.txt"]
    assert coffer.duplicate(f"{name}:a.txt").key.endswith(".txt")
    assert coffer.url("files:c.txt") == "https://files.example.org/c.txt"
    coffer.delete("c.txt")
    assert not coffer.exists("files:c.txt")


def test_an_object_says_what_is_known(storage: coffer.Storage) -> None:
    found = storage.put("k", b"x", metadata={"a": "b"})
    assert found == storage.stat("k")
    assert len({found, storage.stat("k")}) == 1
    assert found.modified is not None
    assert found.modified.utcoffset() is not None
    assert "key='k'" in repr(found)
    assert (found.version, found.is_prefix, found.metadata) == (None, False, {"a": "b"})
    assert found.checksum is not None
    assert found.checksum.value == hashlib.sha256(b"x").hexdigest()
    info = storage.info()
    assert (info.name, info.state, info.grade("create_if_absent"), info.grade("flying")) == (
        storage.name,
        "open",
        "native",
        "none",
    )
    assert info.problem is None
