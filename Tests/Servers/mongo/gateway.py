#!/usr/bin/env python3
"""A MongoDB server's wire: OP_MSG, the OP_QUERY of the first greeting, SCRAM-SHA-256 and TLS, in front of an engine.

gateway.py --port-file FILE [--engine memory | --engine documentdb --postgres CONNINFO] [--user NAME:PASSWORD]
           [--reader NAME:PASSWORD] [--certificate PEM] [--room BYTES]
"""

import argparse
import base64
import datetime
import hashlib
import hmac
import os
import socket
import socketserver
import ssl
import struct
import sys
import traceback

import bson

from collections_in_memory import Refusal

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
CHECKSUM, MORE_TO_COME = 1, 2
# What belongs to sessions, versions and clusters, and says nothing to one server.
SESSION_FIELDS = {
    "$db", "lsid", "txnNumber", "$clusterTime", "$readPreference", "readConcern", "writeConcern", "apiVersion",
    "apiStrict", "apiDeprecationErrors",
}
OPEN_TO_ALL = {"hello", "ismaster", "isMaster", "ping", "saslStart", "saslContinue", "buildInfo", "buildinfo", "endSessions"}
READING = {"find", "getMore", "killCursors", "aggregate", "count", "distinct", "listCollections", "listIndexes", "listDatabases"}


def greeting(name):
    return {
        "helloOk": True,
        "isWritablePrimary" if name == "hello" else "ismaster": True,
        "maxBsonObjectSize": 16 << 20,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "localTime": datetime.datetime.now(datetime.timezone.utc),
        "logicalSessionTimeoutMinutes": 30,
        "connectionId": 1,
        "minWireVersion": 0,
        "maxWireVersion": 21,
        "readOnly": False,
    }


class Scram:
    """The server's side of SCRAM-SHA-256, RFC 7677."""

    ROUNDS = 4096

    def __init__(self, users):
        self.users, self.name = users, None

    @staticmethod
    def refuse():
        raise Refusal(18, "AuthenticationFailed", "Authentication failed.")

    def begin(self, payload):
        self.bare = payload.split(b",", 2)[2]
        fields = dict(part.split(b"=", 1) for part in self.bare.split(b","))
        self.name = fields[b"n"].decode()
        if self.name not in self.users:
            self.refuse()
        salt = hashlib.sha256(b"salt of " + self.name.encode()).digest()[:28]  # as long as drivers insist on
        self.salted = hashlib.pbkdf2_hmac("sha256", self.users[self.name].encode(), salt, self.ROUNDS)
        self.nonce = fields[b"r"] + base64.b64encode(os.urandom(18))
        self.first = b"r=%b,s=%b,i=%d" % (self.nonce, base64.b64encode(salt), self.ROUNDS)
        return self.first

    def finish(self, payload):
        without_proof, proof = payload.rsplit(b",p=", 1)
        message = b",".join([self.bare, self.first, without_proof])
        key = hmac.digest(self.salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        expected = bytes(a ^ b for a, b in zip(key, signature))
        if not hmac.compare_digest(expected, base64.b64decode(proof)) or b"r=" + self.nonce not in without_proof:
            self.refuse()
        server = hmac.digest(hmac.digest(self.salted, b"Server Key", "sha256"), message, "sha256")
        return b"v=" + base64.b64encode(server)


class Connection(socketserver.BaseRequestHandler):
    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.user, self.scram = None, None

    def handle(self):
        try:
            while True:
                length, number, _, operation = struct.unpack("<iiii", self.receive(16))
                body = self.receive(length - 16)
                if operation == OP_MSG:
                    self.answer_message(number, body)
                elif operation == OP_QUERY:
                    self.answer_query(number, body)
                else:
                    return
        except (EOFError, OSError):
            pass  # The client has gone, which is its right.

    def receive(self, count):
        data = bytearray(count)
        view, got = memoryview(data), 0
        while got < count:
            step = self.request.recv_into(view[got:])
            if step == 0:
                raise EOFError
            got += step
        return data

    def send(self, number, operation, head, document):
        length = 16 + len(head) + len(document)
        self.request.sendall(struct.pack("<iiii", length, 0, number, operation) + head + document)

    def answer_message(self, number, body):
        (flags,) = struct.unpack_from("<I", body)
        at, end = 4, len(body) - (4 if flags & CHECKSUM else 0)
        command, sequences = {}, {}
        while at < end:
            kind, (size,) = body[at], struct.unpack_from("<i", body, at + 1)
            section = bytes(body[at + 1 : at + 1 + size])
            if kind == 0:
                command = bson.decode(section)
            else:
                stop = section.index(0, 4)
                sequences[section[4:stop].decode()] = self.documents(section[stop + 1 :])
            at += 1 + size
        reply = self.dispatch(command, sequences)
        if not flags & MORE_TO_COME:
            self.send(number, OP_MSG, struct.pack("<IB", 0, 0), reply)

    @staticmethod
    def documents(section):
        found, at = [], 0
        while at < len(section):
            (size,) = struct.unpack_from("<i", section, at)
            found.append(section[at : at + size])
            at += size
        return found

    def answer_query(self, number, body):
        stop = body.index(0, 4)
        command = bson.decode(bytes(body[stop + 9 :]))
        command.setdefault("$db", bytes(body[4:stop]).decode().split(".")[0])
        reply = self.dispatch(command, {})
        self.send(number, OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1), reply)

    def dispatch(self, command, sequences):
        name = next(iter(command))
        try:
            reply = self.run(name, command, sequences)
            if isinstance(reply, bytes):
                return reply
            reply = {**reply, "ok": 1.0}
        except Refusal as refusal:
            reply = {"ok": 0.0, "errmsg": str(refusal), "code": refusal.code, "codeName": refusal.name}
        except Exception as error:  # A fault of the gateway is told to the client and to whoever reads the log.
            traceback.print_exc()
            reply = {"ok": 0.0, "errmsg": repr(error), "code": 8, "codeName": "UnknownError"}
        return bson.encode(reply)

    def run(self, name, command, sequences):
        if name in ("hello", "ismaster", "isMaster"):
            mechanisms = {"saslSupportedMechs": ["SCRAM-SHA-256"]} if "saslSupportedMechs" in command else {}
            return greeting(name) | mechanisms
        if name == "saslStart":
            if command["mechanism"] != "SCRAM-SHA-256":
                Scram.refuse()
            self.scram = Scram(self.server.users | self.server.readers)
            return {"conversationId": 1, "done": False, "payload": self.scram.begin(bytes(command["payload"]))}
        if name == "saslContinue":
            payload = b"" if self.user else self.scram.finish(bytes(command["payload"]))
            self.user = self.scram.name
            return {"conversationId": 1, "done": True, "payload": payload}
        if name in ("ping", "endSessions"):
            return {}
        if name in ("buildInfo", "buildinfo"):
            return {"version": "7.0.0", "versionArray": [7, 0, 0, 0], "maxBsonObjectSize": 16 << 20}
        if (self.server.users or self.server.readers) and not self.user:
            raise Refusal(13, "Unauthorized", f"command {name} requires authentication")
        if self.user in self.server.readers and (name not in READING):
            raise Refusal(13, "Unauthorized", f"not authorized on {command['$db']} to execute command {name}")
        if "startTransaction" in command:
            raise Refusal(20, "IllegalOperation", "transactions want a replica set")
        database = command["$db"]
        rest = {field: value for field, value in command.items() if field not in SESSION_FIELDS}
        return self.server.engine.run(database, name, rest, sequences)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256
    tls = None

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            # The handshake comes with the first byte, on the connection's own thread.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request, client_address):
        traceback.print_exc()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--engine", choices=["memory", "documentdb"], default="memory")
    parser.add_argument("--postgres", default="")
    parser.add_argument("--user", action="append", default=[])
    parser.add_argument("--reader", action="append", default=[])
    parser.add_argument("--certificate")
    parser.add_argument("--room", type=int)
    arguments = parser.parse_args()
    server = Server(("127.0.0.1", 0), Connection)
    server.users = dict(pair.split(":", 1) for pair in arguments.user)
    server.readers = dict(pair.split(":", 1) for pair in arguments.reader)
    if arguments.certificate:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(arguments.certificate)
    if arguments.engine == "memory":
        from memory_engine import MemoryEngine

        server.engine = MemoryEngine(arguments.room)
    else:
        from documentdb_engine import DocumentDBEngine

        server.engine = DocumentDBEngine(arguments.postgres)
    # The port is told last, and at once: who sees the file can connect.
    with open(arguments.port_file + ".new", "w") as file:
        file.write(str(server.server_address[1]))
    os.rename(arguments.port_file + ".new", arguments.port_file)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
