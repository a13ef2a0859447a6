#!/usr/bin/env python3
"""Proves that this plugin and pymongo's gridfs read each other's files: `interop.py BUILD_FOLDER MONGO_HOST`."""

import datetime
import os
import sys
import threading
import time
import warnings

import bson
import gridfs
import gridfs.errors
import pymongo

from host import Connection, running

# pymongo warns of the field that it reads `content_type` from, as long as it reads it.
warnings.simplefilter("ignore", DeprecationWarning)

BUILD, MONGO = sys.argv[1:]
CHUNK = 255 << 10
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, (5 << 20) + 7]

client = pymongo.MongoClient(f"mongodb://{MONGO}/")
database = client["interop"]
bucket = gridfs.GridFSBucket(database, "files")
files = gridfs.GridFS(database, "files")
documents, chunks, notes = database["files.files"], database["files.chunks"], database["files.coffer"]


def wait_until(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.02)


def expect_no_leftovers():
    known = {document["_id"] for document in documents.find({}, {"_id": 1})}
    lost = {chunk["files_id"] for chunk in chunks.find({}, {"files_id": 1})} - known
    assert not lost, f"chunks of nobody: {lost}"
    assert documents.count_documents({"filename": None}) == 0, "documents without a name"
    assert notes.count_documents({}) == 0, list(notes.find({}))


def ours_are_read_by_pymongo(host):
    for size in SIZES:
        content = os.urandom(size)
        host.put("files", f"ours/{size}.txt", content, Content_Type="text/plain", Coffer_Meta_colour="dark%20blue")
        found = files.get_last_version(f"ours/{size}.txt")
        assert found.read() == content, size
        assert found.content_type == "text/plain", found.content_type
        assert found.metadata == {"colour": "dark blue"}, found.metadata
        assert (found.length, found.chunk_size) == (size, CHUNK), (found.length, found.chunk_size)
        age = datetime.datetime.now(datetime.timezone.utc) - found.upload_date.replace(tzinfo=datetime.timezone.utc)
        assert abs(age.total_seconds()) < 30, age
        assert bucket.open_download_stream_by_name(f"ours/{size}.txt").read() == content
        assert chunks.count_documents({"files_id": found._id}) == -(-size // CHUNK)
    assert set(files.list()) >= {f"ours/{size}.txt" for size in SIZES}


def theirs_are_read_by_us(host):
    for number, size in enumerate(SIZES):
        content = os.urandom(size)
        identifier = [bson.ObjectId(), f"a string {size}", 7_000_000_000 + size][number % 3]
        files.put(
            content, _id=identifier, filename=f"theirs/{size}.png", contentType="image/png", chunk_size=100_000,
            metadata={"Author": "Ada L.", "pages": 3, "nested": {"a": [1, "b"]}},
        )
        answer = host.get("files", f"theirs/{size}.png")
        assert (answer.status, answer.body) == (200, content), (size, answer.status)
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Coffer-Meta-author"] == "Ada%20L.", dict(answer.headers)
        assert answer.headers["Coffer-Meta-pages"] == "3"
        assert answer.headers["ETag"]
    keys = [entry["key"] for entry in host.request("GET", "files/objects?prefix=theirs/").json["objects"]]
    assert keys == sorted(f"theirs/{size}.png" for size in SIZES), keys


def the_newest_version_is_one_rule(host):
    for number in range(3):
        files.put(b"version %d" % number, filename="versions")
        time.sleep(0.003)  # Times of GridFS have milliseconds: two in one would have no order for anybody.
    assert host.get("files", "versions").body == files.get_last_version("versions").read() == b"version 2"
    tag = host.get("files", "versions").headers["ETag"]
    # A clock that is ahead of ours: what we write is the newest all the same.
    files.put(b"from tomorrow", filename="versions")
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    newest = files.get_last_version("versions")._id
    documents.update_one({"_id": newest}, {"$set": {"uploadDate": tomorrow}})
    assert host.get("files", "versions").body == b"from tomorrow"
    refused = host.object("PUT", "files", "versions", b"late", If_Match=tag)
    assert refused.status == 412, refused.status
    host.put("files", "versions", b"ours")
    assert files.get_last_version("versions").read() == host.get("files", "versions").body == b"ours"
    assert documents.count_documents({"filename": "versions"}) == 1, "old versions are cleaned on replace"
    files.put(b"theirs once more", filename="versions")
    documents.update_one({"filename": "versions", "length": 16}, {"$set": {"uploadDate": tomorrow + datetime.timedelta(days=1)}})
    assert host.get("files", "versions").body == b"theirs once more"
    assert host.object("DELETE", "files", "versions").status == 204
    assert not files.exists(filename="versions"), "a removed key shows no older version"


def theirs_vanish_and_are_renamed(host):
    host.put("files", "a", b"ours")
    files.delete(files.get_last_version("a")._id)
    assert host.get("files", "a").status == 404
    host.put("files", "a", b"once more")
    bucket.rename(files.get_last_version("a")._id, "b")
    assert host.get("files", "a").status == 404 and host.get("files", "b").body == b"once more"


def a_range_reads_only_its_chunks(host):
    size = 64 << 20
    content = os.urandom(1 << 20) * 64
    host.put("files", "large", content)
    found = files.get_last_version("large")
    first = (size - (1 << 20)) // CHUNK
    # What is not there cannot have been read.
    assert chunks.delete_many({"files_id": found._id, "n": {"$lt": first}}).deleted_count == first
    answer = host.get("files", "large", Range=f"bytes={size - (1 << 20)}-")
    assert answer.status == 206 and answer.body == content[size - (1 << 20) :], answer.status
    assert host.object("DELETE", "files", "large").status == 204


def readers_see_one_version_or_the_other(host):
    """pymongo finds the object at every moment while it is replaced, and whole, or is told that its chunks went."""
    contents = [bytes([65 + number]) * 1000 for number in range(4)]
    host.put("files", "replaced", contents[0])
    done = threading.Event()
    seen = []

    def read():
        while not done.is_set():
            try:
                seen.append(files.get_last_version("replaced").read())
            except gridfs.errors.CorruptGridFile:
                pass  # It read the version before, whose chunks went between its two queries.

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        host.put("files", "replaced", contents[number % 4])
    done.set()
    reader.join()
    assert seen and all(content in contents for content in seen), "a mixture, or nothing"


def a_killed_upload_is_swept(host):
    body = os.urandom(6 << 20)
    connection = Connection(host.socket, 20)
    connection.putrequest("PUT", "/v1/storages/files/objects/killed")
    connection.putheader("Content-Length", str(len(body) * 2))
    connection.endheaders()
    connection.send(body)
    def identifier_of_chunks():
        note = notes.find_one({"kind": "chunks"})
        return note and chunks.find_one({"files_id": note["_id"]["chunks"]}, {"files_id": 1})
    wait_until(identifier_of_chunks, "chunks and their note")
    host.process.kill()
    host.process.wait()
    connection.close()
    assert host.process.returncode == -9
    identifier = notes.find_one({"kind": "chunks"})["_id"]["chunks"]
    assert chunks.count_documents({"files_id": identifier}) > 0
    assert not files.exists(filename="killed")
    return identifier


def leave_a_decided_change():
    """What a host leaves that dies right after its decision, for two keys: one that is asked for, one that is not."""
    long_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)
    for key in ["decided/asked", "decided/silent"]:
        files.put(b"old", filename=key)
        old = files.get_last_version(key)._id
        new = bson.ObjectId()
        chunks.insert_one({"files_id": new, "n": 0, "data": b"decided"})
        documents.insert_one(
            {"_id": new, "length": 7, "chunkSize": CHUNK, "uploadDate": long_ago, "coffer": {"hidden": long_ago}}
        )
        notes.insert_one(
            {
                "_id": key, "kind": "claim", "token": bson.ObjectId(), "at": long_ago,
                "decided": {
                    "file": new, "name": key, "over": [old], "expected": [{"path": "filename", "value": None}],
                    "fields": [
                        {"path": "filename", "value": key}, {"path": "coffer.hidden", "value": None},
                        {"path": "uploadDate", "value": datetime.datetime.now(datetime.timezone.utc)},
                    ],
                },
            }
        )
    # And one who died with a claim that was never decided, and a document that never got its name.
    notes.insert_one({"_id": "open", "kind": "claim", "token": bson.ObjectId(), "at": long_ago})
    hidden = bson.ObjectId()
    chunks.insert_one({"files_id": hidden, "n": 0, "data": b"never named"})
    documents.insert_one(
        {"_id": hidden, "length": 11, "chunkSize": CHUNK, "uploadDate": long_ago, "coffer": {"hidden": long_ago}}
    )


def what_was_left_is_finished(host, killed):
    long_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)
    notes.update_one({"_id": {"chunks": killed}}, {"$set": {"at": long_ago}})
    host.put("files", "decided/asked", b"newer")
    assert host.get("files", "decided/asked").body == b"newer"
    wait_until(lambda: host.get("files", "decided/silent").body == b"decided", "the decided change")
    wait_until(lambda: notes.count_documents({}) == 0, "the notes to go")
    assert chunks.count_documents({"files_id": killed}) == 0
    expect_no_leftovers()


def main():
    client.drop_database("interop")
    storages = {"files": {"uri": f"mongodb://{MONGO}/interop", "container": "files"}}
    with running(BUILD, "gridfs", storages) as host:
        for proof in [
            ours_are_read_by_pymongo, theirs_are_read_by_us, the_newest_version_is_one_rule,
            theirs_vanish_and_are_renamed, a_range_reads_only_its_chunks, readers_see_one_version_or_the_other,
        ]:
            proof(host)
            expect_no_leftovers()
            print(f"passed   {proof.__name__}")
        killed = a_killed_upload_is_swept(host)
    leave_a_decided_change()
    with running(BUILD, "gridfs", storages) as host:
        what_was_left_is_finished(host, killed)
        print("passed   what_was_left_is_finished")


main()
