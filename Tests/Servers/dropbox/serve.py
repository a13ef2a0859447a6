#!/usr/bin/env python3
"""A double of the Dropbox API, version 2, over HTTP on the loopback interface: `serve.py [--page N] [--token-life S]`.

Prints DROPBOX_API and DROPBOX_CONTENT, the two hosts of the API, and serves until it is killed. Everything is in memory.
The account takes the access token `sl.double-all`, one that lacks the scope of writing, `sl.double-reader`, one that
has expired, `sl.double-expired`, and tokens that the refresh token `double-refresh` of the app `double-key` with the
secret `double-secret` brings.

`POST /double` on the API's host does harm, as JSON: `{"limit": N}` answers N calls with 429, `{"contend": N}` N writes
with 409, `{"reset": N}` refuses N continuations of a listing, `{"fail": N}` answers N calls with 500, `{"damage": N}`
N downloads with a wrong byte, and `{"expire": true}` ends all tokens that were brought. `{}` answers how often each
route was called. SIGUSR1 takes both hosts off the network, with all connections, or brings them back.
"""

import argparse
import http.server
import json
import os
import secrets
import signal
import socket
import socketserver
import sys
import threading
import time
import urllib.parse

from account import Account, Refused
from routes import ROUTES, WRITES, Malformed, Routes

ACCOUNT = Account()


class State:
    """What all connections share besides the account."""

    def __init__(self, page, life):
        self.lock = threading.Lock()
        self.page, self.life = page, life
        self.tokens = {"sl.double-all": ("all", None), "sl.double-reader": ("reader", None),
                       "sl.double-expired": ("all", 0.0)}
        self.harm = {"limit": 0, "contend": 0, "fail": 0, "damage": 0}
        self.counts = {}
        self.routes = None

    def suffers(self, what):
        with self.lock:
            if not self.harm[what]:
                return False
            self.harm[what] -= 1
            return True

    def count(self, name):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1


STATE = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass  # The other end is gone.

    def answer(self, status, body, kind="application/json", fields=()):
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("X-Dropbox-Request-Id", secrets.token_hex(8)), *fields]:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in fields):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def answer_json(self, value, status=200, fields=()):
        self.answer(status, json.dumps(value).encode(), fields=fields)

    def malformed(self, why):
        text = f"Error in call to API function: {why}"
        self.answer(400, text.encode(), "text/plain; charset=utf-8")

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        place = urllib.parse.urlsplit(self.path)
        if self.server.name == "api" and place.path == "/double":
            return self.do_harm(body)
        if place.path.startswith(("/temporary/", "/apitul/")):
            return self.follow(place.path, body)
        STATE.count(place.path)
        if STATE.suffers("limit"):
            # Dropbox says it in either form.
            if STATE.harm["limit"] % 2:
                return self.answer(429, b"too many requests", "text/plain; charset=utf-8", [("Retry-After", "0")])
            error = {"reason": {".tag": "too_many_requests"}, "retry_after": 0}
            return self.answer_json(
                {"error_summary": "too_many_requests/..", "error": error}, 429, [("Retry-After", "0")])
        if STATE.suffers("fail"):
            return self.answer(500, b"", "text/plain; charset=utf-8")
        if self.server.name == "api" and place.path == "/oauth2/token":
            return self.grant(body)
        try:
            self.route(place, body)
        except Malformed as error:
            self.malformed(error)
        except Refused as error:
            summary = "/".join(words(error.error)) + "/.."
            self.answer_json({"error_summary": summary, "error": error.error}, 409)

    def do_harm(self, body):
        wanted = json.loads(body or b"{}")
        with STATE.lock:
            STATE.harm |= {name: value for name, value in wanted.items() if name in STATE.harm}
            if wanted.get("expire"):
                STATE.tokens = {
                    name: (scope, end if end is None else 0.0) for name, (scope, end) in STATE.tokens.items()
                }
            STATE.routes.resets = wanted.get("reset", STATE.routes.resets)
            answer = {"harm": STATE.harm, "counts": STATE.counts}
        self.answer_json(answer)

    def grant(self, body):
        form = {name: values[0] for name, values in urllib.parse.parse_qs(body.decode()).items()}
        if form.get("client_id") != "double-key" or form.get("client_secret", "double-secret") != "double-secret":
            return self.answer_json({"error": "invalid_client", "error_description": "no such app"}, 400)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != "double-refresh":
            return self.answer_json({"error": "invalid_grant", "error_description": "no such grant"}, 400)
        token = "sl." + secrets.token_hex(16)
        with STATE.lock:
            STATE.tokens[token] = ("all", time.monotonic() + STATE.life)
        self.answer_json({"access_token": token, "token_type": "bearer", "expires_in": STATE.life})

    def scope(self):
        """What the caller may do; None where an answer was given."""
        field = self.headers.get("Authorization", "")
        if not field.startswith("Bearer "):
            self.malformed("Must provide HTTP header \"Authorization\" or URL parameter \"authorization\".")
            return None
        with STATE.lock:
            scope, end = STATE.tokens.get(field[7:], (None, None))
        if scope is None or (end is not None and time.monotonic() >= end):
            tag = "invalid_access_token" if scope is None else "expired_access_token"
            self.answer_json({"error_summary": f"{tag}/..", "error": {".tag": tag}}, 401)
            return None
        return scope

    def space(self):
        """The namespace that paths begin in; None where an answer was given."""
        field = self.headers.get("Dropbox-API-Path-Root")
        root = json.loads(field) if field else {".tag": "home"}
        space = root.get("namespace_id") or root.get("root") or "1"
        if space in ACCOUNT.spaces:
            return space
        if space == "99":
            error = {".tag": "no_permission"}
        else:
            info = {".tag": "user", "root_namespace_id": "1", "home_namespace_id": "1"}
            error = {".tag": "invalid_root", "invalid_root": info}
        self.answer_json({"error_summary": f"{error['.tag']}/..", "error": error}, 422)
        return None

    def arguments(self, name, place, body):
        host, style, _, judge = ROUTES[name]
        if host != self.server.name:
            raise Malformed(f"{name} is on another host")
        if self.command != "POST" and style != "download":
            raise Malformed("this route takes a POST")
        kind = self.headers.get("Content-Type")
        if style == "rpc":
            if kind != "application/json":
                raise Malformed(f"Bad HTTP \"Content-Type\" header: {kind}")
            text = body
        else:
            if style == "upload" and kind != "application/octet-stream":
                raise Malformed(f"Bad HTTP \"Content-Type\" header: {kind}")
            text = self.headers.get("Dropbox-API-Arg") or urllib.parse.parse_qs(place.query).get("arg", [""])[0]
            if not text.isascii():
                raise Malformed("HTTP header \"Dropbox-API-Arg\": not ASCII")
        try:
            arguments = json.loads(text or b"null")
        except ValueError:
            raise Malformed("could not decode input as JSON") from None
        if not judge({} if arguments is None else arguments):
            raise Malformed(f"{name}: a field is unknown, missing or of another kind")
        return arguments or {}

    def route(self, place, body):
        name = place.path.removeprefix("/2/")
        if name not in ROUTES:
            raise Malformed(f"Unknown API function: \"{name}\"")
        scope = self.scope()
        space = scope and self.space()
        if not space:
            return
        arguments = self.arguments(name, place, body)
        if name in WRITES:
            if scope == "reader":
                error = {".tag": "missing_scope", "required_scope": ROUTES[name][2]}
                return self.answer_json({"error_summary": "missing_scope/..", "error": error}, 401)
            # Parts of a session change nothing that others could be in the way of, and links neither.
            if not name.endswith(("/start", "/append_v2", "_link")) and STATE.suffers("contend"):
                raise Refused(contention(name))
        if name == "files/download":
            return self.download(arguments, space)
        self.answer_json(STATE.routes.call(name, arguments, body, space))

    def download(self, arguments, space):
        with ACCOUNT.lock:
            node = ACCOUNT.lookup(space, arguments["path"], ["path"])
            if node.data is None:
                raise Refused({".tag": "path", "path": {".tag": "not_file"}})
            told = json.dumps(ACCOUNT.metadata(node, tagged=False))
        etag = f'W/"{node.rev}"'
        if self.headers.get("If-None-Match") == etag:
            return self.answer(304, b"", "application/octet-stream", [("ETag", etag)])
        self.give(node.data, [("Dropbox-API-Result", told), ("ETag", etag)])

    def give(self, data, fields):
        """Bytes of a file, whole or a range."""
        fields = [*fields, ("Accept-Ranges", "bytes")]
        if STATE.suffers("damage"):
            data = bytes([data[0] ^ 1]) + data[1:] if data else data
        wanted = self.headers.get("Range", "").removeprefix("bytes=")
        if not wanted:
            return self.answer(200, data, "application/octet-stream", fields)
        first, last = wanted.split("-")
        start = int(first) if first else max(0, len(data) - int(last))
        end = min(len(data), int(last) + 1 if first and last else len(data))
        if start >= len(data) or end <= start:
            return self.answer(416, b"", "text/plain", [("Content-Range", f"bytes */{len(data)}")])
        fields.append(("Content-Range", f"bytes {start}-{end - 1}/{len(data)}"))
        self.answer(206, data[start:end], "application/octet-stream", fields)

    def follow(self, name, body):
        """A link: to read, or to write once."""
        with ACCOUNT.lock:
            target, end = ACCOUNT.links.get(name, (None, 0))
            if target is None or time.time() > end:
                return self.answer(410, b"this link has expired", "text/plain")
            if name.startswith("/temporary/") and self.command == "GET":
                return self.give(target.data, [])
            if name.startswith("/temporary/") or self.command != "POST":
                return self.answer(405, b"", "text/plain")
            if self.headers.get("Content-Type") != "application/octet-stream":
                return self.answer(400, b"Bad Content-Type", "text/plain")
            del ACCOUNT.links[name]
            try:
                node = ACCOUNT.commit(*target, body, ["path"])
            except Refused:
                return self.answer(409, b"the upload failed", "text/plain")
        self.answer_json({"content-hash": node.hash})


def words(error):
    """The tags of an error, as its summary has them."""
    found = []
    while isinstance(error, dict):
        tag = error.get(".tag")
        if tag:
            found.append(tag)
        error = error.get(tag) or error.get("reason")
    return found


def contention(name):
    """How each route says that others write."""
    busy = {".tag": "too_many_write_operations"}
    if name == "files/upload":
        return {".tag": "path", "reason": busy, "upload_session_id": "pid_upload_session:0"}
    if name == "files/create_folder_v2":
        return {".tag": "path", "path": busy}
    return {".tag": "to", "to": busy} if name in ("files/copy_v2", "files/move_v2") else busy


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, name, port=0):
        self.name, self.connections = name, set()
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def leave(self):
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # Gone already.


def main():
    global STATE
    parser = argparse.ArgumentParser()
    parser.add_argument("--page", type=int, default=2000)
    parser.add_argument("--token-life", type=int, default=14400)
    given = parser.parse_args()
    STATE = State(given.page, given.token_life)
    # Before there is any other thread: the signal is waited for, and nobody else's.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    servers = [Server("api"), Server("content")]
    STATE.routes = Routes(ACCOUNT, servers[1].url, given.page)
    print(f"DROPBOX_API={servers[0].url}\nDROPBOX_CONTENT={servers[1].url}\nSERVER_PID={os.getpid()}", flush=True)
    while True:
        signal.sigwait([signal.SIGUSR1])
        ports = [(server.name, server.server_port) for server in servers]
        for server in servers:
            server.leave()
        print("AWAY", flush=True)
        signal.sigwait([signal.SIGUSR1])
        servers = [Server(*port) for port in ports]
        print("BACK", flush=True)


main()
