#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SERVERS_FOLDER DOUBLE_FOLDER`.

The double's facts stand in the environment; it is taken off the network, and comes back with what it holds.
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

from dropbox import files

from host import Connection, running
from sdk import API, CONTENT, GRANT, TOKEN, client, harm

BUILD, SERVERS, PLACE = sys.argv[1:]
PID = int(os.environ["SERVER_PID"])
ENDS = {"api_endpoint": API, "content_endpoint": CONTENT}
KEYS = {"app_key": GRANT["app_key"], "app_secret": GRANT["app_secret"]}
REFRESH = KEYS | {"refresh_token": GRANT["oauth2_refresh_token"]}
SHARED = ENDS | {"root_path": "/failures", "part_size": "4MiB"}

dbx = client()


def at_once(count, work):
    """Runs `work` in threads; the first failure is everybody's."""
    failures = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def wrong_words_are_told_apart():
    dbx.files_upload(b"there", "/failures/there")
    good = {"access_token": TOKEN}
    storages = {
        "good": good, "wrong-token": {"access_token": "sl.not-the-token"},
        "expired": {"access_token": "sl.double-expired"}, "reader": {"access_token": "sl.double-reader"},
        "wrong-refresh": REFRESH | {"refresh_token": "not-the-refresh"},
        "wrong-secret": REFRESH | {"app_secret": "not-the-secret"},
        "wrong-space": good | {"namespace": "42"}, "foreign-space": good | {"namespace": "99"},
        "nobody-home": good | {"api_endpoint": "http://127.0.0.1:9", "content_endpoint": "http://127.0.0.1:9",
                               "retries": 0, "connect_timeout": "1s"},
    }
    expected = {
        "good": (200, None, None), "wrong-token": (401, "unauthenticated", "access token"),
        "expired": (401, "unauthenticated", "expired"), "reader": (200, None, None),
        "wrong-refresh": (401, "unauthenticated", "refresh_token"),
        "wrong-secret": (401, "unauthenticated", "app_secret"),
        "wrong-space": (422, "config_invalid", "namespace"), "foreign-space": (422, "config_invalid", "namespace"),
        "nobody-home": (503, "unavailable", None),
    }
    with running(BUILD, "dropbox", storages, SHARED) as host:
        for name, (status, code, words) in expected.items():
            answer = host.get(name, "there")
            assert answer.status == status, (name, answer.status, answer.body)
            if code:
                assert answer.code == code, (name, answer.json)
                assert words is None or words in answer.json["detail"], (name, answer.json)
                health = host.request("GET", f"{name}/health")
                assert "not-the" not in str(health.body) and health.json.get("status") != "ok", (name, health.body)
        for method, key in [("PUT", "new"), ("DELETE", "there")]:
            answer = host.object(method, "reader", key, b"x" if method == "PUT" else None)
            assert answer.status == 403 and answer.code == "permission_denied", answer.body
            assert "files.content.write" in answer.json["detail"], answer.json
        assert host.get("good", "there").body == b"there"
        log = host.text()
        for secret in [TOKEN, "not-the-token", "not-the-refresh", "not-the-secret", "double-refresh", "double-secret"]:
            assert secret not in log, "a secret in the log"


def wrong_options_are_named():
    for wrong, name in [
        ({}, "refresh_token"), ({"refresh_token": "x"}, "app_key"), ({"access_token": "a b"}, "access_token"),
        ({"access_token": "x", "api_endpoint": "http://dropbox.example"}, "api_endpoint"),
        ({"access_token": "x", "content_endpoint": "http://10.0.0.1:80"}, "content_endpoint"),
        ({"access_token": "x", "part_size": "5MiB"}, "part_size"),
        ({"access_token": "x", "root_path": "a/../b"}, "root_path"),
        ({"access_token": "x", "namespace": "a/b"}, "namespace"),
    ]:
        with running(BUILD, "dropbox", {"wrong": wrong}) as host:
            answer = host.get("wrong", "x")
            assert answer.status >= 400 and f"option {name}" in str(answer.body), (wrong, answer.status, answer.body)


def tokens_are_renewed_once_for_all():
    with running(BUILD, "dropbox", {"s": REFRESH}, SHARED) as host:
        before = harm().get("/oauth2/token", 0)
        host.put("s", "renewed", b"one")
        assert harm()["/oauth2/token"] == before + 1
        harm(expire=True)
        at_once(12, lambda number: host.put("s", f"renewed-{number}", bytes([number])))
        # Who was sent away while another renewed takes what that one got.
        assert harm()["/oauth2/token"] == before + 2, harm()["/oauth2/token"] - before
        # In the midst of a large write too.
        sender = Connection(host.socket, 60)
        body = os.urandom(13 << 20)
        sender.putrequest("PUT", "/v1/storages/s/objects/renewed")
        sender.putheader("Content-Length", str(len(body)))
        sender.endheaders()
        sender.send(body[:6 << 20])
        harm(expire=True)
        sender.send(body[6 << 20:])
        assert sender.getresponse().status == 200
        assert host.get("s", "renewed").body == body


def another_token_of_the_operator_is_taken():
    dbx.files_upload(b"there", "/failures/rotated")
    with running(BUILD, "dropbox", {"s": {"access_token": "sl.double-expired"}}, SHARED) as host:
        assert host.get("s", "rotated").status == 401
        profile = pathlib.Path(f"{host.folder}/coffer.yaml")
        profile.write_text(profile.read_text().replace("sl.double-expired", TOKEN))
        host.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while (answer := host.get("s", "rotated")).status != 200:
            assert time.monotonic() < end, (answer.status, answer.body)
        assert answer.body == b"there"


def limits_are_waited_for():
    storages = {"patient": {}, "hasty": {"retries": 1}}
    with running(BUILD, "dropbox", storages, SHARED | {"access_token": TOKEN}) as host:
        host.put("patient", "limited", b"old")
        for words in [{"limit": 3}, {"contend": 3}, {"fail": 2}]:
            for step in [
                lambda: host.object("PUT", "patient", "limited", os.urandom(20)),
                lambda: host.object("PUT", "patient", "large", os.urandom(9 << 20)),
                lambda: host.post("patient/copy", {"from": "limited", "to": f"copy-{json.dumps(words)}"}),
                lambda: host.get("patient", "limited"),
                lambda: host.object("DELETE", "patient", f"copy-{json.dumps(words)}"),
                lambda: host.post("patient/delete", {"keys": ["limited", "large"]}),
            ]:
                harm(**words)
                answer = step()
                # What may have been done is not done again: a copy that 500 answered says so.
                unsure = "fail" in words and answer.status == 503
                assert answer.status < 300 or unsure, (words, answer.status, answer.body)
        host.put("patient", "limited", b"old")
        for words in [{"limit": 9}, {"contend": 9}]:
            harm(**words)
            answer = host.object("PUT", "hasty", "limited", b"new")
            assert answer.status == 429 and answer.code == "rate_limited", (words, answer.status, answer.body)
            assert answer.json["retryable"], answer.json
            harm(limit=0, contend=0)
            assert host.get("patient", "limited").body == b"old"


def damage_is_noticed():
    with running(BUILD, "dropbox", {"s": {}}, SHARED | {"access_token": TOKEN}) as host:
        body = os.urandom(3 << 20)
        host.put("s", "damaged", body)
        harm(damage=1)
        try:
            answer = host.get("s", "damaged")
            assert answer.status >= 500, "damaged bytes pass for good ones"
        except Exception as error:  # The connection breaks in one of several ways.
            assert not isinstance(error, AssertionError), error
        assert host.get("s", "damaged").body == body


def turn_network():
    """Takes the double off the network, or brings it back; returns once that is so."""
    facts = pathlib.Path(f"{PLACE}/facts")
    turns = facts.read_text().count("\n")
    os.kill(PID, signal.SIGUSR1)
    end = time.monotonic() + 20
    while facts.read_text().count("\n") == turns:
        assert time.monotonic() < end, "the double does not turn"
        time.sleep(0.01)


def a_server_pulled_away_loses_nothing():
    old, large = os.urandom(1000), os.urandom(24 << 20)
    with running(BUILD, "dropbox", {"s": {"retries": 1}}, SHARED | {"access_token": TOKEN}) as host:
        host.put("s", "kept", old)
        host.put("s", "big", large)
        # In the midst of a write: the old object stays, and the answer is an error.
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/kept")
        sender.putheader("Content-Length", str(len(large)))
        sender.endheaders()
        sender.send(large[:9 << 20])
        turn_network()
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
        turn_network()
        assert host.get("s", "kept").body == old
        # In the midst of a read: fewer bytes are never a success, and one revision is read to its end.
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/big")
        response = reader.getresponse()
        got = response.read(1 << 20)
        turn_network()
        try:
            got += response.read()
            assert got == large, f"{len(got)} bytes passed off as {len(large)}"
        except Exception as error:  # The connection breaks in one of several ways.
            assert not isinstance(error, AssertionError), error
        turn_network()
        assert host.get("s", "big").body == large


def a_read_goes_on_at_its_revision(proxy):
    """A connection that breaks in the midst of a read, while the file is replaced: all old."""
    old = os.urandom(6 << 20)
    dbx.files_upload(old, "/failures/replaced", files.WriteMode.overwrite)
    storages = {"s": {"content_endpoint": f"http://127.0.0.1:{proxy}"}}
    with running(BUILD, "dropbox", storages, SHARED | {"access_token": TOKEN}) as host:
        before = harm().get("/2/files/download", 0)
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/replaced")
        response = reader.getresponse()
        got = response.read(1000)
        dbx.files_upload(b"new", "/failures/replaced", files.WriteMode.overwrite)
        assert got + response.read() == old
        assert harm()["/2/files/download"] > before + 1, "the connection did not break"
        assert host.get("s", "replaced").body == b"new"


class Proxy:
    """A faulty network before the host that bytes go to."""

    def __init__(self, target, seed, plan, rate, most=None):
        self.process = subprocess.Popen(
            [f"{SERVERS}/faulty-proxy", "--target", target.removeprefix("http://"), "--seed", str(seed), "--plan", plan,
             "--rate", str(rate), "--until-eof", *(["--quiet-after", str(most)] if most else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )

    def __enter__(self):
        return int(self.process.stdout.readline())

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


def a_faulty_network_loses_and_mixes_nothing(seed, plan):
    counts = {"done": 0, "failed": 0, "broken": 0}
    with Proxy(CONTENT, seed, plan, 0.15) as content, Proxy(API, seed + 100, plan, 0.15) as api:
        bad = {"api_endpoint": f"http://127.0.0.1:{api}", "content_endpoint": f"http://127.0.0.1:{content}"}
        with running(BUILD, "dropbox", {"bad": bad, "good": {}}, SHARED | {"access_token": TOKEN}) as host:
            def write(worker):
                mine = random.Random(seed * 100 + worker)
                state = {}
                for turn in range(10):
                    key = f"net-{seed}/{worker}/{mine.randrange(4)}"
                    size = mine.choice([0, 10, 3000, 200_000] + ([9 << 20] if turn % 5 == 4 else []))
                    body = mine.randbytes(size)
                    creates = key not in state
                    answer = host.object("PUT", "bad", key, body, "?on_conflict=error" if creates else "")
                    if answer.status in (200, 201):
                        counts["done"] += 1
                        state[key] = [body]
                    else:
                        counts["failed"] += 1
                        assert answer.status != 409 or not creates, (key, answer.body)
                        # It may have been done: then it is the old or the new one, whole.
                        state.setdefault(key, [None]).append(body)
                    try:
                        read = host.get("bad", key)
                    except http.client.IncompleteRead:
                        # What breaks off is no success: nobody takes it for whole.
                        counts["broken"] += 1
                        continue
                    if read.status == 200:
                        assert read.body in [one for one in state[key] if one is not None], (key, len(read.body))
                    else:
                        assert read.status >= 500 or None in state[key], (key, read.status, read.body)
                for key, bodies in state.items():
                    read = host.get("good", key)
                    assert (read.body if read.status == 200 else None) in bodies, (key, read.status)

            at_once(4, write)
    print(f"    seed {seed} {plan}: {counts['done']} done, {counts['failed']} failed, {counts['broken']} reads broken")


for proof in [
    wrong_words_are_told_apart, wrong_options_are_named, tokens_are_renewed_once_for_all,
    another_token_of_the_operator_is_taken, limits_are_waited_for, damage_is_noticed,
]:
    proof()
    print("ok", proof.__name__.replace("_", " "), flush=True)
with Proxy(CONTENT, 7, "reset@10%", 1, most=1) as port:
    a_read_goes_on_at_its_revision(port)
print("ok a read goes on at its revision", flush=True)
for seed, plan in [
    (1, "reset@10%,reset@50%,reset@99%,truncate"), (2, "lost,reset-up@50%"), (3, "burst503,latency=30,slow"),
]:
    a_faulty_network_loses_and_mixes_nothing(seed, plan)
print("ok a faulty network loses and mixes nothing", flush=True)
a_server_pulled_away_loses_nothing()
print("ok a server pulled away loses nothing", flush=True)
