#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SCRATCH_FOLDER`.

Wants a Ceph cluster of our own in `SCRATCH_FOLDER/ceph`, whose gateway is killed and started again.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from host import Connection, running
from libcloud_peer import PORT, SECRET, SHARED, driver

BUILD, SCRATCH = sys.argv[1:]
CLUSTER = f"{SCRATCH}/ceph"
LARGE = os.urandom(16 << 20)


def until(what, holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.02)


def children(host):
    """The Python processes of a host."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        # A process may end while it is looked at.
        with contextlib.suppress(OSError, ValueError, IndexError):
            number = int(folder.name)
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == host.process.pid and state != "Z":
                found.append(number)
    return found


def wrong_words_are_told_apart():
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", f"{SCRATCH}/bare"], check=True)
    storages = {
        "good": {}, "wrong-secret": {"secret": "not-the-secret"}, "wrong-key": {"key": "nobody"},
        "wrong-container": {"container": "no-such-container"}, "no-python": {"python": "python-of-nobody"},
        "bare": {"python": f"{SCRATCH}/bare/bin/python"}, "no-program": {"python": "/usr/bin/false"},
        "unknown": {"provider": "nobodys_cloud", "atomic": "best_effort"}, "nobody-home": {"port": 9},
        "odd": {"arguments": {"signature_version": '"7"'}},
    }
    expected = {
        "good": (200, None, None), "wrong-secret": (401, "unauthenticated", "secret"),
        "wrong-key": (401, "unauthenticated", "key"), "wrong-container": (404, "not_found", "container"),
        "no-python": (None, None, "python"), "bare": (None, None, "pip install apache-libcloud"),
        "no-program": (503, "unavailable", "python process ended"), "unknown": (None, None, "s3_rgw"),
        "nobody-home": (503, "unavailable", "refused"), "odd": (None, None, "signature_version"),
    }
    with running(BUILD, "libcloud", storages, SHARED | {"container": "failures"}) as host:
        host.put("good", "there", b"there")
        for name, (status, code, words) in expected.items():
            answer = host.get(name, "there")
            assert status is None and answer.status >= 400 or answer.status == status, (name, answer.status, answer.body)
            if answer.status != 200:
                assert code is None or answer.code == code, (name, answer.json)
                assert words in answer.json["detail"], (name, answer.json)
        log = host.text()
        for child in children(host):
            for file in ["cmdline", "environ"]:
                text = pathlib.Path(f"/proc/{child}/{file}").read_bytes()
                assert SECRET.encode() not in text and b"not-the-secret" not in text, f"a secret in {file}"
        for secret in [SECRET, "not-the-secret"]:
            assert secret not in log, "a secret in the log"


def read_beside(host, key, disturb, whole):
    """Reads a part of an object, disturbs, and reads on; fewer bytes are never a success."""
    reader = Connection(host.socket, 60)
    reader.request("GET", f"/v1/storages/s/objects/{key}")
    response = reader.getresponse()
    got = response.read(1 << 20)
    start = time.monotonic()
    disturb()
    try:
        got += response.read()
        assert got == whole, f"{len(got)} bytes passed off as {len(whole)}"
    except Exception as error:  # The connection breaks in one of several ways.
        assert not isinstance(error, AssertionError), error
    assert time.monotonic() - start < 20, "a read does not end"
    reader.close()


def a_killed_process_costs_one_call():
    with running(BUILD, "libcloud", {"s": {"processes": 2}}, SHARED | {"container": "failures"}) as host:
        host.put("s", "large", LARGE)

        def kill_all():
            for child in children(host):
                os.kill(child, signal.SIGKILL)

        read_beside(host, "large", kill_all, LARGE)
        assert host.get("s", "large").body == LARGE
        # One that died while nobody asked it is noticed before it is asked.
        kill_all()
        until("idle processes end", lambda: not children(host))
        assert host.get("s", "large", Range="bytes=0-9").body == LARGE[:10]

        def kill_one():
            for child in children(host)[:1]:
                # It may have been replaced meanwhile.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

        writers_lose_nothing(host, kill_one)


def writers_lose_nothing(host, disturb):
    """Writes that trip each other: each object is one that was written, and no less than the last acknowledged."""
    counts = {"done": 0, "failed": 0}
    failures = []

    def write(worker):
        try:
            possible = [None]
            for turn in range(12):
                body = os.urandom(100_000 + turn)
                if turn % 4 == worker:
                    disturb()
                answer = host.object("PUT", "s", f"w{worker}", body)
                if answer.status in (200, 201):
                    counts["done"] += 1
                    possible = [body]
                else:
                    counts["failed"] += 1
                    assert answer.status == 503 and answer.json["retryable"], (answer.status, answer.body)
                    possible.append(body)
            read = host.get("s", f"w{worker}")
            while read.status == 503:
                read = host.get("s", f"w{worker}")
            assert (read.body if read.status == 200 else None) in possible, read.status
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    for failure in failures:
        raise failure
    print(f"    {counts['done']} done, {counts['failed']} failed")


def a_process_that_hangs_is_replaced():
    settings = {"processes": 2, "stall_timeout": "1s"}
    with running(BUILD, "libcloud", {"s": settings}, SHARED | {"container": "failures"}) as host:
        host.put("s", "small", b"small")
        before = children(host)
        for child in before:
            os.kill(child, signal.SIGSTOP)
        start = time.monotonic()
        answer = host.get("s", "small")
        assert answer.status == 504 and answer.code == "timeout" and answer.json["retryable"], answer.body
        assert time.monotonic() - start < 10
        assert host.get("s", "small").body == b"small"
        assert not set(before) & set(children(host)), "a process that hangs lives on"
        read_beside(host, "large", lambda: [os.kill(child, signal.SIGSTOP) for child in children(host)], LARGE)
        assert host.get("s", "small").body == b"small"


def slow_readers_hold_up_nobody():
    with running(BUILD, "libcloud", {"s": {"processes": 3}}, SHARED | {"container": "failures"}) as host:
        slow = [Connection(host.socket, 60) for _ in range(2)]
        for reader in slow:
            reader.request("GET", "/v1/storages/s/objects/large")
            assert reader.getresponse().read(10) == LARGE[:10]
        host.put("s", "beside", b"beside")
        assert host.request("GET", "s/stat/beside").json["size"] == 6
        for reader in slow:
            reader.close()
        assert host.get("s", "large").body == LARGE


def no_process_outlives_the_host():
    with running(BUILD, "libcloud", {"s": {}}, SHARED | {"container": "failures"}) as host:
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/large")
        reader.getresponse().read(10)
        left = children(host)
        assert left
        host.process.kill()
        host.process.wait()
        until("the processes end with their host", lambda: not any(os.path.exists(f"/proc/{child}/exe") for child in left))
        reader.close()
    with running(BUILD, "libcloud", {"s": {}}, SHARED | {"container": "failures"}) as host:
        host.get("s", "small")
        left = children(host)
        host.process.terminate()
        host.process.wait(20)
        until("the processes end with their host", lambda: not any(os.path.exists(f"/proc/{child}/exe") for child in left))


def start_gateway():
    log = open(f"{CLUSTER}/log/gateway.out", "a")
    process = subprocess.Popen(
        ["radosgw", "-n", "client.rgw", "-f"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True, env=os.environ | {"CEPH_CONF": f"{CLUSTER}/ceph.conf"},
    )
    pathlib.Path(f"{CLUSTER}/run/gateway.pid").write_text(str(process.pid))
    end = time.monotonic() + 60
    while subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", "2", f"http://127.0.0.1:{PORT}"]).returncode:
        assert time.monotonic() < end, "the gateway does not come back"
        time.sleep(0.1)


def kill_gateway():
    os.kill(int(pathlib.Path(f"{CLUSTER}/run/gateway.pid").read_text()), signal.SIGKILL)


def a_server_pulled_away_loses_nothing():
    old = os.urandom(1000)
    settings = {"processes": 3, "stall_timeout": "2s"}
    with running(BUILD, "libcloud", {"s": settings}, SHARED | {"container": "failures"}) as host:
        host.put("s", "kept", old)
        # In the midst of a write: the old object stays, and the answer is an error.
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/kept")
        sender.putheader("Content-Length", str(len(LARGE)))
        sender.endheaders()
        sender.send(LARGE[:9 << 20])
        kill_gateway()
        try:
            sender.send(LARGE[9 << 20:])
            status = sender.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            status = None
        assert status is None or status >= 500, status
        answer = host.get("s", "kept")
        assert answer.status == 503 and answer.json["retryable"], (answer.status, answer.body)
        start_gateway()
        assert host.get("s", "kept").body == old
        read_beside(host, "large", kill_gateway, LARGE)
        start_gateway()
        assert host.get("s", "large").body == LARGE
        keys = [entry["key"] for entry in host.request("GET", "s/objects").json["objects"]]
        assert [key for key in keys if not key.startswith("w")] == ["beside", "kept", "large", "small", "there"], keys


def main():
    driver().create_container("failures")
    for proof in [
        wrong_words_are_told_apart, a_killed_process_costs_one_call, a_process_that_hangs_is_replaced,
        slow_readers_hold_up_nobody, no_process_outlives_the_host, a_server_pulled_away_loses_nothing,
    ]:
        start = time.monotonic()
        proof()
        print(f"ok  {proof.__name__} ({time.monotonic() - start:.1f} s)", flush=True)


main()
