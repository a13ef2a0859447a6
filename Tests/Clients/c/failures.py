"""Hosts that are missing, restart, hang, lie or end early, under the C client: `failures.py FOLDER_OF_PROGRAMS`."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from replay import Driver

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

import host  # noqa: E402
from impostor import Impostor, answering, request  # noqa: E402

PROGRAMS = Path(sys.argv[1])
BIG = os.urandom(3 << 20)


class Host(host.Host):
    """A host that ends with the tests, however they end."""

    def start(self):
        super().start()
        atexit.register(self.stop)


class Calls(Driver):
    """A driver whose answers are taken apart."""

    def __init__(self, path, **environment):
        super().__init__([str(PROGRAMS / "driver")], path)

    def error(self, **step):
        answer = self.call(**step)
        assert "error" in answer, f"{step} gave {answer}"
        return answer["error"]

    def gives(self, **step):
        answer = self.call(**step)
        assert "result" in answer, f"{step} failed: {answer}"
        return answer["result"]

    def put(self, data, key="k", storage="files", **terms):
        self.body.write_bytes(data)
        return {"call": "put", "storage": storage, "key": key, "body": str(self.body), **terms}

    def get(self, key="k", storage="files"):
        self.gives(call="get", storage=storage, key=key, into=str(self.into))
        return self.into.read_bytes()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def sockets_that_nobody_serves_are_named():
    with tempfile.TemporaryDirectory() as folder:
        calls = Calls(f"{folder}/none.sock")
        error = calls.error(call="stat", storage="s", key="k")
        assert error["code"] == "unavailable" and "there is no such socket; start cofferd" in error["detail"], error
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(f"{folder}/none.sock")
        assert "nobody listens there any more" in calls.error(call="stat", storage="s", key="k")["detail"]
        calls.end()
        calls = Calls("/tmp/" + "x" * 200)
        assert calls.error(call="stat", storage="s", key="k")["code"] == "invalid_argument"
        calls.end()


def a_socket_of_another_owner_is_a_permission_error():
    if os.getuid() != 0:
        print("skipped, only root can become somebody else:", end=" ")
        return
    host = Host()
    os.chmod(host.folder, 0o755)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        driver = Path(folder, "driver")
        driver.write_bytes((PROGRAMS / "driver").read_bytes())
        driver.chmod(0o755)
        said = subprocess.run(
            [driver, host.socket],
            input=b'{"call":"stat","storage":"s","key":"k"}\n',
            stdout=subprocess.PIPE,
            user=65534,
            group=65534,
        ).stdout
    assert b'"permission_denied"' in said and b"decides who has" in said, said
    host.end()


def an_idle_client_finds_the_host_again():
    host = Host()
    calls = Calls(host.socket)
    calls.gives(**calls.put(b"before"))
    for how in (signal.SIGTERM, signal.SIGKILL):
        host.restart(how)
        assert calls.get() == b"before"
        host.restart(how)
        # Not safe to repeat, and never sent twice: the dead connection is seen before anything goes out.
        etag = calls.gives(call="stat", storage="files", key="k")["etag"]
        host.restart(how)
        calls.gives(**calls.put(b"before", if_match=etag))
        host.restart(how)
        calls.gives(call="copy", storage="files", key="k", to="b")
        host.restart(how)
        assert calls.gives(call="list", storage="files")["entries"][0] == ["b", True]
        host.restart(how)
        calls.gives(**{**calls.put(BIG, key="c"), "call": "put_stream", "piece": 100000})
        assert calls.get("c") == BIG
    host.stop()
    assert calls.error(**calls.put(b"x"))["code"] == "unavailable"
    host.start()
    assert calls.get() == b"before"
    calls.end()
    host.end()


def a_host_that_dies_under_a_stream_is_an_error():
    for what, code, words in (
        ("read", "unavailable", "in the middle of its answer"),
        ("descriptor", "ok", ""),
        ("write", "unavailable", "nothing was written"),
        ("announced", "unavailable", "nothing was written"),
    ):
        host = Host()
        dying = subprocess.Popen(
            [PROGRAMS / "dying", host.socket, what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert dying.stdout.readline() == "ready\n", what
        host.stop(signal.SIGKILL)
        said, _ = dying.communicate("\n", timeout=60)
        found, maybe_applied, detail = said.split(" ", 2)
        assert (found, maybe_applied) == (code, "0") and words in detail, (what, said)
        assert dying.returncode == 0, what
        if what in ("write", "announced"):
            host.start()
            calls = Calls(host.socket)
            assert calls.get("big") == b"old"
            calls.end()
        host.end()


GARBAGE = [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff" * 50, b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"x" * 100_000]
GARBAGE += [b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-length: 5\r\n\r\nhello", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, b"HTTP/1.1 100 Continue\r\n\r\n" * 100]
GARBAGE += [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!"]
GARBAGE += [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello"]
GARBAGE += [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40,
]
GARBAGE += [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"]
GARBAGE += [b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nx"]
GARBAGE += [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot json", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]
GARBAGE += [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 200_000 + b"[" * 200_000]
GARBAGE += [
    b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"key":"\\ud800x"}',
    b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"key":"\\',
]


def garbage_is_told_as_such():
    for garbage in GARBAGE:
        with Impostor(answering(garbage)) as impostor:
            calls = Calls(impostor.socket)
            for step in (
                {"call": "stat", "storage": "s", "key": "k"},
                {"call": "copy", "storage": "s", "key": "k", "to": "l"},
                {"call": "url", "storage": "s", "key": "k"},
                {"call": "list", "storage": "s"},
                {"call": "delete_many", "storage": "s", "keys": ["k"]},
                calls.put(b"x"),
                calls.put(BIG),
                {**calls.put(BIG), "call": "put_stream", "piece": 100_000},
            ):
                error = calls.error(**step)
                assert error["code"] in ("internal", "unavailable", "corrupt"), (garbage[:60], step, error)
            calls.end()
    with Impostor(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nx")) as impostor:
        calls = Calls(impostor.socket)
        assert calls.error(call="get", storage="s", key="k", into=str(calls.into))["code"] == "too_large"
        calls.end()


def an_error_without_a_problem_is_told_by_its_status():
    with Impostor(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n<p>no</p>")) as impostor:
        calls = Calls(impostor.socket)
        error = calls.error(call="stat", storage="s", key="k")
        assert error["code"] == "not_found" and "answered 404 without a reason" in error["detail"], error
        calls.end()
    body = b'{"code":"gone_fishing","detail":"later"}'
    with Impostor(answering(b"HTTP/1.1 418 X\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as impostor:
        calls = Calls(impostor.socket)
        assert calls.error(call="stat", storage="s", key="k")["code"] == "gone_fishing"
        calls.end()


def documents_of_another_shape_are_no_crash():
    def asked(body, **step):
        with Impostor(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as impostor:
            calls = Calls(impostor.socket)
            answer = calls.call(storage="s", **step)
            calls.end()
        return answer

    pages = {
        b"{}": ([], []),
        b'{"prefixes":[],"cursor":null,"more":[{}]}': ([], []),
        b'{"objects":[{"key":"a","storage":"s","metadata":{"x":"y","z":""}},{"metadata":null,"storage":"s","key":"b"}],'
        b'"prefixes":["p/"],"objects":[{"storage":"s","key":"c","metadata":{},"metadata":{"d":"e"}}]}': (
            ["a", "b", "c"],
            ["p/"],
        ),
    }
    for body, (keys, prefixes) in pages.items():
        found = asked(body, call="page")["result"]
        assert (found["keys"], found["prefixes"], found["cursor"]) == (keys, prefixes, None), (body, found)
    found = asked(b'{"containers":[{"name":"a","created":null},{"n":1,"name":"b"}],"containers":[]}', call="containers")
    assert found["result"] == {"names": ["a", "b"]}, found
    wrong = (b"", b"[]", b'{"objects":[{}]}', b'{"objects":7}', b'{"prefixes":["\\x"]}', b'{"objects":[{"key":"a"}')
    for body in wrong:
        assert asked(body, call="page")["error"]["code"] == "internal", body
    for body in (b"", b"7", b'{"containers":[{"created":null}]}', b'{"containers":[7]}', b'{"containers":[{"name"'):
        assert asked(body, call="containers")["error"]["code"] == "internal", body


def bytes_that_end_early_are_never_short_data():
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly some"
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly some"
    for answer in (cut, chunks, cut[:30], b""):
        with Impostor(answering(answer)) as impostor:
            calls = Calls(impostor.socket)
            for step in ({"call": "get", "key": "k", "into": str(calls.into)}, {"call": "list"}):
                assert calls.error(storage="s", **step)["code"] in ("unavailable", "internal")
            calls.end()


def a_listing_that_breaks_off_says_so():
    lines = b'{"key":"a","size":1}\n{"problem":{"code":"unavailable","detail":"away","retryable":true}}\n'
    for body, code in (
        (lines, "unavailable"),
        (b'{"key":"a"}\n{"pre', "corrupt"),
        (b'{"key":"a"}\nnonsense\n', "corrupt"),
        (b'{"x":1}\n', "corrupt"),
    ):
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        with Impostor(answering(answer)) as impostor:
            calls = Calls(impostor.socket)
            assert calls.error(call="list", storage="s")["code"] == code, body
            calls.end()


def descriptors_are_taken_closed_and_missed():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCoffer-Fd: offset=0; length=10\r\n\r\n"
    with Impostor(answering(head, head)) as impostor:
        calls = Calls(impostor.socket)
        error = calls.error(call="get", storage="s", key="k", into=str(calls.into))
        assert "descriptor that nobody asked for" in error["detail"], error
        calls.end()
    with tempfile.NamedTemporaryFile() as short:
        short.write(b"only")
        short.flush()

        def script(connection):
            while request(connection):
                socket.send_fds(connection, [head], [short.fileno()] * 3)

        with Impostor(script) as impostor:
            calls = Calls(impostor.socket)
            for _ in range(10):
                error = calls.error(call="get", storage="s", key="k", into=str(calls.into))
                assert error["code"] == "corrupt" and "early" in error["detail"], error
                assert calls.descriptors() < 12
            calls.end()

    def more(connection):
        while request(connection):
            with open(os.devnull) as file:
                socket.send_fds(connection, [b"HTTP/1.1 204 No Content\r\n\r\n"], [file.fileno()] * 3)

    with Impostor(more) as impostor:
        calls = Calls(impostor.socket)
        for _ in range(20):
            calls.gives(call="delete", storage="s", key="k")
            assert calls.descriptors() < 12
        calls.end()


def a_silent_host_is_a_timeout():
    over = threading.Event()

    def script(connection):
        request(connection)
        over.wait(60)

    with Impostor(script) as impostor:
        started = time.monotonic()
        said = subprocess.run([PROGRAMS / "timeouts", impostor.socket], stdout=subprocess.PIPE, text=True, timeout=60)
        over.set()
        assert said.returncode == 0 and time.monotonic() - started < 30, said


def a_lost_answer_is_repeated_only_where_that_is_safe():
    seen = []
    ok = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"key":"k"}'

    def script(connection):
        # The first request of a connection is answered; the second one is read, and its answer is lost.
        if request(connection):
            connection.sendall(ok)
        seen.append(request(connection).partition(b" ")[0])

    with Impostor(script) as impostor:
        calls = Calls(impostor.socket)
        stat = {"call": "stat", "storage": "s", "key": "k"}
        calls.gives(**stat)
        calls.gives(**stat)
        assert seen == [b"GET"], seen
        error = calls.error(**calls.put(b"x"))
        assert error["code"] == "unavailable" and error["maybe_applied"] and not error["retryable"], error
        calls.gives(**stat)
        # With a key for that, the write is sent again over a new connection, which answers its first request.
        calls.gives(**calls.put(b"x", idempotency_key="1"))
        # A deletion is repeated where the second one succeeds as the first one did.
        calls.gives(call="delete", storage="s", key="k")
        assert calls.error(call="remove_container", storage="s", name="c")["maybe_applied"]
        calls.end()


TESTS = [
    found
    for name, found in list(globals().items())
    if callable(found) and getattr(found, "__module__", "") == "__main__" and name[0].islower()
]


def main() -> int:
    chosen = [test for test in TESTS if test is not main and (len(sys.argv) < 3 or test.__name__ in sys.argv[2:])]
    for test in chosen:
        test()
    print(f"{len(chosen)} failures told as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
