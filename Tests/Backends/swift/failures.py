#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SERVERS_FOLDER STORE_FOLDER`.

Wants an OpenStack Swift of our own in that folder, whose proxy is killed and started again.
"""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from host import Connection, running
from identity import Identity
from store import connect, names

BUILD, SERVERS, STORE = sys.argv[1:]
AUTH, USER, KEY, URL = (os.environ[f"SWIFT_{name}"] for name in ["AUTH", "USER", "KEY", "URL"])
SHARED = {"authurl": AUTH, "user": USER, "key": KEY, "container": "failures", "segment_size": "1MiB"}
# Short patience, so that what stalls is noticed within a test's.
SHORT = {"connect_timeout": "2s", "answer_timeout": "3s", "stall_timeout": "1s"}

client = connect()


def wrong_words_are_told_apart():
    client.put_object("failures", "there", b"there")
    nobody = {"authurl": "http://127.0.0.1:9/auth/v1.0", "retries": 0, "connect_timeout": "1s"}
    storages = {
        "good": {}, "wrong-key": {"key": "not-the-key"}, "wrong-user": {"user": "test:nobody"},
        "wrong-container": {"container": "no-such-container"}, "wrong-path": {"authurl": f"{URL}/v1/none"},
        "wrong-version": {"auth_version": "3", "project_name": "x"},
        "stranger": {"user": "test:reader", "key": "reading"}, "nobody-home": nobody,
        "wrong-token": {"auth_token": "AUTH_none", "storage_url": f"{URL}/v1/AUTH_test", "authurl": None, "key": None},
    }
    expected = {
        "good": (200, None, None), "wrong-key": (401, "unauthenticated", "login"),
        "wrong-user": (401, "unauthenticated", "login"), "wrong-container": (404, "not_found", "no such container"),
        "wrong-path": (401, "unauthenticated", None), "wrong-version": (422, "config_invalid", "authurl"),
        "stranger": (403, "permission_denied", None), "nobody-home": (503, "unavailable", None),
        "wrong-token": (401, "unauthenticated", "token"),
    }
    with running(BUILD, "swift", storages, SHARED) as host:
        for name, (status, code, words) in expected.items():
            answer = host.get(name, "there")
            assert answer.status == status, (name, answer.status, answer.body)
            if code:
                assert answer.code == code, (name, answer.json)
                assert words is None or words in answer.json["detail"], (name, answer.json)
        health = host.request("GET", "wrong-container/health").json
        assert "container" in json.dumps(health), health
        for change in [
            lambda: host.object("PUT", "stranger", "new", b"x"), lambda: host.object("DELETE", "stranger", "there"),
        ]:
            answer = change()
            assert answer.status == 403 and answer.code == "permission_denied", answer.body
        for change in [
            lambda: host.object("PUT", "wrong-container", "new", b"x"),
            lambda: host.object("DELETE", "wrong-container", "there"),
            lambda: host.request("GET", "wrong-container/objects"),
        ]:
            answer = change()
            assert answer.status == 404 and "no such container" in answer.json["detail"], answer.body
        assert host.get("good", "there").body == b"there"
        log = host.text()
        for secret in [KEY, "not-the-key", "AUTH_"]:
            assert secret not in log, "a secret in the log"


def forget_tokens():
    """The store forgets every token that it gave."""
    with socket.create_connection(("127.0.0.1", int(os.environ["SWIFT_CACHE_PORT"]))) as cache:
        cache.sendall(b"flush_all\r\n")
        assert cache.recv(100) == b"OK\r\n"


def a_forgotten_token_is_one_more_login():
    large = os.urandom((6 << 20) + 1)
    with Identity(AUTH) as identity, running(BUILD, "swift", {"s": {}}, SHARED | {"authurl": identity.url}) as host:
        for index in range(8):
            host.put("s", f"token/{index}", b"%d" % index)
        assert identity.logins == 1, identity.logins
        forget_tokens()
        answers = [None] * 8

        def read(index):
            answers[index] = host.get("s", f"token/{index}")

        threads = [threading.Thread(target=read, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.body for answer in answers] == [b"%d" % index for index in range(8)], answers
        assert identity.logins == 2, f"{identity.logins} logins instead of one more"
        # In the midst of a large write, and between the pieces of a listing.
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/token/large")
        sender.putheader("Content-Length", str(len(large)))
        sender.endheaders()
        sender.send(large[:3 << 20])
        forget_tokens()
        sender.send(large[3 << 20:])
        assert sender.getresponse().status == 201
        forget_tokens()
        assert host.get("s", "token/large").body == large
        forget_tokens()
        assert len(host.request("GET", "s/objects?prefix=token/").json["objects"]) == 9
        forget_tokens()
        assert host.post("s/delete", {"keys": [f"token/{index}" for index in range(8)] + ["token/large"]}).status == 200
        assert names(connect(), "failures", prefix="token/") == []
        assert identity.logins <= 8, f"{identity.logins} logins"
        assert "AUTH_tk" not in host.text(), "a token in the log"


def a_token_is_renewed_before_it_ends():
    with Identity(AUTH, life=2) as identity, \
            running(BUILD, "swift", {"s": {}}, SHARED | {"authurl": identity.url}) as host:
        end = time.monotonic() + 20
        reads = 0
        while identity.logins < 3:
            assert host.get("s", "there").body == b"there"
            reads += 1
            assert time.monotonic() < end, "a token that ends is not renewed"
        assert reads > identity.logins, f"{identity.logins} logins for {reads} reads"


def the_second_version_of_keystone_is_spoken():
    storages = {
        "second": {"auth_version": "2", "user": "tester", "project_name": "test", "region": "Here"},
        "pair": {"auth_version": "2.0", "os_options": {"region_name": "Here"}},
        "elsewhere": {"auth_version": "2", "region": "Mars"},
        "wrong": {"auth_version": "2", "key": "wrong", "region": "Here"},
    }
    with Identity(AUTH) as identity, running(BUILD, "swift", storages, SHARED | {"authurl": identity.url}) as host:
        assert host.get("second", "there").body == b"there"
        assert host.get("pair", "there").body == b"there"
        answer = host.get("elsewhere", "there")
        assert "region" in answer.json["detail"] and answer.status == 422, answer.body
        assert host.get("wrong", "there").code == "unauthenticated"


def start_proxy():
    log = open(f"{STORE}/log/proxy", "a")
    tools = f"{os.environ['PYTHON_VENV']}/bin"
    process = subprocess.Popen(
        [f"{tools}/python", f"{tools}/swift-proxy-server", f"{STORE}/etc/proxy-server.conf", "-v"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )
    pathlib.Path(f"{STORE}/run/proxy.pid").write_text(str(process.pid))
    end = time.monotonic() + 60
    while subprocess.run(["curl", "-s", "-f", "-o", "/dev/null", "-m", "2", f"{URL}/healthcheck"]).returncode:
        assert time.monotonic() < end, "the proxy does not come back"
        time.sleep(0.1)


def kill_proxy():
    os.kill(int(pathlib.Path(f"{STORE}/run/proxy.pid").read_text()), signal.SIGKILL)


def a_server_pulled_away_loses_nothing():
    old, large = os.urandom(1000), os.urandom(24 << 20)
    with running(BUILD, "swift", {"s": {}}, SHARED | SHORT | {"retries": 1}) as host:
        host.put("s", "kept", old)
        host.put("s", "large", large)
        # In the midst of a write: the old object stays, and the answer is an error.
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/kept")
        sender.putheader("Content-Length", str(len(large)))
        sender.endheaders()
        sender.send(large[:9 << 20])
        kill_proxy()
        start = time.monotonic()
        try:
            sender.send(large[9 << 20:])
            status = sender.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            status = None
        assert status is None or status >= 500, status
        assert time.monotonic() - start < 30, "an upload does not end"
        answer = host.get("s", "kept")
        assert answer.status == 503 and answer.json["retryable"], (answer.status, answer.body)
        start_proxy()
        assert host.get("s", "kept").body == old
        # In the midst of a read: fewer bytes are never a success.
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/large")
        response = reader.getresponse()
        got = response.read(1 << 20)
        kill_proxy()
        try:
            got += response.read()
            assert got == large, f"{len(got)} bytes passed off as {len(large)}"
        except Exception as error:  # The connection breaks in one of several ways.
            assert not isinstance(error, AssertionError), error
        start_proxy()
        assert host.get("s", "large").body == large
        keys = [entry["key"] for entry in host.request("GET", "s/objects").json["objects"]]
        assert sorted(key for key in keys if not key.startswith("net-")) == ["kept", "large", "there"], keys


def a_faulty_network_loses_and_mixes_nothing(seed, plan):
    target = URL.removeprefix("http://")
    proxy = subprocess.Popen(
        [f"{SERVERS}/faulty-proxy", "--target", target, "--seed", str(seed), "--plan", plan, "--rate", "0.12",
         "--until-eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    port = int(proxy.stdout.readline())
    storages = {"bad": {"storage_url": f"http://127.0.0.1:{port}/v1/AUTH_test", "retries": 6, **SHORT}, "good": {}}
    counts = {"done": 0, "failed": 0}
    failures = []
    try:
        with running(BUILD, "swift", storages, SHARED) as host:
            def write(worker):
                mine = random.Random(seed * 100 + worker)
                state = {}
                for turn in range(8):
                    key = f"net-{seed}/{worker}/{mine.randrange(3)}"
                    body = mine.randbytes(mine.choice([0, 10, 3000, 200_000] + ([3 << 20] if turn % 4 == 3 else [])))
                    answer = host.object("PUT", "bad", key, body)
                    if answer.status in (200, 201):
                        counts["done"] += 1
                        state[key] = [body]
                    else:
                        counts["failed"] += 1
                        assert answer.status >= 500, (key, answer.status, answer.body)
                        # It may have been done: then it is the old or the new one, whole.
                        state.setdefault(key, [None]).append(body)
                    read = host.get("bad", key)
                    if read.status == 200:
                        assert read.body in [one for one in state[key] if one is not None], (key, len(read.body))
                    else:
                        assert read.status >= 500 or None in state[key], (key, read.status, read.body)
                for key, bodies in state.items():
                    read = host.get("good", key)
                    assert (read.body if read.status == 200 else None) in bodies, (key, read.status)

            def guarded(worker):
                try:
                    write(worker)
                except BaseException as error:
                    failures.append(error)

            threads = [threading.Thread(target=guarded, args=(worker,)) for worker in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for failure in failures:
                raise failure
    finally:
        proxy.stdin.close()
        proxy.wait(10)
    print(f"    seed {seed} {plan}: {counts['done']} done, {counts['failed']} failed")


def main():
    client.put_container("failures")
    for prove in [
        wrong_words_are_told_apart, a_forgotten_token_is_one_more_login, a_token_is_renewed_before_it_ends,
        the_second_version_of_keystone_is_spoken,
    ]:
        prove()
        print(f"ok  {prove.__name__}", flush=True)
    for seed, plan in [(1, "reset@10%,reset@50%,reset@99%,truncate"), (2, "lost,duplicate,reset-up@50%,burst503")]:
        a_faulty_network_loses_and_mixes_nothing(seed, plan)
    print("ok  a_faulty_network_loses_and_mixes_nothing", flush=True)
    a_server_pulled_away_loses_nothing()
    print("ok  a_server_pulled_away_loses_nothing", flush=True)


main()
