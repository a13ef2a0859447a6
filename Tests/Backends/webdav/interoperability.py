#!/usr/bin/env python3
"""Objects of the backend beside those of curl, and what becomes of failures: `interoperability.py BUILD PLACE`.

The backend is driven by a host of its own on a Unix socket, as an operator would; `PLACE/facts` names the servers.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.parse

BUILD, PLACE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SERVERS = pathlib.Path(__file__).resolve().parents[2] / "Servers"
FACTS = dict(line.split("=", 1) for line in (PLACE / "facts").read_text().split())
SOCKET = PLACE / "s"
FAILURES = []


def check(truth, what):
    if not truth:
        FAILURES.append(what)
        print(f"not so: {what}")


def curl(*words, data=None):
    """Runs curl against a server as any user would."""
    done = subprocess.run(
        ["curl", "-s", "--noproxy", "*", "-u", f"{FACTS['DAV_USER']}:{FACTS['DAV_PASSWORD']}", *words],
        input=data,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.stdout


def host(method, path, data=None, headers=(), limit=30):
    """Asks the host; its status and what it said."""
    words = ["curl", "-s", "--unix-socket", str(SOCKET), "-X", method, "-w", "\n%{http_code}", "-m", str(limit)]
    if method == "HEAD":
        words[6:8] = []
        words += ["-I"]
    for header in headers:
        words += ["-H", header]
    if data is not None:
        words += ["--data-binary", "@-"]
    done = subprocess.run(words + [f"http://coffer{path}"], input=data, capture_output=True, check=False)
    body, _, status = done.stdout.rpartition(b"\n")
    # An answer that broke off is none.
    return (int(status or 0) if done.returncode == 0 else 0), body


def key(storage, name):
    return f"/v1/storages/{storage}/objects/" + urllib.parse.quote(name)


def storage(server, endpoint, **more):
    lines = {"backend": "webdav", "endpoint": endpoint, "server": server, "user": FACTS["DAV_USER"],
             "password": FACTS["DAV_PASSWORD"], "stall_timeout": "3s", "connect_timeout": "2s", "writers": "exclusive", "conditions": "none"} | more
    return "{ " + ", ".join(f"{name}: {json.dumps(value)}" for name, value in lines.items()) + " }"


def proxy(endpoint, *words):
    """A faulty proxy before a server; the process, and the endpoint behind it."""
    target = urllib.parse.urlsplit(endpoint).netloc
    process = subprocess.Popen(
        [SERVERS / "faulty-proxy", "--target", target, "--seed", "7", *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    return process, f"http://127.0.0.1:{process.stdout.readline().strip()}/"


def interoperate(name, endpoint):
    """What curl wrote the host reads, and the other way round."""
    odd = "interop/ä b+c%20#?&.txt"
    url = endpoint + urllib.parse.quote(odd)
    check(host("PUT", key(name, odd), b"from the host")[0] in (200, 201), f"{name}: put")
    check(curl(url) == b"from the host", f"{name}: curl reads what the host wrote")
    curl("-T", "-", url, data=b"from curl, and longer")
    check(host("GET", key(name, odd)) == (200, b"from curl, and longer"), f"{name}: the host reads what curl wrote")
    curl("-X", "MKCOL", endpoint + "interop/empty/")
    status, listing = host("GET", f"/v1/storages/{name}/objects?prefix=interop/")
    check(status == 200 and json.dumps(odd, ensure_ascii=False).encode() in listing, f"{name}: listed {listing!r}")
    check(b"empty" not in listing, f"{name}: an empty folder is no object")
    large = os.urandom(5_000_000)
    check(host("PUT", key(name, "interop/large"), large)[0] in (200, 201), f"{name}: put 5 MB")
    check(curl(endpoint + "interop/large") == large, f"{name}: 5 MB come back by curl")
    check(host("GET", key(name, "interop/large")) == (200, large), f"{name}: 5 MB come back by the host")
    check(host("DELETE", key(name, odd))[0] in (200, 204), f"{name}: delete")
    check(host("GET", key(name, odd))[0] == 404, f"{name}: deleted")
    check(host("DELETE", key(name, "interop"))[0] in (204, 200, 404), f"{name}: delete of a folder's name")
    check(curl(endpoint + "interop/large") == large, f"{name}: the folder is still there")


def survive(name):
    """Through a faulty network nothing that was acknowledged is lost, and no byte is wrong."""
    for turn in range(40):
        data = os.urandom(1 + turn * 4001)
        status, _ = host("PUT", key(name, f"faulty/{turn}"), data)
        check(status != 0, f"{name}: an answer in time")
        if status in (200, 201):
            status, got = host("GET", key(name, f"faulty/{turn}"))
            check(got == data or status >= 500, f"{name}: bytes of {turn} after {status}")


def main():
    stalled, behind = proxy(FACTS["NGINX_URL"], "--plan", "stall=30", "--rate", "1")
    faulty, broken = proxy(
        FACTS["APACHE_URL"], "--rate", "0.25",
        "--plan", "latency=20,slow,reset@0%,reset@50%,reset@99%,reset-up@50%,lost,truncate,burst503=2",
    )
    config = f"""
plugins: {{ webdav: {json.dumps(str(BUILD / "libcoffer-webdav.so"))} }}
storages:
  apache: {storage("apache", FACTS["APACHE_URL"])}
  nginx: {storage("nginx", FACTS["NGINX_URL"])}
  rclone: {storage("rclone", FACTS["RCLONE_URL"], atomic="best_effort")}
  wrong: {storage("apache", FACTS["APACHE_URL"], password="not-the-secret")}
  stalled: {storage("nginx", behind, timeout="5s")}
  faulty: {storage("apache", broken)}
"""
    (PLACE / "coffer.yaml").write_text(config)
    environment = os.environ | {"STATE_DIRECTORY": str(PLACE / "state")}
    with open(PLACE / "host.log", "wb") as log:
        daemon = subprocess.Popen(
            [BUILD / "cofferd", "--config", PLACE / "coffer.yaml", "--socket", SOCKET],
            stdout=log, stderr=log, env=environment,
        )
    try:
        end = time.monotonic() + 30
        while host("GET", "/v1/storages")[0] != 200:
            check(time.monotonic() < end and daemon.poll() is None, "the host starts")
            if FAILURES:
                print((PLACE / "host.log").read_text())
                return
        for name in ("apache", "nginx", "rclone"):
            interoperate(name, FACTS[f"{name.upper()}_URL"])
        status, said = host("GET", key("wrong", "x"))
        check(status in (401, 403, 502) and b"unauthenticated" in said, f"a wrong password: {status} {said!r}")
        start = time.monotonic()
        status, _ = host("GET", key("stalled", "interop/large"))
        check(status >= 500 or status == 0, f"a stalled server: {status}")
        check(time.monotonic() - start < 29, "a stalled server ends a call in time")
        survive("faulty")
        subprocess.run([SERVERS / "webdav" / "stop", PLACE / "dav", "nginx"], check=False)
        status, said = host("GET", key("nginx", "interop/large"))
        check(status >= 500 and b"unavailable" in said, f"a server that is gone: {status} {said!r}")
        check(b"not-the-secret" not in (PLACE / "host.log").read_bytes() + said, "no secret is told")
    finally:
        daemon.terminate()
        daemon.wait(timeout=20)
        for process in (stalled, faulty):
            process.kill()
            process.wait()


main()
print("interoperability and failures:", f"{len(FAILURES)} failed" if FAILURES else "as promised")
sys.exit(1 if FAILURES else 0)
