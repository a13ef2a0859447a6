"""The applications of examples/, each against a host, as their readers would run them."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Iterator

import coffer
import pytest
from host import ROOT, Host

EXAMPLES = ROOT / "examples"
BIG = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def uploads() -> Iterator[Host]:
    host = Host("storages: { uploads: { backend: local, root: ./uploads, durability: relaxed } }\n")
    yield host
    host.end()


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Flask's test client leaves the file of a form open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_flask_takes_uploads(uploads: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COFFER_SOCKET", uploads.socket)
    browser: Any = load("flask").app.test_client()
    (tmp_path / "größe.png").write_bytes(BIG)
    with open(tmp_path / "größe.png", "rb") as file:
        answer = browser.post("/files", data={"file": (file, "größe.png", "image/png")})
    assert answer.status_code == 201, answer.text
    stored = answer.json
    assert stored["key"].endswith(".png")
    assert (stored["size"], stored["type"]) == (len(BIG), "image/png")
    with browser.get(f"/files/{stored['key']}") as answer:
        assert (answer.data, answer.mimetype) == (BIG, "image/png")
    assert browser.get("/files").json == [stored["key"]]
    assert browser.delete(f"/files/{stored['key']}").status_code == 204
    answer = browser.get(f"/files/{stored['key']}")
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    gc.collect()


def test_fastapi_streams_both_ways(uploads: Host) -> None:
    # The listening socket is made here, so that nobody has to guess a free port or when it listens.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--fd", str(listener.fileno()), "--log-level", "warning", "app:app"],
            cwd=EXAMPLES / "fastapi",
            env={**os.environ, "COFFER_SOCKET": uploads.socket, "PYTHONPATH": str(ROOT / "Sources/python/src")},
            pass_fds=[listener.fileno()],
        )
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/files/a/b.bin"
    try:
        body = uploads.folder / "body"
        body.write_bytes(BIG)
        put = curl("-T", str(body), "-H", "Content-Type: a/b", address)
        assert b'"size":3000000' in put.replace(b" ", b"")
        assert curl(address) == BIG
        assert b"not_found" in curl(address + "x")
        assert coffer.Client(uploads.socket).storage("uploads").stat("a/b.bin").content_type == "a/b"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def curl(*words: str) -> bytes:
    # The server is told to wait for by the kernel: the socket listens already.
    return subprocess.run(["curl", "-sS", "--max-time", "60", *words], capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("language", "program", "command"),
    [
        ("shell", "curl", ["sh", "five.sh"]),
        ("node", "node", ["node", "five.mjs"]),
        ("go", "go", ["go", "run", "five.go"]),
    ],
    ids=["shell", "node", "go"],
)
def test_five_calls_with_nothing_but_the_language(
    own_host: Host, language: str, program: str, command: list[str]
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    said = subprocess.run(
        command,
        cwd=EXAMPLES / language,
        env={**os.environ, "COFFER_SOCKET": own_host.socket, "GOCACHE": str(own_host.folder / "go")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.stdout.splitlines() == [
        f"put hello/{language}.txt {len(language) + 12}",
        f"get hello from {language}",
        f"list hello/{language}.txt",
        "copy hello/copy.txt",
        "delete hello/copy.txt",
    ], said.stderr
    files = coffer.Client(own_host.socket).storage("files")
    assert [entry.key for entry in files.list()] == [f"hello/{language}.txt"]
