"""The rounds of the benchmark: `bench.py PLUGIN DRIVE SECONDS`."""

import os
import statistics
import subprocess
import sys
import threading
import time

from facts import ACCOUNT, ENDPOINT, KEY, client

PLUGIN, DRIVE, SECONDS = sys.argv[1:]
SECONDS = float(SECONDS)
SMALL, LARGE, AT_ONCE, ROUNDS = 16 << 10, 64 << 20, 16, 3
container = client(max_single_put_size=8 << 20, max_block_size=8 << 20).get_container_client("bench")


def ours(what, size, threads, seconds=SECONDS):
    printed = subprocess.run(
        [DRIVE, PLUGIN, what, str(size), str(threads), str(seconds), f"endpoint={ENDPOINT}", f"account={ACCOUNT}",
         f"key={KEY}", "container=bench"],
        check=True, capture_output=True, text=True,
    ).stdout.split()
    operations, _, passed, processor = int(printed[0]), int(printed[1]), float(printed[2]), float(printed[3])
    return operations / passed, processor / max(operations, 1)


def theirs(one, threads):
    """`one(turn)` over and over on some threads: operations a second, and seconds of the processor for each."""
    end, counts = time.monotonic() + SECONDS, []
    processor, start = time.process_time(), time.monotonic()

    def work(number):
        count = 0
        while time.monotonic() < end:
            one((number + count) % 16)
            count += 1
        counts.append(count)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.monotonic() - start), (time.process_time() - processor) / max(sum(counts), 1)


def main():
    container.create_container()
    body, large = os.urandom(SMALL), os.urandom(LARGE)
    for number in range(16):
        container.upload_blob(f"r{number}", body)
    rows = {
        "put 16 KiB, 16 at once": (
            lambda: ours("put", SMALL, AT_ONCE),
            lambda: theirs(lambda turn: container.upload_blob(f"w{turn}", body, overwrite=True), AT_ONCE),
        ),
        "get 16 KiB, 16 at once": (
            lambda: ours("get", SMALL, AT_ONCE),
            lambda: theirs(lambda turn: container.download_blob(f"r{turn}").readall(), AT_ONCE),
        ),
        "put 64 MiB": (
            lambda: ours("put", LARGE, 1),
            lambda: theirs(lambda turn: container.upload_blob(f"w{turn}", large, overwrite=True, max_concurrency=4), 1),
        ),
        "list 2,000 keys": (
            lambda: ours("list", 0, 1),
            lambda: theirs(lambda turn: sum(1 for _ in container.list_blobs()), 1),
        ),
    }
    print("| | ours, a second | azure-storage-blob | ratio | processor, ours to theirs |\n| --- | --- | --- | --- | --- |")
    for name, measures in rows.items():
        if name.startswith("list"):
            for number in range(2000):
                container.upload_blob(f"l/{number}", b"")
        found = [[], []]
        for _ in range(ROUNDS):
            for index, measure in enumerate(measures):
                found[index].append(measure())
        rate = [statistics.median(one[0] for one in each) for each in found]
        cost = [statistics.median(one[1] for one in each) for each in found]
        print(f"| {name} | {rate[0]:.1f} | {rate[1]:.1f} | {rate[0] / rate[1]:.2f} | {cost[0] / cost[1]:.2f} |", flush=True)


main()
