"""coffer:// beyond fsspec's own suite: listings, slices, many at once, transactions, pandas and pyarrow."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import coffer
import fsspec
import pandas
import pyarrow.fs
import pyarrow.parquet
import pytest
from coffer.fsspec import CofferFileSystem
from host import Host


@pytest.fixture
def fs(shared_host: Host, client: coffer.Client) -> CofferFileSystem:
    return CofferFileSystem(shared_host.socket)


@pytest.fixture(params=["files", "scratch"])
def top(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_protocol_is_registered(shared_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFER_SOCKET", shared_host.socket)
    try:
        fs = fsspec.filesystem("coffer")
    except ValueError:
        # From the sources nothing registers it; the wheel's entry point is tested with the wheel.
        fsspec.register_implementation("coffer", CofferFileSystem)
        fs = fsspec.filesystem("coffer")
    with fsspec.open("coffer://scratch/a.txt", "w") as file:
        file.write("hello")
    assert fs.cat("scratch/a.txt") == b"hello"
    assert fs.unstrip_protocol("scratch/a.txt") == "coffer://scratch/a.txt"
    with fsspec.open("coffer://scratch/a.gz", "wt", compression="gzip") as file:
        file.write("packed" * 1000)
    with fsspec.open("coffer://scratch/a.gz", "rt", compression="gzip") as file:
        assert file.read() == "packed" * 1000
    assert pickle.loads(pickle.dumps(fs)).cat("scratch/a.txt") == b"hello"


def test_directories_are_what_keys_have_in_common(fs: CofferFileSystem, top: str) -> None:
    fs.pipe({f"{top}/a/b/1": b"1", f"{top}/a/2": b"22", f"{top}/a.txt": b"333"})
    assert fs.ls("", detail=False) == ["files", "scratch"]
    assert fs.ls(top, detail=False) == [f"{top}/a.txt", f"{top}/a"]
    assert [(info["name"], info["type"], info["size"]) for info in fs.ls(f"coffer://{top}/a/")] == [
        (f"{top}/a/2", "file", 2),
        (f"{top}/a/b", "directory", 0),
    ]
    assert fs.ls(f"{top}/a.txt", detail=False) == [f"{top}/a.txt"]
    with pytest.raises(FileNotFoundError):
        fs.ls(f"{top}/none")
    with pytest.raises(FileNotFoundError):
        fs.ls("nowhere")
    assert (fs.isdir(f"{top}/a"), fs.isfile(f"{top}/a"), fs.isfile(f"{top}/a.txt")) == (True, False, True)
    assert (fs.exists(f"{top}/a/b"), fs.exists(f"{top}/none"), fs.exists("nowhere"), fs.exists("")) == (
        True,
        False,
        False,
        True,
    )
    assert fs.find(top) == [f"{top}/a.txt", f"{top}/a/2", f"{top}/a/b/1"]
    assert fs.find(f"{top}/a", withdirs=True) == [f"{top}/a", f"{top}/a/2", f"{top}/a/b", f"{top}/a/b/1"]
    assert not fs.exists(f"{top}/a//b")
    assert not fs.exists(f"{top}/a/../b")
    assert fs.find(top, maxdepth=1) == [f"{top}/a.txt"]
    assert fs.find(f"{top}/a.txt") == [f"{top}/a.txt"]
    assert fs.find(f"{top}/none") == []
    assert fs.glob(f"{top}/**/[0-9]") == [f"{top}/a/2", f"{top}/a/b/1"]
    assert fs.du(top) == 6
    assert [(path, dirs, files) for path, dirs, files in fs.walk(top)] == [
        (top, ["a"], ["a.txt"]),
        (f"{top}/a", ["b"], ["2"]),
        (f"{top}/a/b", [], ["1"]),
    ]
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir(f"{top}/a")
    fs.mv(f"{top}/a.txt", f"{top}/c.txt")
    assert fs.find(top) == [f"{top}/a/2", f"{top}/a/b/1", f"{top}/c.txt"]
    fs.rm(f"{top}/a", recursive=True)
    assert fs.find(top) == [f"{top}/c.txt"]
    with pytest.raises(FileNotFoundError):
        fs.rm(f"{top}/none")
    assert fs.created(f"{top}/c.txt").utcoffset() is not None
    assert fs.ukey(f"{top}/c.txt") == fs.info(f"{top}/c.txt")["etag"]


def test_slices_are_those_of_python(fs: CofferFileSystem, top: str) -> None:
    data = b"0123456789"
    fs.pipe_file(f"{top}/k", data)
    cases = [(start, end) for start in (None, 0, 3, 10, 12, -4, -20) for end in (None, 0, 2, 7, 10, 15, -2, -20)]
    for start, end in cases:
        assert fs.cat_file(f"{top}/k", start, end) == data[start:end], (start, end)
    starts, ends = [case[0] for case in cases], [case[1] for case in cases]
    assert fs.cat_ranges([f"{top}/k"] * len(cases), starts, ends) == [data[start:end] for start, end in cases]
    assert fs.read_block(f"{top}/k", 2, 3) == b"234"
    assert (fs.head(f"{top}/k", 2), fs.tail(f"{top}/k", 2)) == (b"01", b"89")


def test_many_at_once(fs: CofferFileSystem, top: str) -> None:
    items = {f"{top}/n/{number}": b"%d" % number for number in range(1000)}
    fs.pipe(items)
    assert fs.cat(list(items)) == items
    assert fs.cat(f"{top}/n", recursive=True) == items
    assert fs.cat(f"{top}/n/99*") == {name: data for name, data in items.items() if "/n/99" in name}
    with pytest.raises(FileNotFoundError):
        fs.cat([f"{top}/n/1", f"{top}/none"])
    found = fs.cat([f"{top}/n/1", f"{top}/none"], on_error="return")
    assert found[f"{top}/n/1"] == b"1"
    assert isinstance(found[f"{top}/none"], FileNotFoundError)
    assert list(fs.cat([f"{top}/n/1", f"{top}/none"], on_error="omit")) == [f"{top}/n/1"]


def test_a_transaction_publishes_all_or_nothing(fs: CofferFileSystem, top: str) -> None:
    with fs.transaction:
        with fs.open(f"{top}/one", "wb") as file:
            file.write(b"1")
        assert not fs.exists(f"{top}/one")
        with fs.open(f"{top}/two", "wb") as file:
            file.write(os.urandom(1_000_000))
    assert fs.find(top) == [f"{top}/one", f"{top}/two"]
    with pytest.raises(KeyError), fs.transaction:
        with fs.open(f"{top}/three", "wb") as file:
            file.write(b"3")
        raise KeyError
    assert fs.find(top) == [f"{top}/one", f"{top}/two"]


def test_modes(fs: CofferFileSystem, top: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    fs.put_file(str(tmp_path / "f"), f"{top}/f", mode="create")
    with pytest.raises(FileExistsError):
        fs.put_file(str(tmp_path / "f"), f"{top}/f", mode="create")
    with pytest.raises(ValueError, match="overwrite or create"):
        fs.pipe_file(f"{top}/f", b"", mode="append")
    with pytest.raises(NotImplementedError):
        fs.open(f"{top}/f", "ab")
    with pytest.raises(IsADirectoryError):
        fs.open(top, "rb")
    fs.touch(f"{top}/f")
    assert fs.info(f"{top}/f")["size"] == 0


def test_pandas_reads_and_writes(shared_host: Host, fs: CofferFileSystem, top: str) -> None:
    frame = pandas.DataFrame({"name": ["Ada", "Größe"], "value": [1, 2]})
    options: dict[str, Any] = {"storage_options": {"socket": shared_host.socket}}
    fsspec.register_implementation("coffer", CofferFileSystem, clobber=True)
    frame.to_csv(f"coffer://{top}/a/frame.csv", index=False, **options)
    assert pandas.read_csv(f"coffer://{top}/a/frame.csv", **options).equals(frame)
    frame.to_parquet(f"coffer://{top}/a/frame.parquet", **options)
    assert pandas.read_parquet(f"coffer://{top}/a/frame.parquet", **options).equals(frame)
    frame.to_json(f"coffer://{top}/a/frame.json.gz", **options)
    assert pandas.read_json(f"coffer://{top}/a/frame.json.gz", **options).equals(frame)


def test_pyarrow_reads_and_writes(fs: CofferFileSystem, top: str) -> None:
    arrow = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(fs))
    table = pyarrow.table({"part": ["a", "b"] * 500, "value": list(range(1000))})
    pyarrow.parquet.write_table(table, f"{top}/t.parquet", filesystem=arrow)
    assert pyarrow.parquet.read_table(f"{top}/t.parquet", filesystem=arrow).equals(table)
    assert pyarrow.parquet.read_table(f"{top}/t.parquet", filesystem=arrow, columns=["value"]).num_columns == 1
    pyarrow.parquet.write_to_dataset(table, f"{top}/set", partition_cols=["part"], filesystem=arrow)
    assert len(fs.find(f"{top}/set")) == 2
    found = pyarrow.parquet.read_table(f"{top}/set", filesystem=arrow, filters=[("part", "=", "b")])
    assert found.num_rows == 500
    selected = arrow.get_file_info(pyarrow.fs.FileSelector(top, recursive=True))
    assert {info.type for info in selected} == {pyarrow.fs.FileType.File, pyarrow.fs.FileType.Directory}
