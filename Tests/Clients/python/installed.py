"""What the wheel brings to programs that have fsspec and pandas already: `coffer://`, without a word of theirs."""

from __future__ import annotations

import importlib.metadata
import os

import coffer
import fsspec
import pandas
import pyarrow.dataset
from host import ROOT, Host


def main() -> None:
    assert not coffer.__file__.startswith(str(ROOT)), f"{coffer.__file__} is not of the wheel"
    assert importlib.metadata.version("coffer") == coffer.__version__
    host = Host()
    os.environ["COFFER_SOCKET"] = host.socket
    with fsspec.open("coffer://scratch/a.txt", "w") as file:
        file.write("hello")
    assert fsspec.filesystem("coffer").cat("scratch/a.txt") == b"hello"
    frame = pandas.DataFrame({"name": ["Ada", "Grace"], "year": [1815, 1906]})
    frame.to_parquet("coffer://files/people.parquet")
    assert pandas.read_parquet("coffer://files/people.parquet").equals(frame)
    frame.to_csv("coffer://files/people.csv", index=False)
    assert pandas.read_csv("coffer://files/people.csv").equals(frame)
    found = pyarrow.dataset.dataset("fsspec+coffer://files/people.parquet", format="parquet")
    assert found.count_rows() == 2
    host.end()
    print("coffer:// is there where the wheel is")


main()
