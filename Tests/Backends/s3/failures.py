#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SERVERS_FOLDER CLUSTER_FOLDER`.

Wants a Ceph cluster of our own in that folder, whose gateway is killed and started again.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import boto3
from botocore.config import Config

from host import Connection, running

BUILD, SERVERS, CLUSTER = sys.argv[1:]
ENDPOINT, KEY, SECRET = (os.environ[f"S3_{name}"] for name in ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY"])
READER, READER_SECRET = os.environ["S3_READER_KEY"], os.environ["S3_READER_SECRET"]
SHARED = {"endpoint": ENDPOINT, "access_key": KEY, "secret_key": SECRET, "provider": "ceph", "container": "failures"}
# Short patience, so that what stalls is noticed within a test's.
SHORT = {"connect_timeout": "2s", "answer_timeout": "2s", "stall_timeout": "1s"}

client = boto3.client(
    "s3", endpoint_url=ENDPOINT, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1",
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"},
                  request_checksum_calculation="when_required"),
)


def wrong_words_are_told_apart():
    policy = {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::failures", "arn:aws:s3:::failures/*"],
        }],
    }
    client.put_object(Bucket="failures", Key="there", Body=b"there")
    client.put_bucket_policy(Bucket="failures", Policy=json.dumps(policy))
    reader = {"access_key": READER, "secret_key": READER_SECRET}
    storages = {
        "good": {}, "wrong-secret": {"secret_key": "not-the-secret"}, "wrong-key": {"access_key": "nobody"},
        "wrong-bucket": {"container": "no-such-bucket"}, "reader": reader,
        "stranger": {"container": "private", **reader},
        "anonymous": {"credentials": "anonymous", "access_key": None, "secret_key": None},
        "nobody-home": {"endpoint": "http://127.0.0.1:9", "retries": 0, "connect_timeout": "1s"},
    }
    client.create_bucket(Bucket="private")
    client.put_object(Bucket="private", Key="there", Body=b"mine")
    expected = {
        "good": (200, None, None), "wrong-secret": (401, "unauthenticated", "secret key"),
        "wrong-key": (401, "unauthenticated", "access key"), "wrong-bucket": (404, "not_found", "no such bucket"),
        "reader": (200, None, None), "stranger": (403, "permission_denied", None),
        "anonymous": (403, "permission_denied", None), "nobody-home": (503, "unavailable", None),
    }
    with running(BUILD, "s3", storages, SHARED) as host:
        for name, (status, code, words) in expected.items():
            answer = host.get(name, "there")
            assert answer.status == status, (name, answer.status, answer.body)
            if code:
                assert answer.code == code, (name, answer.json)
                assert words is None or words in answer.json["detail"], (name, answer.json)
        health = host.request("GET", "wrong-bucket/health").json
        assert "bucket" in json.dumps(health), health
        for change in [lambda: host.object("PUT", "reader", "new", b"x"), lambda: host.object("DELETE", "reader", "there")]:
            answer = change()
            assert answer.status == 403 and answer.code == "permission_denied", answer.body
        assert host.get("good", "there").body == b"there"
        missing = host.object("DELETE", "wrong-bucket", "there")
        assert missing.status == 404, (missing.status, missing.body)
        log = host.text()
        for secret in [SECRET, READER_SECRET, "not-the-secret"]:
            assert secret not in log, "a secret in the log"


def start_gateway():
    log = open(f"{CLUSTER}/log/gateway.out", "a")
    process = subprocess.Popen(
        ["radosgw", "-n", "client.rgw", "-f"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True, env=os.environ | {"CEPH_CONF": f"{CLUSTER}/ceph.conf"},
    )
    pathlib.Path(f"{CLUSTER}/run/gateway.pid").write_text(str(process.pid))
    end = time.monotonic() + 60
    while subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", "2", ENDPOINT]).returncode:
        assert time.monotonic() < end, "the gateway does not come back"
        time.sleep(0.1)


def kill_gateway():
    os.kill(int(pathlib.Path(f"{CLUSTER}/run/gateway.pid").read_text()), signal.SIGKILL)


def a_server_pulled_away_loses_nothing():
    old = os.urandom(1000)
    large = os.urandom(24 << 20)
    with running(BUILD, "s3", {"s": {}}, SHARED | SHORT | {"retries": 1}) as host:
        host.put("s", "kept", old)
        host.put("s", "large", large)
        # In the midst of a write: the old object stays, and the answer is an error.
        sender = Connection(host.socket, 60)
        sender.putrequest("PUT", "/v1/storages/s/objects/kept")
        sender.putheader("Content-Length", str(len(large)))
        sender.endheaders()
        sender.send(large[:9 << 20])
        kill_gateway()
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
        start_gateway()
        assert host.get("s", "kept").body == old
        # In the midst of a read: fewer bytes are never a success.
        reader = Connection(host.socket, 60)
        reader.request("GET", "/v1/storages/s/objects/large")
        response = reader.getresponse()
        got = response.read(1 << 20)
        kill_gateway()
        try:
            got += response.read()
            assert got == large, f"{len(got)} bytes passed off as {len(large)}"
        except Exception as error:  # The connection breaks in one of several ways.
            assert not isinstance(error, AssertionError), error
        start_gateway()
        assert host.get("s", "large").body == large
        # What was begun and never completed is no object, and a rule of the bucket may clear it away.
        keys = [entry["key"] for entry in host.request("GET", "s/objects").json["objects"]]
        assert sorted(key for key in keys if not key.startswith("net-")) == ["kept", "large", "there"], keys


def a_faulty_network_loses_and_mixes_nothing(seed, plan, options=()):
    target = ENDPOINT.removeprefix("http://")
    proxy = subprocess.Popen(
        [f"{SERVERS}/faulty-proxy", "--target", target, "--seed", str(seed), "--plan", plan, "--rate", "0.15",
         "--until-eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    port = int(proxy.stdout.readline())
    storages = {"bad": {"endpoint": f"http://127.0.0.1:{port}", "retries": 6, **SHORT, **dict(options)}, "good": {}}
    chance = random.Random(seed)
    counts = {"done": 0, "failed": 0}
    slowest = [0.0]
    try:
        with running(BUILD, "s3", storages, SHARED) as host:
            def write(worker):
                mine = random.Random(chance.random() + worker)
                state = {}
                for turn in range(12):
                    key = f"net-{seed}/{worker}/{mine.randrange(4)}"
                    size = mine.choice([0, 10, 3000, 200_000] + ([9 << 20] if turn % 6 == 5 else []))
                    body = mine.randbytes(size)
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
                        assert answer.status != 409 or not creates or key in state, (key, answer.body)
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
    client.create_bucket(Bucket="failures")
    wrong_words_are_told_apart()
    print("ok  wrong_words_are_told_apart", flush=True)
    for seed, plan in [
        (1, "reset@10%,reset@50%,reset@99%,truncate"), (2, "lost,duplicate,reset-up@50%"),
        (3, "burst503,latency=30,slow"), (4, "stall,stall-up,lost"),
    ]:
        a_faulty_network_loses_and_mixes_nothing(seed, plan)
    print("ok  a_faulty_network_loses_and_mixes_nothing", flush=True)
    a_server_pulled_away_loses_nothing()
    print("ok  a_server_pulled_away_loses_nothing", flush=True)


main()
