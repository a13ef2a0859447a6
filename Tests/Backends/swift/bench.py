"""The rounds of the benchmark: `bench.py PLUGIN DRIVE ENDPOINT DATA SECONDS`."""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import threading
import time

import swiftclient
from swiftclient.utils import LengthWrapper

PLUGIN, DRIVE, ENDPOINT, DATA, SECONDS = sys.argv[1:]
SECONDS, DATA = float(SECONDS), pathlib.Path(DATA)
SMALL, LARGE, AT_ONCE, ROUNDS = 4 << 10, 256 << 20, 8, 3


def ours(what, size, threads, seconds, *options):
    """Operations a second, bytes a second, and seconds of processor time for an operation."""
    done = subprocess.run(
        [DRIVE, PLUGIN, what, str(size), str(threads), str(seconds), f"authurl={ENDPOINT}/auth", "user=a:b", "key=c",
         "container=bench", *options],
        capture_output=True, text=True,
    )
    if done.returncode:
        sys.exit(f"{what} {size} {options}: {done.stderr}")
    printed = done.stdout.split()
    operations, moved, passed, processor = int(printed[0]), int(printed[1]), float(printed[2]), float(printed[3])
    return operations / passed, moved / passed, processor / max(operations, 1)


def connect():
    return swiftclient.Connection(f"{ENDPOINT}/auth", "a:b", "c", auth_version="1")


def theirs_small(what, threads):
    end, body, counts = time.monotonic() + SECONDS, bytes(SMALL), []

    def one(number):
        client, count = connect(), 0
        while time.monotonic() < end:
            key = f"{'r' if what == 'get' else 'w'}{(number + count) % 16}"
            if what == "get":
                client.get_object("bench", key)
            else:
                client.put_object("bench", key, body)
            count += 1
        counts.append(count)

    lanes = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    before, start = time.process_time(), time.monotonic()
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    passed = time.monotonic() - start
    return sum(counts) / passed, 0, (time.process_time() - before) / sum(counts)


def theirs_large(what, with_digest=False):
    client = connect()
    before, start = time.process_time(), time.monotonic()
    if what == "get":
        for _ in client.get_object("bench", "r0", resp_chunk_size=1 << 20)[1]:
            pass
    else:
        with open(DATA / "r0", "rb") as file:
            body = LengthWrapper(file, LARGE, md5=with_digest)
            client.put_object("bench", "up", body, content_length=LARGE, chunk_size=1 << 20)
    return 0, LARGE / (time.monotonic() - start), time.process_time() - before


def fill(size):
    for number in range(16 if size == SMALL else 1):
        (DATA / f"r{number}").write_bytes(os.urandom(size))


def compare(name, mine, peer, by):
    mines, peers = [], []
    for _ in range(ROUNDS):
        mines.append(mine())
        peers.append(peer())
    left, right = (statistics.median(one[by] for one in many) for many in (mines, peers))
    cost = statistics.median(one[2] for one in peers) / statistics.median(one[2] for one in mines)
    unit = (lambda value: f"{value:.0f}/s") if by == 0 else (lambda value: f"{value / 1e6:.0f} MB/s")
    print(f"| {name} | {unit(left)} | {unit(right)} | {left / right:.1f} x | {cost:.1f} x |", flush=True)


def main():
    print("| | coffer | python-swiftclient | faster by | less processor time by |\n| --- | --- | --- | --- | --- |")
    fill(SMALL)
    for what in ["get", "put"]:
        for threads in [1, AT_ONCE]:
            compare(f"{what} 4 KiB, {threads} at once", lambda: ours(what, SMALL, threads, SECONDS),
                    lambda: theirs_small(what, threads), 0)
    fill(LARGE)
    for name, what, has_digest, options in [
        ("get 256 MiB", "get", False, []), ("put 256 MiB in segments", "put", True, []),
        ("put 256 MiB in segments, no digest", "put", False, ["checksum_mode=none"]),
        ("put 256 MiB in one segment", "put", True, [f"segment_size={256 << 20}"]),
    ]:
        # One operation: it takes longer than that.
        compare(name, lambda: ours(what, LARGE, 1, 0.01, *options), lambda: theirs_large(what, has_digest), 1)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    print(f"\nMost memory of a process of ours: {peak} MiB.")


main()
