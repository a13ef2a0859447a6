#!/usr/bin/env python3
"""A double of Azure's Blob service for tests: HTTP/1.1 with kept connections, all in memory, in one thread.

Beside the service it answers `POST /TENANT/oauth2/v2.0/token`, the token endpoint, and on a port of its own what a test
wants: `POST /-/faults` sets what goes wrong next, `/-/away` breaks off every connection and listens no more, `/-/back` does
again. Prints its ports once it listens: plain, TLS, and that of the tests.
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
import urllib.parse
import uuid

import documents
from access import Access, Refused, split_query
from service import Answer, Service

REASONS = {200: "OK", 201: "Created", 202: "Accepted", 206: "Partial Content", 304: "Not Modified", 400: "Bad Request"}


class Request:
    def __init__(self, method, target, headers, body, account):
        self.method, self.headers, self.body, self.account = method, headers, body, account
        self.path, _, query = target.partition("?")
        self.query_lists = split_query(query)
        self.query = {name.lower() if name != "startFrom" else name: values[0] for name, values in self.query_lists.items()}

    @property
    def resource(self):
        """Container and name of the blob; the account stands first in the path."""
        account, _, rest = self.path.lstrip("/").partition("/")
        if account != self.account:
            raise Refused(404, "ResourceNotFound", "another account")
        container, _, name = rest.partition("/")
        return urllib.parse.unquote(container), urllib.parse.unquote(name, errors="strict")

    def like(self, method, path, query, authorization):
        headers = {"x-ms-version": self.headers.get("x-ms-version", "")}
        if authorization:
            headers["authorization"] = authorization
        return Request(method, f"{path}?{query}", headers, b"", self.account)


class Faults:
    """What goes wrong next: by words that the request line holds, so many times."""

    def __init__(self):
        self.rules = []

    def next(self, line):
        for rule in self.rules:
            if all(word in line for word in rule["match"].split()) and rule.get("count", 1) > 0:
                rule["count"] = rule.get("count", 1) - 1
                return rule
        return {}


class Connection(asyncio.Protocol):
    def __init__(self, world, is_control=False):
        self.world, self.is_control = world, is_control
        self.buffer = bytearray()
        self.head = None
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        if not self.is_control:
            self.world.connections.add(self)

    def connection_lost(self, error):
        self.world.connections.discard(self)

    def data_received(self, data):
        self.buffer += data
        while self.step():
            pass

    def step(self):
        """Takes one request from the buffer, if it is there whole."""
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
            del self.buffer[:end + 4]
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            self.head = (lines[0], headers)
            if headers.get("expect", "").lower() == "100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        line, headers = self.head
        body = self.body(headers)
        if body is None:
            return False
        self.head = None
        try:
            self.handle(line, headers, body)
        except Exception as fault:
            # A fault of the double must be seen, and must not look like the service's own.
            print("fault", line, repr(fault), file=sys.stderr, flush=True)
            self.transport.abort()
            raise
        return not self.transport.is_closing()

    def body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self.chunks()
        length = int(headers.get("content-length", 0))
        if len(self.buffer) < length:
            return None
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        return body

    def chunks(self):
        body, at = b"", 0
        while True:
            end = self.buffer.find(b"\r\n", at)
            if end < 0:
                return None
            size = int(bytes(self.buffer[at:end]).split(b";")[0], 16)
            if len(self.buffer) < end + 4 + size:
                return None
            body += bytes(self.buffer[end + 2:end + 2 + size])
            at = end + 4 + size
            if size == 0:
                del self.buffer[:at]
                return body

    def handle(self, line, headers, body):
        method, target, _ = line.split(" ")
        world = self.world
        if self.is_control:
            return self.send(method, headers, world.control(target, body))
        if world.is_logging:
            print(line, file=sys.stderr, flush=True)
        fault = world.faults.next(line)
        if "status" in fault:
            extra = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            return self.send(method, headers, refusal(Refused(fault["status"], fault.get("code", "ServerBusy"), "", extra)))
        if fault.get("cut") == "before":
            return self.transport.abort()
        try:
            if method == "POST" and target.partition("?")[0].endswith("/oauth2/v2.0/token"):
                form = dict(urllib.parse.parse_qsl(body.decode()))
                status, document = world.access.issue(target.split("/")[1], form)
                answer = Answer(status, {"Content-Type": "application/json"}, json.dumps(document))
            else:
                answer = world.service.answer(Request(method, target, headers, body, world.access.account))
        except Refused as refused:
            answer = refusal(refused)
        except UnicodeDecodeError:
            answer = refusal(Refused(400, "InvalidUri", "the path is no UTF-8"))
        if fault.get("cut") == "after":
            return self.transport.abort()
        self.send(method, headers, answer, fault.get("cut_at"))

    def send(self, method, asked, answer, cut_at=None):
        length = answer.length
        head = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Refused')}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.status not in (204, 304):
            head.append(f"Content-Length: {length}")
        version = asked.get("x-ms-version")
        if version:
            head.append(f"x-ms-version: {version}")
        if "x-ms-client-request-id" in asked:
            head.append(f"x-ms-client-request-id: {asked['x-ms-client-request-id']}")
        head += [f"x-ms-request-id: {uuid.uuid4()}", f"Date: {self.world.date()}", "Server: Azure-Blob-Double", "", ""]
        self.transport.write("\r\n".join(head).encode("latin-1"))
        if method == "HEAD" or answer.status == 304:
            return
        if cut_at is not None and length > cut_at:
            self.transport.write(bytes(answer.body[:cut_at]))
            self.transport.close()
        elif length:
            self.transport.write(answer.body)


def refusal(refused):
    body = documents.error(refused.code, refused.detail) if refused.status != 304 else b""
    headers = {"x-ms-error-code": refused.code} | refused.headers
    if body:
        headers["Content-Type"] = "application/xml"
    return Answer(refused.status, headers, body)


class World:
    def __init__(self, options):
        self.access = Access(options.account, options.key, options.tenant, options.client, options.secret,
                             options.token_life)
        self.service = Service(self.access, options.page)
        self.faults = Faults()
        self.connections = set()
        self.servers = []
        self.is_logging = options.log
        self.second = (0, "")

    async def listen(self):
        """Listens, on the ports of before where there were some."""
        loop = asyncio.get_running_loop()
        ports = [port for _, port in self.servers] or [0] * len(self.contexts)
        self.servers = []
        for context, port in zip(self.contexts, ports):
            server = await loop.create_server(lambda: Connection(self), "127.0.0.1", port, ssl=context, backlog=1024)
            self.servers.append((server, server.sockets[0].getsockname()[1]))

    def date(self):
        now = int(time.time())
        if self.second[0] != now:
            self.second = (now, documents.date(now))
        return self.second[1]

    def control(self, target, body):
        """What a test asks of the double itself."""
        if target == "/-/faults":
            self.faults.rules = json.loads(body)
        elif target == "/-/tokens":
            self.access.tokens.clear()
        elif target == "/-/pending":
            pending = {name: len(one.pending) for name, one in self.service.containers.items()}
            return Answer(200, {}, json.dumps(pending))
        elif target == "/-/away":
            for server, _ in self.servers:
                server.close()
            for connection in list(self.connections):
                connection.transport.abort()
        elif target == "/-/back":
            asyncio.get_running_loop().create_task(self.listen())
        return Answer(200)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--account", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--tenant", default="tenant")
    parser.add_argument("--client", default="client")
    parser.add_argument("--secret", default="secret")
    parser.add_argument("--token-life", type=int, default=3600)
    parser.add_argument("--page", type=int, default=5000)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--certificate-key", required=True)
    parser.add_argument("--log", action="store_true")
    options = parser.parse_args()
    world = World(options)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.certificate_key)
    world.contexts = [None, context]
    await world.listen()
    control = await asyncio.get_running_loop().create_server(lambda: Connection(world, True), "127.0.0.1", 0)
    print(*(port for _, port in world.servers), control.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
