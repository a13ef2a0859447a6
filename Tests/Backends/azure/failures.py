#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SERVERS_FOLDER`."""

import base64
import os
import random
import subprocess
import sys
import threading
import time

from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from facts import ACCOUNT, APPLICATION, ENDPOINT, HOUR, KEY, PLAIN, SECRET, client, control, now
from host import Connection, running

BUILD, SERVERS = sys.argv[1:]
SHARED = {"container": "failures"}
# Short patience, so that what stalls is noticed within a test's.
SHORT = {"connect_timeout": "2s", "answer_timeout": "2s", "stall_timeout": "1s"}
container = client().get_container_client("failures")


def signature(expiry, **permissions):
    return generate_container_sas(ACCOUNT, "failures", account_key=KEY, expiry=expiry,
                                  permission=ContainerSasPermissions(**permissions))


def wrong_words_are_told_apart():
    container.upload_blob("there", b"there")
    other = base64.b64encode(b"0" * 64).decode()
    reader = signature(now() + HOUR, read=True, list=True)
    expired = signature(now() - HOUR, read=True, write=True, list=True)
    at = {"endpoint": ENDPOINT}
    storages = {
        "good": PLAIN, "wrong-key": PLAIN | {"key": other}, "wrong-account": PLAIN | {"account": "nobody"},
        "wrong-container": PLAIN | {"container": "no-such-container"}, "reader": at | {"sas_token": reader},
        "expired": at | {"sas_token": expired}, "tampered": at | {"sas_token": reader.replace("sig=", "sig=A")},
        "elsewhere": at | {"sas_token": reader, "container": "suite"},
        "wrong-secret": APPLICATION | {"client_secret": "not-the-secret"},
        "wrong-tenant": APPLICATION | {"tenant_id": "no-such-tenant"},
        "wrong-authority": APPLICATION | {"ca_file": None},
        "nobody-home": PLAIN | {"endpoint": "http://127.0.0.1:9/x", "retries": 0, "connect_timeout": "1s"},
    }
    expected = {
        "good": (200, None, None), "wrong-key": (401, "unauthenticated", "credentials"),
        "wrong-account": (401, "unauthenticated", "credentials"),
        "wrong-container": (404, "not_found", "no such container"), "reader": (200, None, None),
        "expired": (401, "unauthenticated", "expired"), "tampered": (401, "unauthenticated", "signature"),
        "elsewhere": (401, "unauthenticated", None), "wrong-secret": (401, "unauthenticated", "AADSTS7000215"),
        "wrong-tenant": (401, "unauthenticated", "AADSTS90002"), "wrong-authority": (503, "unavailable", "certificate"),
        "nobody-home": (503, "unavailable", None),
    }
    with running(BUILD, "azure", storages, SHARED) as host:
        for name, (status, code, words) in expected.items():
            answer = host.get(name, "there")
            assert answer.status == status, (name, answer.status, answer.body)
            if code:
                assert answer.code == code, (name, answer.json)
                assert words is None or words in answer.json["detail"], (name, answer.json)
        for change in [lambda: host.object("PUT", "reader", "new", b"x"), lambda: host.object("DELETE", "reader", "there")]:
            answer = change()
            assert answer.status == 403 and answer.code == "permission_denied", answer.body
        missing = host.object("DELETE", "wrong-container", "there")
        assert missing.status == 404 and "container" in missing.json["detail"], (missing.status, missing.body)
        assert host.request("GET", "wrong-container/objects").status == 404
        assert host.get("good", "there").body == b"there"
        link = host.post("reader/links", {"key": "there", "method": "GET", "expires_in": 60})
        assert link.status >= 400 and link.code == "unsupported", link.body
        log = host.text()
        for secret in [KEY, other, SECRET, "not-the-secret", reader.split("sig=")[1], expired.split("sig=")[1]]:
            assert secret not in log, "a secret in the log"


def a_busy_service_is_waited_for():
    with running(BUILD, "azure", {"s": PLAIN}, SHARED) as host:
        for match, call in [
            ("GET /cofferaccount/failures/there", lambda: host.get("s", "there")),
            ("PUT /cofferaccount/failures/busy", lambda: host.object("PUT", "s", "busy", b"x")),
            ("DELETE /cofferaccount/failures/busy", lambda: host.object("DELETE", "s", "busy")),
        ]:
            control("faults", [{"match": match, "status": 503, "code": "ServerBusy", "retry_after": 1, "count": 1}])
            start = time.monotonic()
            answer = call()
            assert answer.status in (200, 201, 204), (match, answer.status, answer.body)
            assert time.monotonic() - start >= 1, "Retry-After was not waited for"
        control("faults", [{"match": "PUT failures/busy", "status": 500, "code": "InternalError", "count": 2}])
        assert host.object("PUT", "s", "busy", b"x").status in (200, 201)
        # Who asks too long gets the answer at once.
        control("faults", [{"match": "GET failures/there", "status": 503, "code": "ServerBusy", "retry_after": 300}])
        answer = host.get("s", "there")
        assert answer.status in (429, 503) and answer.json["retryable"], (answer.status, answer.body)
    control("faults", [])


def a_lost_answer_is_no_lost_condition():
    large = os.urandom(3 << 20)
    with running(BUILD, "azure", {"s": PLAIN | {"part_size": "1MiB"}}, SHARED) as host:
        for name, body in [("small", b"x"), ("large", large)]:
            control("faults", [{"match": f"PUT failures/once-{name}" + (" blocklist" if name == "large" else ""),
                                "cut": "after", "count": 1}])
            answer = host.object("PUT", "s", f"once-{name}", body, "?on_conflict=error")
            assert answer.status in (200, 201), (name, answer.status, answer.body)
            tag = answer.json["etag"]
            assert host.object("PUT", "s", f"once-{name}", body, "?on_conflict=error").status == 409
            control("faults", [{"match": f"DELETE failures/once-{name}", "cut": "after", "count": 1}])
            removed = host.object("DELETE", "s", f"once-{name}", If_Match=f'"{tag}"')
            assert removed.status in (200, 204), (removed.status, removed.body)
    control("faults", [])


def an_older_service_is_listed_too():
    """One that cannot begin a listing anywhere refuses the version that can."""
    with running(BUILD, "azure", {"s": PLAIN}, SHARED) as host:
        keys = [f"older/{number:03}" for number in range(20)]
        for key in keys:
            host.put("s", key, b"")
        control("faults", [{"match": "startFrom", "status": 400, "code": "InvalidHeaderValue", "count": 100}])
        for _ in range(2):
            page = host.request("GET", "s/objects?prefix=older/&start_after=older/011").json
            assert [one["key"] for one in page["objects"]] == keys[12:], page
    control("faults", [])


def a_token_that_ended_is_renewed():
    with running(BUILD, "azure", {"s": APPLICATION}, SHARED) as host:
        assert host.get("s", "there").body == b"there"
        control("tokens")
        assert host.get("s", "there").body == b"there"
        host.put("s", "renewed", b"x")


def two_large_writes_of_one_name_mix_nothing():
    bodies = [os.urandom((3 << 20) + 5), os.urandom((3 << 20) + 5)]
    with running(BUILD, "azure", {"s": PLAIN | {"part_size": "1MiB"}}, SHARED) as host:
        senders = []
        for body in bodies:
            sender = Connection(host.socket, 60)
            sender.putrequest("PUT", "/v1/storages/s/objects/both")
            sender.putheader("Content-Length", str(len(body)))
            sender.endheaders()
            sender.send(body[:2 << 20])
            senders.append(sender)
        answers = []
        for sender, body in zip(senders, bodies):
            sender.send(body[2 << 20:])
            answer = sender.getresponse()
            answers.append((answer.status, answer.read()))
        done = [body for body, (status, _) in zip(bodies, answers) if status in (200, 201)]
        assert done and host.get("s", "both").body == done[-1], answers
        for status, text in answers:
            assert status in (200, 201) or (status == 503 and b"another write" in text), (status, text)


def a_server_pulled_away_loses_nothing():
    old, large = os.urandom(1000), os.urandom(24 << 20)
    with running(BUILD, "azure", {"s": PLAIN | SHORT | {"retries": 1}}, SHARED) as host:
        host.put("s", "kept", old)
        host.put("s", "large", large)
        # In the midst of a write: the old object stays, and the answer is an error.
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/kept")
        sender.putheader("Content-Length", str(len(large)))
        sender.endheaders()
        sender.send(large[:9 << 20])
        control("away")
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
        control("back")
        assert host.get("s", "kept").body == old
        # In the midst of a read: fewer bytes are never a success.
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/large")
        response = reader.getresponse()
        got = response.read(1 << 20)
        control("away")
        try:
            got += response.read()
            assert got == large, f"{len(got)} bytes passed off as {len(large)}"
        except Exception as error:  # The connection breaks in one of several ways.
            assert not isinstance(error, AssertionError), error
        control("back")
        assert host.get("s", "large").body == large


def a_faulty_network_loses_and_mixes_nothing(seed, plan):
    target, _, path = ENDPOINT.removeprefix("http://").partition("/")
    proxy = subprocess.Popen(
        [f"{SERVERS}/faulty-proxy", "--target", target, "--seed", str(seed), "--plan", plan, "--rate", "0.15",
         "--until-eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    port = int(proxy.stdout.readline())
    bad = {"endpoint": f"http://127.0.0.1:{port}/{path}", "retries": 6, "part_size": "1MiB", **SHORT}
    counts = {"done": 0, "failed": 0}
    slowest = [0.0]
    try:
        with running(BUILD, "azure", {"bad": PLAIN | bad, "good": PLAIN}, SHARED) as host:
            def write(worker):
                mine = random.Random(f"{seed} {worker}")
                state = {}
                for turn in range(12):
                    key = f"net-{seed}/{worker}/{mine.randrange(4)}"
                    body = mine.randbytes(mine.choice([0, 10, 3000, 200_000] + ([3 << 20] if turn % 6 == 5 else [])))
                    creates = key not in state
                    start = time.monotonic()
                    # A create has nobody beside it: a conflict would be our own repetition.
                    answer = host.object("PUT", "bad", key, body, "?on_conflict=error" if creates else "")
                    slowest[0] = max(slowest[0], time.monotonic() - start)
                    if answer.status in (200, 201):
                        counts["done"] += 1
                        state[key] = [body]
                    else:
                        counts["failed"] += 1
                        assert answer.status != 409 or not creates, (key, answer.body)
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

            failures = []

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
    print(f"    seed {seed} {plan}: {counts['done']} done, {counts['failed']} failed, slowest {slowest[0]:.1f} s")


def main():
    container.create_container()
    for proof in [
        wrong_words_are_told_apart, a_busy_service_is_waited_for, a_lost_answer_is_no_lost_condition,
        an_older_service_is_listed_too, a_token_that_ended_is_renewed, two_large_writes_of_one_name_mix_nothing, a_server_pulled_away_loses_nothing,
    ]:
        proof()
        print("so:", proof.__name__.replace("_", " "), flush=True)
    for seed, plan in [
        (1, "reset@10%,reset@50%,reset@99%,truncate"), (2, "lost,duplicate,reset-up@50%"),
        (3, "burst503,latency=30,slow"), (4, "stall,stall-up,lost"),
    ]:
        a_faulty_network_loses_and_mixes_nothing(seed, plan)
    print("so: a faulty network loses and mixes nothing", flush=True)


main()
