#!/usr/bin/env python3
"""What pymongo's gridfs does by itself: `pymongo_peer.py URI BYTES` prints the seconds of an upload and a download."""

import sys
import time

import gridfs
import pymongo

uri, size = sys.argv[1], int(sys.argv[2])
content = bytes(range(256)) * (size // 256)
files = gridfs.GridFS(pymongo.MongoClient(uri)["peer"])
start = time.monotonic()
identifier = files.put(content, filename="peer")
middle = time.monotonic()
stream, total = files.get(identifier), 0
while part := stream.read(1 << 20):
    total += len(part)
end = time.monotonic()
assert total == len(content)
files.delete(identifier)
print(f"{middle - start:.4f} {end - middle:.4f}")
