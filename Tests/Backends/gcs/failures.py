#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SERVERS_FOLDER DOUBLE_FOLDER`.

Wants a double of our own in that folder, which is killed at the end.
"""

import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

from clients import ENDPOINT, KEYS, ask_double, client, fail_next
from host import Connection, running

BUILD, SERVERS, DOUBLE = sys.argv[1:]
SHARED = {"endpoint": ENDPOINT, "credentials_file": KEYS["owner"], "container": "failures"}
# Short patience, so that what stalls is noticed within a test's.
SHORT = {"connect_timeout": "2s", "answer_timeout": "2s", "stall_timeout": "1s"}
LARGE = os.urandom((3 << 20) + 77)
google = client()


def wrong_words_are_told_apart():
    google.bucket("failures").blob("there").upload_from_string(b"there")
    forged = json.loads(pathlib.Path(KEYS["owner"]).read_text())
    forged["private_key"] = json.loads(pathlib.Path(KEYS["stranger"]).read_text())["private_key"]
    path = f"{DOUBLE}/forged.json"
    pathlib.Path(path).write_text(json.dumps(forged))
    none = {"credentials_file": None}
    storages = {
        "good": {}, "forged": {"credentials_file": path}, "wrong-bucket": {"container": "no-such-bucket"},
        "reader": {"credentials_file": KEYS["reader"]}, "stranger": {"credentials_file": KEYS["stranger"]},
        "anonymous": {"credentials": "anonymous", **none},
        "no-machine": {"credentials": "metadata", "metadata_endpoint": "http://127.0.0.1:9", **none},
        "nobody-home": {"endpoint": "http://127.0.0.1:9", "retries": 0, "connect_timeout": "1s"},
    }
    expected = {
        "good": (200, None, None), "forged": (401, "unauthenticated", "invalid_grant"),
        "wrong-bucket": (404, "not_found", "no such bucket"), "reader": (200, None, None),
        "stranger": (403, "permission_denied", "do not allow"), "anonymous": (401, "unauthenticated", None),
        "no-machine": (401, "unauthenticated", "credentials_file"), "nobody-home": (503, "unavailable", None),
    }
    with running(BUILD, "gcs", storages, SHARED) as host:
        for name, (status, code, words) in expected.items():
            answer = host.get(name, "there")
            assert answer.status == status, (name, answer.status, answer.body)
            if code:
                assert answer.code == code, (name, answer.json)
                assert words is None or words in answer.json["detail"], (name, answer.json)
        for change in [
            lambda: host.object("PUT", "reader", "new", b"x"), lambda: host.object("DELETE", "reader", "there"),
            lambda: host.post("reader/copy", {"from": "there", "to": "new"}),
        ]:
            answer = change()
            assert answer.status == 403 and answer.code == "permission_denied", answer.body
        assert host.object("DELETE", "wrong-bucket", "there").status == 404
        assert host.get("good", "there").body == b"there"
        log = host.text()
        for secret in ["PRIVATE KEY", forged["private_key"][100:160], "ya29."]:
            assert secret not in log, "a secret in the log"


def tokens_are_renewed(host):
    host.put("s", "renewed", b"1")
    for turn in range(3):
        before = ask_double("GET", "facts")["issued"]
        ask_double("POST", "withdraw", {})
        assert host.get("s", "renewed").body == b"1"
        ask_double("POST", "withdraw", {})
        host.put("s", "renewed", b"1")
        ask_double("POST", "withdraw", {})
        host.put("s", "renewed-large", LARGE)
        assert ask_double("GET", "facts")["issued"] >= before + 3


def asked_to_wait_it_waits(host):
    for status, reason in [(503, "backendError"), (429, "rateLimitExceeded")]:
        fail_next("POST /upload", status=status, reason=reason, retry_after=1)
        start = time.monotonic()
        host.put("s", "waits", str(status).encode())
        assert time.monotonic() - start >= 1, "it did not wait"
        fail_next("alt=media", status=status, reason=reason, retry_after=1)
        start = time.monotonic()
        assert host.get("s", "waits").body == str(status).encode()
        assert time.monotonic() - start >= 1, "it did not wait"
    for status in [500, 502, 504]:
        fail_next("GET .*/o/waits", status=status, times=2)
        assert host.get("s", "waits").status == 200
    # What is refused for good is not asked for again and again.
    fail_next("GET .*/o/waits$", status=403, reason="forbidden", times=2)
    assert host.get("s", "waits").status == 403
    assert ask_double("GET", "facts")["faults"] == 0


def broken_chunks_are_taken_up_again(host):
    for fault in [
        {"break": 0.5}, {"break": 0.01}, {"break": 0.9, "skip": 1}, {"late": True}, {"late": True, "skip": 3},
        {"status": 503}, {"status": 500, "skip": 1, "times": 2}, {"status": 408, "skip": 3}, {"status": 429, "retry_after": 0},
    ]:
        fail_next("PUT /upload", **fault)
        content = os.urandom(len(LARGE))
        host.put("s", "broken", content)
        assert host.get("s", "broken").body == content, fault
        assert ask_double("GET", "facts")["faults"] == 0, fault
    assert ask_double("GET", "facts")["sessions"] == 0
    # The session is gone: an error, and the old one stays.
    fail_next("PUT /upload", status=410, reason="gone", skip=1)
    assert host.object("PUT", "s", "broken", LARGE).status >= 500
    assert host.get("s", "broken").body == content


def lost_answers_lose_nothing(host):
    for turn, size in enumerate([5, len(LARGE)]):
        kind = "uploadType=multipart" if size == 5 else r"PUT /upload"
        fail_next(kind, late=True, skip=0 if size == 5 else 3)
        answer = host.object("PUT", "s", f"lost-{turn}", LARGE[:size], "?on_conflict=error")
        assert answer.status == 201, (answer.status, answer.body)
        tag = answer.headers["ETag"]
        fail_next(kind, late=True, skip=0 if size == 5 else 3)
        answer = host.object("PUT", "s", f"lost-{turn}", LARGE[1:size + 1], If_Match=tag)
        assert answer.status == 200, (answer.status, answer.body)
        assert host.get("s", f"lost-{turn}").body == LARGE[1:size + 1]
        fail_next("rewriteTo", late=True)
        answer = host.post("s/copy", {"from": f"lost-{turn}", "to": f"lost-copy-{turn}", "on_conflict": "error"})
        assert answer.status in (200, 201), (answer.status, answer.body)
    fail_next("PATCH", late=True)
    answer = host.request("PATCH", "s/stat/lost-0", '{"metadata": {"k": "v"}}', {"Content-Type": "application/json"})
    assert answer.status == 200 and answer.json["metadata"] == {"k": "v"}, answer.body
    assert ask_double("GET", "facts")["faults"] == 0


def damage_is_noticed(host):
    for size in [1000, len(LARGE)]:
        content = LARGE[:size]
        host.put("s", "damaged", content)
        fail_next("alt=media", corrupt=True)
        try:
            answer = host.get("s", "damaged")
            assert answer.status == 502 and answer.code == "corrupt", (answer.status, len(answer.body))
        except (http.client.IncompleteRead, ConnectionResetError):
            pass  # The head was gone already: the body ends too early.
        assert host.get("s", "damaged").body == content
        fail_next("alt=media", cut=0.5)
        assert host.get("s", "damaged").body == content
        fail_next("uploadType=multipart" if size == 1000 else "PUT /upload", spoil=True, skip=0 if size == 1000 else 3)
        answer = host.object("PUT", "s", "damaged", bytes(size))
        assert answer.status >= 500, (answer.status, answer.body)
        assert host.get("s", "damaged").body == content
    assert ask_double("GET", "facts")["faults"] == 0


def what_is_broken_off_leaves_nothing(host):
    host.put("s", "kept", b"kept")
    sender = Connection(host.socket, 60)
    sender.putrequest("PUT", "/v1/storages/s/objects/kept")
    sender.putheader("Content-Length", str(len(LARGE)))
    sender.endheaders()
    sender.send(LARGE[:2 << 20])
    end = time.monotonic() + 20
    while not ask_double("GET", "facts")["sessions"]:
        assert time.monotonic() < end, "no session was begun"
    sender.close()
    while ask_double("GET", "facts")["sessions"]:
        assert time.monotonic() < end, "the session was not ended"
    assert host.get("s", "kept").body == b"kept"


def a_faulty_network_loses_and_mixes_nothing(seed, plan):
    """Writers behind a proxy that breaks things: what was acknowledged is there, whole, and nothing else is."""
    proxy = subprocess.Popen(
        [f"{SERVERS}/faulty-proxy", "--target", ENDPOINT.removeprefix("http://"), "--seed", str(seed), "--plan", plan,
         "--rate", "0.15", "--until-eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    port = int(proxy.stdout.readline())
    storages = {
        "bad": {"endpoint": f"http://127.0.0.1:{port}", "retries": 6, "chunk_size": "1MiB", **SHORT}, "good": {},
    }
    counts = {"done": 0, "failed": 0}
    chance = random.Random(seed)
    try:
        with running(BUILD, "gcs", storages, SHARED) as host:
            def write(worker, mine):
                state = {}
                for turn in range(8):
                    key = f"net-{seed}/{worker}/{mine.randrange(3)}"
                    body = mine.randbytes(mine.choice([0, 10, 3000, 200_000]) if turn % 4 else 3_000_000)
                    creates = key not in state
                    answer = host.object("PUT", "bad", key, body, "?on_conflict=error" if creates else "")
                    if answer.status in (200, 201):
                        counts["done"] += 1
                        state[key] = [body]
                    else:
                        counts["failed"] += 1
                        # A create has nobody beside it: a conflict would be our own repetition.
                        assert answer.status != 409, (key, answer.body)
                        # It may have been done: then it is the old or the new one, whole.
                        state.setdefault(key, [None]).append(body)
                    try:
                        read = host.get("bad", key)
                    except http.client.IncompleteRead:
                        continue
                    if read.status == 200:
                        assert read.body in [one for one in state[key] if one is not None], (key, len(read.body))
                    else:
                        assert read.status >= 500 or None in state[key], (key, read.status, read.body)
                for key, bodies in state.items():
                    read = host.get("good", key)
                    assert (read.body if read.status == 200 else None) in bodies, (key, read.status)

            failures = []

            def guarded(worker, mine):
                try:
                    write(worker, mine)
                except BaseException as error:
                    failures.append(error)

            threads = [
                threading.Thread(target=guarded, args=(worker, random.Random(chance.random()))) for worker in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for failure in failures:
                raise failure
    finally:
        proxy.stdin.close()
        proxy.wait(10)
    print(f"    seed {seed} {plan}: {counts['done']} done, {counts['failed']} failed", flush=True)


def a_server_pulled_away_is_an_error_in_time():
    with running(BUILD, "gcs", {"s": {}}, SHARED | SHORT | {"retries": 1, "chunk_size": "256KiB"}) as host:
        host.put("s", "large", os.urandom(24 << 20))
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/large")
        answer = reader.getresponse()
        assert len(answer.read(1 << 20)) == 1 << 20
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/kept")
        sender.putheader("Content-Length", str(len(LARGE)))
        sender.endheaders()
        sender.send(LARGE[:1 << 20])
        os.kill(int(pathlib.Path(f"{DOUBLE}/server.pid").read_text()), signal.SIGKILL)
        start = time.monotonic()
        try:
            sender.send(LARGE[1 << 20:])
            status = sender.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            status = None
        assert status is None or status >= 500, status
        try:
            rest = answer.read()
            assert len(rest) < 23 << 20, "more than the server gave"
        except (http.client.IncompleteRead, ConnectionResetError):
            pass
        assert host.get("s", "large").status == 503
        assert time.monotonic() - start < 30, "it took too long to notice"
        assert host.request("GET", "s/health").status in (200, 503)


def main():
    google.create_bucket("failures")
    wrong_words_are_told_apart()
    print("ok  wrong_words_are_told_apart", flush=True)
    with running(BUILD, "gcs", {"s": {}}, SHARED | {"chunk_size": "1MiB"}) as host:
        for prove in [
            tokens_are_renewed, asked_to_wait_it_waits, broken_chunks_are_taken_up_again, lost_answers_lose_nothing,
            damage_is_noticed, what_is_broken_off_leaves_nothing,
        ]:
            prove(host)
            print(f"ok  {prove.__name__}", flush=True)
    for seed, plan in [
        (1, "reset@10%,reset@50%,reset@99%,truncate"), (2, "lost,duplicate,reset-up@50%"), (3, "burst503,latency=30,slow"),
        (4, "stall,stall-up,lost"),
    ]:
        a_faulty_network_loses_and_mixes_nothing(seed, plan)
    print("ok  a_faulty_network_loses_and_mixes_nothing", flush=True)
    a_server_pulled_away_is_an_error_in_time()
    print("ok  a_server_pulled_away_is_an_error_in_time", flush=True)


main()
