"""The rounds of the benchmark: `bench.py PLUGIN DRIVE ENDPOINT SECONDS`, or `bench.py prepare FOLDER`."""

import base64
import io
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import google_crc32c

SMALL, LARGE, AT_ONCE, ROUNDS = 16 << 10, 64 << 20, 16, 3


def prepare(folder):
    """Sixteen small objects of the same bytes, and a large one, each with what the store says of it."""
    small = bytes(range(256)) * (SMALL >> 8)
    hashes = []
    for name, content in [*((f"r{number}", small) for number in range(16)), ("large", small * (LARGE // SMALL))]:
        crc = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
        about = {"kind": "storage#object", "bucket": "bench", "name": name, "generation": "1", "metageneration": "1",
                 "size": str(len(content)), "crc32c": crc, "contentType": "application/octet-stream",
                 "timeCreated": "2024-01-01T00:00:00Z", "updated": "2024-01-01T00:00:00Z"}
        (folder / "about" / name).write_text(json.dumps(about))
        (folder / "media" / name).write_bytes(content)
        hashes.append((name, crc))
    (folder / "hash").write_text("".join(f'/media/{name} "{crc}";\n' for name, crc in hashes))


def measure(plugin, drive, endpoint, seconds):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    google = storage.Client(project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint})
    adapter = __import__("requests").adapters.HTTPAdapter(pool_connections=AT_ONCE, pool_maxsize=AT_ONCE)
    google._http.mount("http://", adapter)
    bucket = google.bucket("bench")

    def ours(what, size, threads, duration, bucket="bench"):
        printed = subprocess.run(
            [drive, plugin, what, str(size), str(threads), str(duration), f"endpoint={endpoint}",
             "credentials=anonymous", f"container={bucket}", "chunk_size=8388608"],
            check=True, capture_output=True, text=True,
        ).stdout.split()
        operations, moved, passed, processor = int(printed[0]), int(printed[1]), float(printed[2]), float(printed[3])
        return operations / passed, moved / passed, processor / max(operations, 1)

    def theirs(what):
        end, counts, body = time.monotonic() + seconds, [], bytes(SMALL)

        def one(number):
            count = 0
            while time.monotonic() < end:
                blob = bucket.blob(f"r{(number + count) % 16}")
                if what == "get":
                    blob.download_as_bytes()
                else:
                    blob.upload_from_string(body)
                count += 1
            counts.append(count)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)]
        before, start = time.process_time(), time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        passed = time.monotonic() - start
        return sum(counts) / passed, 0, (time.process_time() - before) / max(1, sum(counts))

    def large(what):
        start = time.monotonic()
        if what == "get":
            bucket.blob("large").download_to_file(io.BytesIO())
        else:
            blob = bucket.blob("w", chunk_size=8 << 20)
            blob.upload_from_file(io.BytesIO(bytes(LARGE)), size=LARGE, checksum=None)
        return 0, LARGE / (time.monotonic() - start), 0

    def median(values, index):
        return statistics.median(value[index] for value in values)

    print("| what | ours | google-cloud-storage | ratio |\n| --- | --- | --- | --- |")
    for what in ["get", "put"]:
        found = ([], [])
        for _ in range(ROUNDS):
            found[0].append(ours(what, SMALL, AT_ONCE, seconds))
            found[1].append(theirs(what))
        left, right = median(found[0], 0), median(found[1], 0)
        print(f"| {what} 16 KiB, {AT_ONCE} at a time | {left:.0f}/s | {right:.0f}/s | {left / right:.1f} |")
        left, right = median(found[0], 2) * 1e6, median(found[1], 2) * 1e6
        print(f"| processor time of one | {left:.0f} µs | {right:.0f} µs | {left / right:.2f} |")
    for what in ["get", "put"]:
        found = ([], [])
        for _ in range(ROUNDS):
            found[0].append(ours(what, LARGE, 1, 0.01, "large"))
            found[1].append(large(what))
        left, right = median(found[0], 1) / 1e6, median(found[1], 1) / 1e6
        print(f"| {what} 64 MiB | {left:.0f} MB/s | {right:.0f} MB/s | {left / right:.1f} |")


if sys.argv[1] == "prepare":
    prepare(pathlib.Path(sys.argv[2]))
else:
    measure(*sys.argv[1:4], float(sys.argv[4]))
