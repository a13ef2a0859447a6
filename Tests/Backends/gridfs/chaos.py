#!/usr/bin/env python3
"""Proves that no acknowledged change is lost on a bad network: `chaos.py BUILD_FOLDER MONGO_HOST [SEED]`.

Two hosts reach the server through a proxy that resets connections by a seeded plan: before a command, in its middle, and
after it, when only the answer is lost. Workers append a word of their own to an object, each on the condition that it is
still the one they read. What was acknowledged, or seen afterwards, must be there once; what was refused must not be there; what ended in an
error may be there once.
"""

import datetime
import random
import socket
import socketserver
import struct
import sys
import threading
import time

import pymongo

from host import running

BUILD, MONGO = sys.argv[1:3]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
WORKERS, ROUNDS, CUTS = 4, 12, 60

database = pymongo.MongoClient(f"mongodb://{MONGO}/")["chaos"]


class Plan:
    """When to cut: every so many messages, while cuts are left."""

    def __init__(self, seed):
        self.random, self.lock, self.left = random.Random(seed), threading.Lock(), CUTS

    def next(self):
        """What happens to one exchange: nothing, or where it is cut."""
        with self.lock:
            if self.left > 0 and self.random.random() < 0.08:
                self.left -= 1
                return self.random.choice(["before", "inside", "after"])
            return None


class Proxy(socketserver.BaseRequestHandler):
    def handle(self):
        address, port = MONGO.split(":")
        try:
            with socket.create_connection((address, int(port))) as server:
                while self.exchange(server):
                    pass
        except OSError:
            pass  # One side went; so does the other.
        # A reset, not an orderly end.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def exchange(self, server):
        request = self.message(self.request)
        cut = self.server.plan.next() if request else "before"
        if cut == "before":
            return False
        if cut == "inside":
            server.sendall(request[: len(request) // 2])
            return False
        server.sendall(request)
        reply = self.message(server)
        if cut == "after" or not reply:
            return False
        self.request.sendall(reply)
        return True

    @staticmethod
    def message(source):
        data = source.recv(4, socket.MSG_WAITALL)
        if len(data) < 4:
            return b""
        return data + source.recv(struct.unpack("<i", data)[0] - 4, socket.MSG_WAITALL)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def work(host, name, results):
    for number in range(ROUNDS):
        word = f"{name}-{number}".encode()
        for _ in range(200):
            found = host.get("files", "log")
            if found.status != 200:
                continue
            # An attempt that ended in an error may have been carried out by now.
            if word in found.body.split():
                results.append((word, 200))
                break
            answer = host.object("PUT", "files", "log", found.body + word + b"\n", If_Match=found.headers["ETag"])
            results.append((word, answer.status))
            if answer.status in (200, 201):
                break


def main():
    print(f"seed {SEED}")
    database.client.drop_database("chaos")
    proxy = Server(("127.0.0.1", 0), Proxy)
    proxy.plan = Plan(SEED)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    through = {"files": {"uri": f"mongodb://127.0.0.1:{proxy.server_address[1]}/chaos", "socket_timeout": "2s"}}
    direct = {"files": {"uri": f"mongodb://{MONGO}/chaos"}}
    results = []
    with running(BUILD, "gridfs", direct) as host:
        host.put("files", "log", b"")
        with running(BUILD, "gridfs", through) as first, running(BUILD, "gridfs", through) as second:
            threads = [
                threading.Thread(target=work, args=([first, second][number % 2], f"w{number}", results))
                for number in range(WORKERS)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        # Whatever was decided is carried out before somebody else writes.
        host.put("files", "other", b"x")
        host.object("PUT", "files", "log", b"", If_Match='"stale"')
        words = host.get("files", "log").body.split()
    assert len(set(words)) == len(words), "a change was made twice"
    acknowledged = [word for word, status in results if status in (200, 201)]
    uncertain = {word for word, status in results if status not in (200, 201, 412)}
    lost = set(acknowledged) - set(words)
    assert not lost, f"acknowledged, and lost: {lost}"
    assert set(words) <= set(acknowledged) | uncertain, f"refused, and there: {set(words) - set(acknowledged) - uncertain}"
    assert len(acknowledged) == WORKERS * ROUNDS, (len(acknowledged), results[-5:])
    assert proxy.plan.left < CUTS // 2, "the network was good"
    sweep_everything(direct)
    print(f"passed   {CUTS - proxy.plan.left} cuts, {len(results)} attempts, {len(uncertain)} words with an uncertain answer")


def sweep_everything(storages):
    """A day later a host clears away whatever is left."""
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)
    database["files.coffer"].update_many({}, {"$set": {"at": yesterday}})
    for document in list(database["files.files"].find({"filename": None})):
        database["files.files"].update_one({"_id": document["_id"]}, {"$set": {"coffer.hidden": yesterday}})
    with running(BUILD, "gridfs", storages) as host:
        assert host.get("files", "other").status == 200
        end = time.monotonic() + 15
        while database["files.coffer"].count_documents({}) + database["files.files"].count_documents({"filename": None}):
            assert time.monotonic() < end, list(database["files.coffer"].find({}))
            time.sleep(0.05)
    known = {document["_id"] for document in database["files.files"].find({})}
    lost = [chunk["_id"] for chunk in database["files.chunks"].find({}, {"files_id": 1}) if chunk["files_id"] not in known]
    assert not lost, f"chunks of nobody: {len(lost)}"


main()
