"""One client in many threads, in children, and under Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import Callable

import coffer
import pytest
from host import ROOT, Host

BIG = os.urandom(4 << 20)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "Sources/python/src")}


def in_child(body: Callable[[], None]) -> int:
    """Runs `body` in a fork; what it exited with."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_thousand_threads_share_a_client(shared_host: Host, client: coffer.Client) -> None:
    failures: list[BaseException] = []
    start = threading.Event()

    def work(number: int) -> None:
        try:
            start.wait(60)
            storage = client.storage("scratch" if number % 2 else "files")
            data = b"%d" % number * (1 + number % 5000)
            storage.put(f"t/{number}", data)
            if storage.get(f"t/{number}") != data:
                raise AssertionError(f"{number} has other bytes")
            with storage.open(f"t/{number}") as reader:
                if reader.read() != data:
                    raise AssertionError(f"{number} reads other bytes")
        except BaseException as error:
            failures.append(error)

    threading.stack_size(256 << 10)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(1000)]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(0)
    start.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    keys = {entry.key for name in ("files", "scratch") for entry in client.storage(name).list("t/")}
    assert len(keys) == 1000


def test_a_fork_has_connections_of_its_own(storage: coffer.Storage) -> None:
    storage.put("k", b"parent")

    def child() -> None:
        for _ in range(50):
            assert storage.get("k") == b"parent"
            storage.put("child", b"x")

    for _ in range(3):
        assert storage.get("k") == b"parent"
        pid = os.fork()
        if pid == 0:
            try:
                child()
                os._exit(0)
            except BaseException as error:
                os.write(2, f"{error!r}\n".encode())
                os._exit(1)
        for _ in range(50):
            assert storage.get("k") == b"parent"
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_child_leaves_the_streams_of_its_parent_alone(client: coffer.Client) -> None:
    scratch = client.storage("scratch")
    scratch.put("big", BIG)
    reader = scratch.open("big", buffering=0)
    assert reader.read(10) == BIG[:10]
    writer = scratch.open("new", "wb")
    writer.write(BIG)
    listing = scratch.list()

    def child() -> None:
        with pytest.raises(coffer.Unavailable, match="open it again after the fork"):
            reader.read(10)
        with pytest.raises(coffer.Unavailable, match="open it again after the fork"):
            writer.write(BIG)
        with pytest.raises(coffer.Unavailable, match="open it again after the fork"):
            writer.close()
        reader.close()

    assert in_child(child) == 0
    assert reader.readall() == BIG[10:]
    writer.close()
    assert scratch.stat("new").size == len(BIG)
    assert len(list(listing)) == 2


def test_a_child_that_ends_leaves_an_unfinished_write_alone(own_host: Host) -> None:
    # With a real exit: finalizers of the child run, and must not publish, nor break, what the parent writes.
    code = """if True:
        import os, sys, coffer
        scratch = coffer.Client(sys.argv[1]).storage("scratch")
        writer = scratch.open("k", "wb")
        writer.write(b"x" * 1_000_000)
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
        assert not scratch.exists("k")
        writer.write(b"y")
        writer.close()
        assert scratch.stat("k").size == 1_000_001
    """
    subprocess.run([sys.executable, "-c", code, own_host.socket], env=ENVIRONMENT, check=True)


def test_an_exec_inherits_no_connection(own_host: Host) -> None:
    client = coffer.Client(own_host.socket)
    client.storage("scratch").put("big", BIG)
    reader = client.storage("scratch").open("big")
    client.storage("files").put("big", BIG)
    local = client.storage("files").open("big")
    code = """if True:
        import os
        held = []
        for number in os.listdir("/proc/self/fd"):
            try:
                held.append(os.readlink(f"/proc/self/fd/{number}"))
            except FileNotFoundError:
                pass
        print(sum("socket" in name or "files" in name for name in held))
    """
    said = subprocess.run([sys.executable, "-c", code], close_fds=False, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0"
    reader.close()
    local.close()


def work_in_pool(argument: tuple[coffer.Client, int]) -> int:
    client, number = argument
    client.storage("scratch").put(f"pool/{number}", b"x" * number)
    return client.storage("scratch").stat(f"pool/{number}").size or 0


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_a_client_travels_to_workers(client: coffer.Client, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([ENVIRONMENT["PYTHONPATH"], os.path.dirname(__file__)]))
    client.health()
    with multiprocessing.get_context(how).Pool(2) as pool:
        assert pool.map(work_in_pool, [(client, number) for number in range(20)]) == list(range(20))
    assert pickle.loads(pickle.dumps(client)).socket == client.socket


INTERRUPTED = """if True:
    import itertools, sys, coffer
    client = coffer.Client(sys.argv[1])
    scratch = client.storage("scratch")
    def pieces():
        for number in itertools.count():
            yield b"x" * 1_000_000
            if number == 5:
                print("ready", flush=True)
    try:
        if sys.argv[2] == "write":
            scratch.put("k", pieces())
        elif sys.argv[2] == "read":
            for number in itertools.count():
                scratch.get("big")
                if number == 5:
                    print("ready", flush=True)
        else:
            for number in itertools.count():
                scratch.get_many(["big", "small"] * 50)
                if number == 0:
                    print("ready", flush=True)
    except KeyboardInterrupt:
        pass
    assert not scratch.exists("k")
    assert scratch.get("small") == b"small"
    assert len(scratch.get("big")) == 4 << 20
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("what", ["write", "read", "many"])
def test_ctrl_c_in_a_transfer_leaves_the_client_usable(own_host: Host, what: str) -> None:
    scratch = coffer.Client(own_host.socket).storage("scratch")
    scratch.put("big", BIG)
    scratch.put("small", b"small")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, own_host.socket, what], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert said.readline() == "interrupted\n"
    assert process.wait(30) == 0


def test_a_program_that_dies_of_sigpipe_gets_exceptions(own_host: Host) -> None:
    # As many scripts do, so that `script | head` ends quietly.
    code = """if True:
        import os, signal, sys, coffer
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        scratch = coffer.Client(sys.argv[1]).storage("scratch")
        scratch.put("k", b"x")
        writer = scratch.open("big", "wb")
        writer.write(bytes(1_000_000))
        os.kill(int(sys.argv[2]), signal.SIGKILL)
        attempts = [lambda: writer.write(bytes(5_000_000)), lambda: scratch.get("k")]
        attempts += [lambda: scratch.put("k", b"y"), lambda: scratch.get_many(["k"])]
        for attempt in attempts:
            try:
                attempt()
            except coffer.Unavailable:
                print("unavailable")
    """
    assert own_host.process is not None
    said = subprocess.run(
        [sys.executable, "-c", code, own_host.socket, str(own_host.process.pid)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["unavailable"] * 4, said.stderr
    own_host.stop()


def test_nothing_stays_open(own_host: Host) -> None:
    client = coffer.Client(own_host.socket)
    scratch = client.storage("scratch")
    scratch.put("big", BIG)
    client.close()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(30):
        with scratch.open("big") as reader:
            reader.read(number)
        with pytest.raises(coffer.NotFound):
            scratch.open("absent")
        with pytest.raises(coffer.NotFound):
            scratch.get("absent")
        writer = scratch.open("k", "wb")
        writer.write(BIG)
        writer.abort()
        next(iter(scratch.list()))
    client.close()
    assert len(os.listdir("/proc/self/fd")) <= before
