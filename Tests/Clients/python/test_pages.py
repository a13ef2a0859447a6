"""The pages: every block of Python is run as a reader would paste it, and what it prints is compared."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, Dict

import coffer
import fsspec
import pytest
from coffer.fsspec import CofferFileSystem
from host import ROOT, Host

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["docs/clients/python.md", "README.md"])
def test_a_page_does_what_it_says(
    page: str, shared_host: Host, client: coffer.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COFFER_SOCKET", shared_host.socket)
    monkeypatch.chdir(tmp_path)
    CofferFileSystem.clear_instance_cache()
    fsspec.register_implementation("coffer", CofferFileSystem, clobber=True)
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert any(language == "python" for language, _ in blocks)
    names: Dict[str, Any] = {"__name__": "page"}
    printed = ""
    for language, text in blocks:
        if language == "text":
            assert printed == text
            continue
        with contextlib.redirect_stdout(io.StringIO()) as output, warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(text, page, "exec"), names)
        printed = output.getvalue()


def test_the_version_is_one() -> None:
    said = re.search(r'version = "(.+)"', (ROOT / "Sources/CofferAPI/Release.swift").read_text())
    assert said
    assert said.group(1) == coffer.__version__


def test_importing_it_brings_little_along() -> None:
    code = "import sys; before = set(sys.modules); import coffer; print(*sorted(set(sys.modules) - before))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "Sources/python/src")},
        capture_output=True,
        text=True,
    )
    loaded = said.stdout.split()
    assert "coffer.storage" in loaded, said.stderr
    assert not {"asyncio", "ssl", "http.client", "fsspec", "multiprocessing", "dataclasses"} & set(loaded)
