"""Hosts that are missing, restart, hang, lie or end early: always an error that says so, never short data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import coffer
import pytest
from host import ROOT, Host
from impostor import Impostor, answering, request

BIG = os.urandom(8 << 20)


# Sockets that nobody serves


def test_a_missing_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(coffer.Unavailable, match="there is no such socket; start cofferd") as caught:
        coffer.Client(tmp_path / "none.sock").health()
    assert isinstance(caught.value, ConnectionError)
    assert str(tmp_path / "none.sock") in str(caught.value)


def test_a_socket_that_nobody_listens_to_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "dead.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with pytest.raises(coffer.Unavailable, match="nobody listens there any more"):
        coffer.Client(path).health()


def test_a_file_that_is_no_socket_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(coffer.Unavailable):
        coffer.Client(path).health()


def test_a_socket_of_another_owner_is_a_permission_error(own_host: Host) -> None:
    code = (
        "import os, sys, coffer\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: coffer.Client(sys.argv[1]).health()\n"
        "except PermissionError as error: print(type(error).__name__, error)\n"
    )
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    os.chmod(own_host.folder, 0o755)
    said = subprocess.run(
        [sys.executable, "-c", code, own_host.socket],
        env={**os.environ, "PYTHONPATH": str(ROOT / "Sources/python/src")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith("PermissionDenied")
    assert "its owner or `socket:` in the host's configuration decides" in said


def test_a_name_that_is_too_long_is_an_argument_error() -> None:
    with pytest.raises(coffer.InvalidArgument, match="cannot be used"):
        coffer.Client("/tmp/" + "x" * 200).health()


def test_the_socket_is_looked_for_in_one_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_host: Host
) -> None:
    monkeypatch.delenv("COFFER_SOCKET", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "coffer").mkdir()
    assert coffer.Client().socket in (f"{tmp_path}/coffer/coffer.sock", "/run/coffer/coffer.sock")
    (tmp_path / "coffer/coffer.sock").symlink_to(shared_host.socket)
    assert coffer.Client().socket == f"{tmp_path}/coffer/coffer.sock"
    monkeypatch.setenv("COFFER_SOCKET", shared_host.socket)
    assert coffer.Client().socket == shared_host.socket
    assert coffer.Client("/other").socket == "/other"
    assert coffer.client().health()["status"] == "ok"


# Restarts


def test_an_idle_client_finds_the_host_again(own_host: Host) -> None:
    client = coffer.Client(own_host.socket)
    files = client.storage("files")
    files.put("a", b"before")
    for how in (signal.SIGTERM, signal.SIGKILL):
        own_host.restart(how)
        assert files.get("a") == b"before"
        own_host.restart(how)
        # Not safe to repeat, and never sent twice: the dead connection is seen before anything goes out.
        files.put("a", b"before", if_match=files.stat("a").etag)
        own_host.restart(how)
        files.copy("a", "b")
        own_host.restart(how)
        assert [entry.key for entry in files.list()][:2] == ["a", "b"]
        own_host.restart(how)
        assert files.get_many(["a", "b"] * 40) == [b"before", b"before"] * 40
        own_host.restart(how)
        assert len(files.put_many({f"many/{number}": b"x" for number in range(40)})) == 40
        own_host.restart(how)
        with files.open("c", "wb") as writer:
            writer.write(BIG)
        assert files.stat("c").size == len(BIG)


def test_a_host_that_stays_away_is_unavailable(own_host: Host) -> None:
    files = coffer.Client(own_host.socket).storage("files")
    files.put("a", b"x")
    own_host.stop()
    with pytest.raises(coffer.Unavailable):
        files.get("a")
    with pytest.raises(coffer.Unavailable):
        files.put("a", b"y")
    own_host.start()
    assert files.get("a") == b"x"


def test_a_host_that_dies_under_a_read_is_an_error(own_host: Host) -> None:
    scratch = coffer.Client(own_host.socket).storage("scratch")
    scratch.put("big", BIG)
    with scratch.open("big") as reader:
        assert reader.read(1000) == BIG[:1000]
        own_host.stop(signal.SIGKILL)
        with pytest.raises(coffer.Unavailable, match="in the middle of its answer"):
            while reader.read(100_000):
                pass
    own_host.start()


def test_a_reader_by_descriptor_outlives_the_host(own_host: Host) -> None:
    files = coffer.Client(own_host.socket).storage("files")
    files.put("big", BIG)
    with files.open("big") as reader:
        assert reader.is_direct
        own_host.stop(signal.SIGKILL)
        assert reader.read() == BIG
    own_host.start()


@pytest.mark.parametrize("length", [None, 2 * len(BIG)])
@pytest.mark.parametrize("storage", ["files", "scratch"])
def test_a_host_that_dies_under_a_write_is_an_error_and_nothing_is_written(
    own_host: Host, storage: str, length: int | None
) -> None:
    target = coffer.Client(own_host.socket).storage(storage)
    target.put("big", b"old")
    with pytest.raises(coffer.Unavailable) as caught, target.open("big", "wb", length=length) as writer:
        writer.write(BIG)
        own_host.stop(signal.SIGKILL)
        writer.write(BIG)
    assert "nothing was written" in str(caught.value)
    assert not caught.value.maybe_applied
    own_host.start()
    if storage == "files":
        assert target.get("big") == b"old"


# Answers that are none

GARBAGE = [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff" * 50, b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"x" * 100_000]
GARBAGE += [
    b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000,
]
GARBAGE += [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!"]
GARBAGE += [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot json"]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_told_as_such(garbage: bytes) -> None:
    with Impostor(answering(garbage)) as impostor:
        client = coffer.Client(impostor.socket)
        for attempt in (
            client.health,
            lambda: client.storage("s").stat("k"),
            lambda: client.storage("s").put("k", b"x"),
            lambda: client.storage("s").put("k", BIG),
            lambda: list(client.storage("s").list()),
            lambda: client.storage("s").delete("k"),
        ):
            with pytest.raises((coffer.Internal, coffer.Unavailable, coffer.Corrupt)):
                attempt()
                # An answer to a deletion says nothing, so what it says is not looked at.
                raise coffer.Internal("")


def test_an_error_without_a_problem_is_told_by_its_status() -> None:
    with Impostor(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n<p>no</p>")) as impostor:
        with pytest.raises(coffer.NotFound, match="the host answered 404 without a reason"):
            coffer.Client(impostor.socket).storage("s").get("k")


def test_a_code_of_a_later_version_is_kept() -> None:
    body = b'{"code":"gone_fishing","detail":"later"}'
    head = f"HTTP/1.1 418 X\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with Impostor(answering(head + body)) as impostor, pytest.raises(coffer.CofferError) as caught:
        coffer.Client(impostor.socket).storage("s").get("k")
    assert caught.value.code == "gone_fishing"


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly some"
CUT_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly some"


@pytest.mark.parametrize("answer", [CUT, CUT_CHUNKS, CUT[:30], b""], ids=["length", "chunks", "head", "nothing"])
def test_bytes_that_end_early_are_never_short_data(answer: bytes) -> None:
    with Impostor(answering(answer)) as impostor:
        storage = coffer.Client(impostor.socket).storage("s")
        with pytest.raises(coffer.Unavailable):
            storage.get("k")
        for attempt in (lambda: storage.open("k").read(), lambda: storage.get_many(["k"]), lambda: [*storage.list()]):
            # An object in chunks is refused for that alone.
            with pytest.raises((coffer.Unavailable, coffer.Internal)):
                attempt()


def test_a_descriptor_that_did_not_come_is_an_error() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCoffer-Fd: offset=0; length=10\r\n\r\n"
    with Impostor(answering(answer)) as impostor:
        storage = coffer.Client(impostor.socket).storage("s")
        # Asked for the bytes instead, it has none either.
        with pytest.raises(coffer.Internal, match="descriptor that nobody asked for"):
            storage.get("k")
        with pytest.raises(coffer.Internal, match="descriptor that nobody asked for"):
            storage.open("k")


def test_too_many_open_files_cost_speed_alone(shared_host: Host, client: coffer.Client) -> None:
    code = """if True:
        import os, resource, sys, coffer
        files = coffer.Client(sys.argv[1]).storage("files")
        files.put("k", bytes(100_000))
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        assert files.get_many(["k"] * 200) == [bytes(100_000)] * 200
        files.client.close()
        files.stat("k")
        held = []
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            pass
        assert files.get("k") == bytes(100_000)
        with files.open("k") as reader:
            assert not reader.is_direct
            assert reader.read() == bytes(100_000)
            reader.seek(10)
            try:
                reader.read()
                files.stat("k")
                files.open("k"), files.open("k")
            except coffer.Unavailable as error:
                assert "Too many open files" in str(error), error
            else:
                raise AssertionError
        os.close(held.pop())
        assert files.open("k").read() == bytes(100_000)
    """
    subprocess.run(
        [sys.executable, "-c", code, shared_host.socket],
        env={**os.environ, "PYTHONPATH": str(ROOT / "Sources/python/src")},
        check=True,
    )


def test_a_file_shorter_than_said_is_corrupt(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"only")

    def script(connection: socket.socket) -> None:
        while request(connection):
            with open(short) as file:
                head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCoffer-Fd: offset=0; length=10\r\n\r\n"
                socket.send_fds(connection, [head], [file.fileno()])

    with Impostor(script) as impostor:
        storage = coffer.Client(impostor.socket).storage("s")
        with pytest.raises(coffer.Corrupt, match="6 bytes early"):
            storage.get("k")
        with pytest.raises(coffer.Corrupt), storage.open("k") as reader:
            reader.read()


def test_descriptors_that_nobody_asked_for_are_closed(tmp_path: Path) -> None:
    def script(connection: socket.socket) -> None:
        while request(connection):
            with open(os.devnull) as file:
                head = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
                socket.send_fds(connection, [head], [file.fileno()] * 3)

    with Impostor(script) as impostor:
        client = coffer.Client(impostor.socket)
        client.health()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            client.health()
        assert len(os.listdir("/proc/self/fd")) <= before + 3


def test_a_silent_host_is_a_timeout() -> None:
    over = threading.Event()

    def script(connection: socket.socket) -> None:
        request(connection)
        over.wait(60)

    with Impostor(script) as impostor:
        client = coffer.Client(impostor.socket, timeout=0.05)
        started = time.monotonic()
        for attempt in (
            client.health,
            lambda: client.storage("s").put("k", BIG),
            lambda: client.storage("s").get_many(["a", "b"]),
        ):
            with pytest.raises(coffer.Timeout) as caught:
                attempt()
            assert isinstance(caught.value, TimeoutError)
        over.set()
        assert time.monotonic() - started < 30


def test_a_lost_answer_is_repeated_only_where_that_is_safe() -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket) -> None:
        # The first request of a connection is answered; the second one is read, and its answer is lost.
        if request(connection):
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}')
        seen.append(request(connection).partition(b" ")[0])

    with Impostor(script) as impostor:
        client = coffer.Client(impostor.socket)
        client.health()
        assert client.health()["status"] == "ok"
        assert seen == [b"GET"]
        with pytest.raises(coffer.Unavailable) as caught:
            client.storage("s").put("k", b"x")
        assert caught.value.maybe_applied
        assert not caught.value.retryable
        client.health()
        # With a key for that, the write is sent again over a new connection, which answers its first request.
        assert client.storage("s").put("k", b"x", idempotency_key="1").document == {"status": "ok"}
        # A deletion is repeated where the second one succeeds as the first one did.
        client.storage("s").delete("k")
        with pytest.raises(coffer.Unavailable):
            client.storage("s").remove_container("c")


def test_links_and_containers_are_told_whole() -> None:
    def answer(document: str) -> bytes:
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(document)}\r\n\r\n{document}".encode()

    link = (
        '{"url":"https://b.example/a?X=1","method":"PUT","required_headers":{"Content-Type":"image/png"},'
        '"expires_at":"2026-11-21T14:05:43Z"}'
    )
    # No store of the tests signs links, nor has containers.
    containers = '{"containers":[{"name":"logs","created":"2026-11-21T14:05:43.5Z"},{"name":"more","created":null}]}'
    with Impostor(answering(answer(link), answer(containers))) as impostor:
        storage = coffer.Client(impostor.socket).storage("s")
        found = storage.link("a", method="PUT", expires_in=60, content_type="image/png", size=5)
        assert found.url == "https://b.example/a?X=1"
        assert found.required_headers == {"Content-Type": "image/png"}
        assert found.expires_at is not None
        assert found.expires_at.isoformat() == "2026-11-21T14:05:43+00:00"
        one, two = storage.containers()
        assert (one.name, two.name, two.created) == ("logs", "more", None)
        assert one.created is not None
        assert one.created.microsecond == 500_000


def test_errors_are_those_of_python_and_travel() -> None:
    import pickle

    import coffer.errors

    error = coffer.NotFound("no such object: a", storage="files", key="a", status=404)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is coffer.NotFound
    assert (copy.code, copy.key, copy.status, str(copy), copy.errno) == ("not_found", "a", 404, str(error), error.errno)
    for kind, status in coffer.errors.CLASSES:
        assert issubclass(kind, (coffer.CofferError, OSError))
        assert kind("x").code == kind.code
        assert 300 <= status < 600


def test_the_table_of_errors_is_the_hosts() -> None:
    import re

    import coffer.errors

    table = (ROOT / "Sources/CofferAPI/ErrorTable.swift").read_text()
    rows = re.findall(r"Row\(code: \.(\w+), status: (\d+)", table)
    host = [(re.sub(r"[A-Z]", lambda found: "_" + found.group().lower(), name), int(status)) for name, status in rows]
    assert host == [(kind.code, status) for kind, status in coffer.errors.CLASSES]
