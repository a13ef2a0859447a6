"""The rounds of the benchmark: `bench.py PLUGIN DRIVE ENDPOINT DATA SECONDS`."""

import asyncio
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import threading
import time

import boto3
import obstore
from botocore.config import Config
from obstore.store import S3Store

PLUGIN, DRIVE, ENDPOINT, DATA, SECONDS = sys.argv[1:]
SECONDS = float(SECONDS)
DATA = pathlib.Path(DATA)
SMALL, LARGE, AT_ONCE, ROUNDS = 16 << 10, 256 << 20, 16, 3
BIN = pathlib.Path(sys.executable).parent
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}

obs = S3Store("bench", endpoint=ENDPOINT, access_key_id="a", secret_access_key="b", region="us-east-1",
              client_options={"allow_http": True}, virtual_hosted_style_request=False)
boto = boto3.client(
    "s3", endpoint_url=ENDPOINT, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1",
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, max_pool_connections=AT_ONCE,
                  request_checksum_calculation="when_required", response_checksum_validation="when_required"),
)


def ours(what, size, threads, seconds=SECONDS, *options):
    printed = subprocess.run(
        [DRIVE, PLUGIN, what, str(size), str(threads), str(seconds), f"endpoint={ENDPOINT}", "access_key=a",
         "secret_key=b", "provider=aws", "addressing=path", "container=bench", *options],
        check=True, capture_output=True, text=True,
    ).stdout.split()
    operations, moved, passed, processor = int(printed[0]), int(printed[1]), float(printed[2]), float(printed[3])
    return operations / passed, moved / passed, processor / max(moved, 1)


def obstore_small(what):
    async def run():
        end, body, counts = time.monotonic() + SECONDS, bytes(SMALL), []

        async def one(number):
            count = 0
            while time.monotonic() < end:
                key = f"{'r' if what == 'get' else 'w'}{(number + count) % 16}"
                if what == "get":
                    await (await obstore.get_async(obs, key)).bytes_async()
                else:
                    await obstore.put_async(obs, key, body)
                count += 1
            counts.append(count)

        start = time.monotonic()
        await asyncio.gather(*(one(number) for number in range(AT_ONCE)))
        return sum(counts) / (time.monotonic() - start)

    return asyncio.run(run())


def boto_small(what):
    end, body, counts = time.monotonic() + SECONDS, bytes(SMALL), []

    def one(number):
        count = 0
        while time.monotonic() < end:
            key = f"{'r' if what == 'get' else 'w'}{(number + count) % 16}"
            if what == "get":
                boto.get_object(Bucket="bench", Key=key)["Body"].read()
            else:
                boto.put_object(Bucket="bench", Key=key, Body=body)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - start)


def program(*words):
    """Bytes a second of a whole program that moves one large object, and its processor time a byte."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(words, check=True, capture_output=True, env=os.environ | KEYS | {"RCLONE_CONFIG": "/dev/null"})
    passed = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return LARGE / passed, processor / LARGE


def obstore_large(what):
    before, start = time.process_time(), time.monotonic()
    if what == "get":
        for _ in obstore.get(obs, "large").stream(min_chunk_size=1 << 20):
            pass
    else:
        with open(DATA / "large", "rb") as file:
            obstore.put(obs, "large-up", file)
    return LARGE / (time.monotonic() - start), (time.process_time() - before) / LARGE


REMOTE = f":s3,provider=Other,endpoint='{ENDPOINT}',access_key_id=a,secret_access_key=b,force_path_style=true:bench"
S5 = [str(BIN / "s5cmd"), "--endpoint-url", ENDPOINT]
RCLONE = [str(BIN / "rclone"), "copyto", "--s3-no-check-bucket", "--ignore-checksum", "--no-check-dest"]


def rounds(measures):
    """The medians of interleaved rounds, by name."""
    results = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            try:
                results[name].append(measure())
            except subprocess.CalledProcessError as error:
                results[name].append(None)
                print(f"{name}: {error.stderr[-200:]}", file=sys.stderr)
    return {name: [one for one in values if one is not None] for name, values in results.items()}


def median(values, index=None):
    return statistics.median(value if index is None else value[index] for value in values) if values else float("nan")


def main():
    for number in range(16):
        (DATA / f"r{number}").write_bytes(os.urandom(SMALL))
        (DATA / f"w{number}").write_bytes(b"")
    with open(DATA / "large", "wb") as file:
        for _ in range(LARGE >> 20):
            file.write(os.urandom(1 << 20))
    # Parts are thrown away: who looks for the object afterwards finds this one.
    os.link(DATA / "large", DATA / "large-up")
    print("| what | ours | peer | ratio |\n| --- | --- | --- | --- |")
    for what in ["get", "put"]:
        found = rounds({
            "ours": lambda: ours(what, SMALL, AT_ONCE)[0], "obstore": lambda: obstore_small(what),
            "boto3": lambda: boto_small(what),
        })
        for peer in ["obstore", "boto3"]:
            left, right = median(found["ours"]), median(found[peer])
            print(f"| {what} 16 KiB, {AT_ONCE} at a time, against {peer} | {left:.0f}/s | {right:.0f}/s | {left / right:.2f} |")
    # The driver reads keys r0 to r15: with one thread and little time it is r0 alone.
    (DATA / "r0").unlink()
    os.link(DATA / "large", DATA / "r0")
    target = str(DATA.parent.parent / "down")
    for what, peers in {
        "get": {
            "s5cmd": lambda: program(*S5, "cp", "s3://bench/large", target),
            "rclone": lambda: program(*RCLONE, f"{REMOTE}/large", target),
            "obstore": lambda: obstore_large("get"),
        },
        "put": {
            "s5cmd": lambda: program(*S5, "cp", str(DATA / "large"), "s3://bench/large-up"),
            "rclone": lambda: program(*RCLONE, str(DATA / "large"), f"{REMOTE}/large-up"),
            "obstore": lambda: obstore_large("put"),
        },
    }.items():
        found = rounds({
            "ours": lambda: ours(what, LARGE, 1, 0.01)[1:],
            "ours, 4 ranges": lambda: ours(what, LARGE, 1, 0.01, "read_concurrency=4")[1:], **peers,
        })
        for peer in list(peers) + (["ours, 4 ranges"] if what == "get" else []):
            left, right = median(found["ours"], 0), median(found[peer], 0)
            cost, other = median(found["ours"], 1), median(found[peer], 1)
            print(f"| {what} 256 MiB against {peer} | {left / 1e6:.0f} MB/s | {right / 1e6:.0f} MB/s | {left / right:.2f} |")
            print(f"| processor time of it | {cost * (1 << 30):.2f} s/GiB | {other * (1 << 30):.2f} s/GiB | {cost / other:.2f} |")


main()
