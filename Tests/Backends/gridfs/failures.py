#!/usr/bin/env python3
"""Proves what happens when things go wrong: `failures.py BUILD_FOLDER SERVERS_FOLDER FOLDER`.

Starts endpoints of its own, because it stops, stalls and fills them.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pymongo

from host import Connection, running

BUILD, SERVERS, FOLDER = sys.argv[1:]
USER, READER = ("ada", "right-horse"), ("bob", "only-looks")
SHORT = {"socket_timeout": "1s", "connect_timeout": "1s", "server_selection_timeout": "1s"}


@contextlib.contextmanager
def endpoint(name, *options):
    """An endpoint: its address and its process."""
    folder = f"{FOLDER}/{name}"
    environment = os.environ | {"PYTHON": sys.executable}
    printed = subprocess.run(
        [f"{SERVERS}/start", folder, *options], env=environment, check=True, capture_output=True, text=True
    ).stdout
    try:
        yield printed.strip().removeprefix("MONGO_HOST="), int(pathlib.Path(f"{folder}/pid").read_text())
    finally:
        subprocess.run([f"{SERVERS}/stop", folder], check=True)


def make_certificate(name):
    path = f"{FOLDER}/{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", f"{path}.key", "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )
    pathlib.Path(path).write_text(pathlib.Path(f"{path}.key").read_text() + pathlib.Path(f"{path}.crt").read_text())
    return path


def timed(operation):
    start = time.monotonic()
    return operation(), time.monotonic() - start


def users_and_encryption():
    certificate, other = make_certificate("server"), make_certificate("other")
    options = ["--certificate", certificate, "--user", ":".join(USER), "--reader", ":".join(READER)]
    with endpoint("users", *options) as (mongo, _):
        secured = {"uri": f"mongodb://{mongo}/test", "container": "files", "tls": True, "tls_ca_file": f"{certificate}.crt"}
        named = {"username": USER[0], "password": USER[1]}
        storages = {
            "right": secured | named,
            "by-uri": secured | {"uri": f"mongodb://{USER[0]}:{USER[1]}@{mongo}/test?authSource=admin"},
            "reader": secured | {"username": READER[0], "password": READER[1]},
            "wrong": secured | {"username": USER[0], "password": "wrong-horse"},
            "stranger": secured | {"username": "eve", "password": "wrong-horse"},
            "nobody": secured,
            "distrusting": secured | named | SHORT | {"tls_ca_file": f"{other}.crt"},
            "unencrypted": secured | named | SHORT | {"tls": False},
        }
        with running(BUILD, "gridfs", storages) as host:
            host.put("right", "a", b"secret bytes")
            assert host.get("right", "a").body == host.get("by-uri", "a").body == b"secret bytes"
            assert host.get("reader", "a").body == b"secret bytes"
            for method, body in [("PUT", b"x"), ("DELETE", None)]:
                answer = host.object(method, "reader", "a", body)
                assert (answer.status, answer.json["code"]) == (403, "permission_denied"), answer.body
            for storage in ["wrong", "stranger", "nobody"]:
                for method, body in [("GET", None), ("PUT", b"x")]:
                    answer = host.object(method, storage, "a", body)
                    assert (answer.status, answer.json["code"]) == (401, "unauthenticated"), (storage, answer.body)
                    assert not answer.json["retryable"]
            for storage in ["distrusting", "unencrypted"]:
                answer = host.get(storage, "a")
                assert (answer.status, answer.json["code"]) == (503, "unavailable"), (storage, answer.body)
            health = host.request("GET", "right/health")
            assert health.status == 200 and health.json["details"]["server"], health.body
            told = host.text()
            for secret in [USER[1], READER[1], "wrong-horse"]:
                assert secret not in told, "a password in the log"


def a_server_that_is_not_there():
    with endpoint("gone") as (mongo, _):
        pass
    with running(BUILD, "gridfs", {"files": SHORT | {"uri": f"mongodb://{mongo}/test"}}) as host:
        for operation in [
            lambda: host.get("files", "a"), lambda: host.object("PUT", "files", "a", b"x"),
            lambda: host.request("GET", "files/objects"), lambda: host.request("GET", "files/health"),
        ]:
            answer, seconds = timed(operation)
            assert answer.status == 503 and seconds < 5, (answer.status, answer.body, seconds)


def a_server_that_stalls():
    with endpoint("stalls") as (mongo, process):
        with running(BUILD, "gridfs", {"files": SHORT | {"uri": f"mongodb://{mongo}/test"}}) as host:
            content = os.urandom(24 << 20)
            host.put("files", "a", content)
            # In the middle of a download: what has come is right, and the end is no silent one.
            connection = Connection(host.socket, 30)
            connection.request("GET", "/v1/storages/files/objects/a")
            response = connection.getresponse()
            got = response.read(1 << 20)
            os.kill(process, signal.SIGSTOP)
            try:
                start = time.monotonic()
                with contextlib.suppress(Exception):  # The connection ends in one way or another.
                    while more := response.read(1 << 20):
                        got += more
                assert len(got) < len(content) and content.startswith(got), len(got)
                assert time.monotonic() - start < 10, "the end of a stalled download"
                connection.close()
                for operation in [
                    lambda: host.get("files", "a"), lambda: host.object("PUT", "files", "b", b"x"),
                    lambda: host.object("DELETE", "files", "a"),
                ]:
                    answer, seconds = timed(operation)
                    assert answer.status in (503, 504) and seconds < 8, (answer.status, answer.body, seconds)
            finally:
                os.kill(process, signal.SIGCONT)
            host.put("files", "c", b"later")
            assert host.get("files", "c").body == b"later"


def a_server_that_is_pulled_away():
    with endpoint("pulled") as (mongo, process):
        with running(BUILD, "gridfs", {"files": SHORT | {"uri": f"mongodb://{mongo}/test"}}) as host:
            host.put("files", "old", b"old")
            connection = Connection(host.socket, 30)
            connection.putrequest("PUT", "/v1/storages/files/objects/old")
            connection.putheader("Content-Length", str(64 << 20))
            connection.endheaders()
            block = os.urandom(1 << 20)
            for number in range(64):
                if number == 20:
                    os.kill(process, signal.SIGKILL)
                try:
                    connection.send(block)
                except OSError:
                    break  # The host has answered already, and reads no more.
            response = connection.getresponse()
            assert response.status == 503, (response.status, response.read())
            connection.close()


def a_server_that_is_full():
    with endpoint("full", "--room", str(8 << 20)) as (mongo, _):
        database = pymongo.MongoClient(f"mongodb://{mongo}/")["test"]
        with running(BUILD, "gridfs", {"files": {"uri": f"mongodb://{mongo}/test"}}) as host:
            host.put("files", "a", b"old")
            for size in [9 << 20, 30 << 20]:
                answer = host.object("PUT", "files", "a", bytes(size))
                assert (answer.status, answer.json["code"]) == (507, "no_space"), answer.body
                assert host.get("files", "a").body == b"old"
            assert database["files.chunks"].count_documents({}) == 1, "chunks of a failed upload"
            host.put("files", "b", bytes(6 << 20))
            assert len(host.get("files", "b").body) == 6 << 20


def containers():
    with endpoint("containers") as (mongo, _):
        with running(BUILD, "gridfs", {"files": {"uri": f"mongodb://{mongo}/test", "create": True}}) as host:
            def names():
                return [each["name"] for each in host.request("GET", "files/containers").json["containers"]]
            end = time.monotonic() + 10
            while names() != ["files"]:
                assert time.monotonic() < end, names()
            assert host.request("PUT", "files/containers/more").status == 201
            assert names() == ["files", "more"], names()
            host.put("files", "a", b"x")
            assert host.request("DELETE", "files/containers/files").status == 409
            assert host.request("DELETE", "files/containers/more").status == 204
            assert host.request("DELETE", "files/containers/more").status == 404
            assert names() == ["files"]


for proof in [
    users_and_encryption, a_server_that_is_not_there, a_server_that_stalls, a_server_that_is_pulled_away,
    a_server_that_is_full, containers,
]:
    _, seconds = timed(proof)
    print(f"passed   {proof.__name__} ({seconds:.1f} s)", flush=True)
