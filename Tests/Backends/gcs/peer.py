#!/usr/bin/env python3
"""Proves the double by Google's own client."""

import base64
import datetime
import hashlib
import io
import os

import requests
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from google.cloud.storage import Client

from clients import ENDPOINT, PROJECT, client, credentials

NAME = "dir/a b+%ü?#.bin"
CONTENT = os.urandom(3 << 20)
google = client()
bucket = google.create_bucket("peer")


def refused(status, call):
    try:
        call()
    except exceptions.GoogleAPICallError as error:
        assert error.code == status, (error.code, status, error)
        return
    raise AssertionError(f"not refused with {status}")


def buckets_come_and_go():
    google.create_bucket("short-lived")
    assert {"peer", "short-lived"} <= {one.name for one in google.list_buckets()}
    refused(409, lambda: google.create_bucket("short-lived"))
    google.bucket("short-lived").blob("x").upload_from_string(b"")
    refused(409, google.bucket("short-lived").delete)
    google.bucket("short-lived").blob("x").delete()
    google.bucket("short-lived").delete()
    refused(404, lambda: google.get_bucket("short-lived"))


def objects_keep_what_is_said_of_them():
    blob = bucket.blob(NAME)
    blob.metadata, blob.cache_control, blob.content_language = {"colour": "dark blue"}, "max-age=7", "de"
    blob.upload_from_string(CONTENT, content_type="x/y", checksum="crc32c")
    found = bucket.get_blob(NAME)
    assert found.md5_hash == base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    assert (found.metadata, found.cache_control, found.content_language) == ({"colour": "dark blue"}, "max-age=7", "de")
    assert (found.content_type, found.size) == ("x/y", len(CONTENT))
    assert found.download_as_bytes(checksum="md5") == CONTENT and found.download_as_bytes(checksum="crc32c") == CONTENT
    assert bucket.blob(NAME).download_as_bytes(start=5, end=9) == CONTENT[5:10]
    before = found.metageneration
    found.metadata = {"colour": None, "size": "large"}
    found.patch()
    assert found.metageneration == before + 1 and bucket.get_blob(NAME).metadata == {"size": "large"}


def chunks_come_together():
    blob = bucket.blob("chunks", chunk_size=256 << 10)
    blob.upload_from_file(io.BytesIO(CONTENT[:-7]), size=len(CONTENT) - 7, checksum="crc32c")
    blob = bucket.blob("unknown", chunk_size=256 << 10)
    blob.upload_from_file(io.BytesIO(CONTENT[:-7]))
    for name in ["chunks", "unknown"]:
        assert bucket.blob(name).download_as_bytes() == CONTENT[:-7]


def damage_is_refused():
    blob = bucket.blob("damaged")
    blob.md5_hash = base64.b64encode(bytes(16)).decode()
    refused(400, lambda: blob.upload_from_string(b"abc"))
    assert not bucket.blob("damaged").exists()


def conditions_hold():
    blob = bucket.blob("conditions")
    blob.upload_from_string(b"1", if_generation_match=0)
    wrong = blob.generation + 1
    refused(412, lambda: bucket.blob("conditions").upload_from_string(b"2", if_generation_match=0))
    refused(412, lambda: bucket.blob("conditions").upload_from_string(b"2", if_generation_match=wrong))
    refused(412, lambda: bucket.blob("conditions", chunk_size=256 << 10).upload_from_file(
        io.BytesIO(bytes(600 << 10)), if_generation_match=wrong))
    refused(412, lambda: bucket.blob("conditions").download_as_bytes(if_generation_match=wrong))
    refused(304, lambda: bucket.blob("conditions").download_as_bytes(if_generation_not_match=blob.generation))
    refused(412, lambda: bucket.blob("conditions").delete(if_generation_match=wrong))
    refused(412, lambda: bucket.get_blob("conditions").patch(if_metageneration_match=99))
    refused(412, lambda: bucket.blob("copy").rewrite(blob, if_source_generation_match=wrong))
    assert bucket.blob("conditions").download_as_bytes() == b"1"
    blob.upload_from_string(b"3", if_generation_match=blob.generation)
    assert bucket.blob("conditions").download_as_bytes() == b"3"


def copies_take_several_steps():
    copy, steps = bucket.blob("copy"), 1
    token, _, total = copy.rewrite(bucket.blob(NAME))
    while token:
        token, _, _ = copy.rewrite(bucket.blob(NAME), token=token)
        steps += 1
    assert steps == 3 and total == len(CONTENT), (steps, total)
    assert copy.download_as_bytes() == CONTENT and bucket.get_blob("copy").metadata == {"size": "large"}
    joined = bucket.blob("joined")
    joined.compose([bucket.blob("conditions"), bucket.blob("conditions")])
    assert joined.download_as_bytes() == b"33" and bucket.get_blob("joined").component_count == 2


def listings_have_pages():
    for index in range(230):
        bucket.blob(f"list/{index:03}/x").upload_from_string(b"")
    pages = list(google.list_blobs("peer", prefix="list/").pages)
    assert [page.num_items for page in pages] == [100, 100, 30], [page.num_items for page in pages]
    listing = google.list_blobs("peer", prefix="list/", delimiter="/")
    assert list(listing) == [] and listing.prefixes == {f"list/{index:03}/" for index in range(230)}
    names = [blob.name for blob in google.list_blobs("peer", prefix="list/", start_offset="list/228")]
    assert names == ["list/228/x", "list/229/x"], names


def signatures_are_verified():
    def url(method, name="signed", **more):
        return bucket.blob(name).generate_signed_url(
            version="v4", expiration=datetime.timedelta(seconds=60), method=method, credentials=credentials(),
            api_access_endpoint=ENDPOINT, **more,
        )

    put = url("PUT", content_type="a/b")
    assert requests.put(put, data=b"signed", headers={"Content-Type": "c/d"}).status_code == 403
    assert requests.put(put, data=b"signed", headers={"Content-Type": "a/b"}).status_code == 200
    got = requests.get(url("GET", response_disposition="attachment"))
    assert got.content == b"signed" and got.headers["Content-Disposition"] == "attachment"
    assert requests.head(url("GET")).status_code == 403 and requests.head(url("HEAD")).status_code == 200
    good = url("GET")
    assert requests.get(good[:-1] + ("0" if good[-1] != "0" else "1")).status_code == 403
    assert requests.get(good.replace("/signed?", "/conditions?")).status_code == 403
    assert requests.get(good.replace("Expires=60", "Expires=61")).status_code == 403
    assert requests.get(good.replace(good.split("X-Goog-Date=")[1][:8], "20200101")).status_code == 400
    assert requests.delete(url("DELETE")).status_code == 204


def strangers_stay_outside():
    refused(403, lambda: client("stranger").bucket("peer").blob("conditions").download_as_bytes())
    refused(403, lambda: client("reader").bucket("peer").blob("conditions").delete())
    assert client("reader").bucket("peer").blob("conditions").download_as_bytes() == b"3"
    assert requests.get(f"{ENDPOINT}/storage/v1/b/peer/o/conditions").status_code == 401
    forged = credentials("stranger")
    forged._service_account_email = "owner@test.iam.gserviceaccount.com"
    try:
        Client(project=PROJECT, credentials=forged, client_options={"api_endpoint": ENDPOINT}).get_bucket("peer")
    except RefreshError as error:
        assert "invalid_grant" in str(error)
    else:
        raise AssertionError("a forged assertion was taken")


for prove in [
    buckets_come_and_go, objects_keep_what_is_said_of_them, chunks_come_together, damage_is_refused, conditions_hold,
    copies_take_several_steps, listings_have_pages, signatures_are_verified, strangers_stay_outside,
]:
    prove()
    print(f"ok  {prove.__name__}", flush=True)
