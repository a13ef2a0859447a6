"""HTTP/1.1 with threads, as little of it as a double of a store needs."""

import json
import socket
import socketserver
import threading


class Broken(Exception):
    """The connection shall be cut here."""


class Request:
    def __init__(self, method, target, headers, stream, connection):
        self.method, self.target, self.headers = method, target, headers
        self.stream, self.connection = stream, connection
        self.path, _, self.query_text = target.partition("?")
        self.is_read = False

    def pieces(self):
        """The body, piece by piece."""
        self.is_read = True
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                length = int(self.stream.readline().split(b";")[0], 16)
                if length == 0:
                    while self.stream.readline().strip():
                        pass
                    return
                yield self.exactly(length)
                self.stream.readline()
        left = int(self.headers.get("content-length", 0))
        while left:
            piece = self.exactly(min(left, 256 << 10))
            left -= len(piece)
            yield piece

    def exactly(self, length):
        data = self.stream.read(length)
        if len(data) != length:
            raise Broken
        return data

    def body(self):
        return b"".join(self.pieces())

    def json(self):
        body = self.body()
        return json.loads(body) if body else {}


class Answer:
    def __init__(self, status, body=b"", headers=None, kind="application/json; charset=UTF-8"):
        self.status, self.headers = status, headers or {}
        self.body = body if isinstance(body, (bytes, bytearray, memoryview)) else json.dumps(body).encode()
        if self.body and "content-type" not in {name.lower() for name in self.headers}:
            self.headers["Content-Type"] = kind
        self.cut = None

    def head(self):
        lines = [f"HTTP/1.1 {self.status} X"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status not in (204, 304) and "Content-Length" not in self.headers:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


class Handler(socketserver.StreamRequestHandler):
    rbufsize = 256 << 10

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.note(self.connection)

    def finish(self):
        self.server.forget(self.connection)
        super().finish()

    def handle(self):
        try:
            while self.one():
                pass
        except (Broken, ConnectionError, TimeoutError, ValueError):
            # A client that goes away in the midst is what proofs of failure do.
            return

    def one(self):
        line = self.rfile.readline(65537)
        if not line.strip():
            return False
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while True:
            line = self.rfile.readline(65537)
            if line in (b"\r\n", b"\n", b""):
                break
            name, _, value = line.decode("utf-8", "replace").partition(":")
            headers[name.strip().lower()] = value.strip()
        request = Request(method, target, headers, self.rfile, self.connection)
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        answer = self.server.answer(request)
        if not request.is_read:
            for _ in request.pieces():
                pass
        hides_body = method == "HEAD"
        head = answer.head()
        body = b"" if hides_body or answer.status in (204, 304) else answer.body
        if answer.cut is not None:
            self.connection.sendall(head + bytes(body[:answer.cut]))
            raise Broken
        if len(body) <= 64 << 10:
            self.connection.sendall(head + bytes(body))
        else:
            self.connection.sendall(head)
            self.connection.sendall(body)
        return headers.get("connection", "").lower() != "close"


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.connections, self.connections_lock = set(), threading.Lock()

    def note(self, connection):
        with self.connections_lock:
            self.connections.add(connection)

    def forget(self, connection):
        with self.connections_lock:
            self.connections.discard(connection)

    def handle_error(self, request, client_address):
        # One line is enough to find a fault of the double.
        import traceback

        traceback.print_exc()
