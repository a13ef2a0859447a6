#!/usr/bin/env python3
"""Proves that this plugin and boto3 read each other's objects, and links: `interop.py BUILD_FOLDER PROVIDER`.

The server's facts stand in the environment.
"""

import hashlib
import json
import os
import sys

import boto3
import requests
from botocore.config import Config

from host import running

BUILD, PROVIDER = sys.argv[1:]
ENDPOINT, KEY, SECRET = (os.environ[f"S3_{name}"] for name in ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY"])
SHARED = {"endpoint": ENDPOINT, "access_key": KEY, "secret_key": SECRET, "provider": PROVIDER}
NAMES = ["plain", "a b+%&=~üñ.bin", "deep/é/日本語", "q?x#y", "'quoted\"'", "%2F", "<&>;", "😀"]
PARTS = os.urandom((12 << 20) + 345)

client = boto3.client(
    "s3", endpoint_url=ENDPOINT, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1",
    config=Config(
        signature_version="s3v4", s3={"addressing_style": "path"}, request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    ),
)


def ours_are_read_by_boto3(host):
    for name in NAMES:
        content = os.urandom(1000)
        host.put("interop", f"ours/{name}", content, Content_Type="text/x-ours; charset=utf-8",
                 Content_Language="de", Cache_Control="max-age=7", Coffer_Meta_colour="dark%20blue")
        theirs = client.get_object(Bucket="interop", Key=f"ours/{name}")
        assert theirs["Body"].read() == content, name
        assert theirs["ContentType"] == "text/x-ours; charset=utf-8", theirs
        assert theirs["Metadata"]["colour"] == "dark blue", theirs["Metadata"]
        assert theirs["CacheControl"] == "max-age=7", theirs
        assert theirs["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
        assert theirs["Metadata"]["coffer-sha256"] == hashlib.sha256(content).hexdigest()
    answer = host.put("interop", "ours/parts", PARTS, Coffer_Meta_colour="red").json
    theirs = client.get_object(Bucket="interop", Key="ours/parts")
    assert theirs["Body"].read() == PARTS and theirs["Metadata"]["colour"] == "red"
    assert theirs["ETag"].strip('"') == answer["etag"].strip('"') and theirs["ETag"].strip('"').endswith("-2"), answer
    assert answer["size"] == len(PARTS)


def theirs_are_read_by_us(host):
    for name in NAMES:
        content = os.urandom(1000)
        client.put_object(
            Bucket="interop", Key=f"theirs/{name}", Body=content, ContentType="text/x-theirs",
            Metadata={"colour": "dark blue"}, ContentDisposition='attachment; filename="x.txt"',
        )
        ours = host.get("interop", f"theirs/{name}")
        assert ours.status == 200 and ours.body == content, (name, ours.status)
        assert ours.headers["Content-Type"] == "text/x-theirs"
        assert ours.headers["Coffer-Meta-colour"] == "dark%20blue", ours.headers
        assert ours.headers["Content-Disposition"] == 'attachment; filename="x.txt"', ours.headers
    client.upload_fileobj(__import__("io").BytesIO(PARTS), "interop", "theirs/parts")
    ours = host.get("interop", "theirs/parts")
    assert ours.body == PARTS
    assert ours.headers.get("Repr-Digest") is None, "a multipart tag passed off as a digest"
    part = host.get("interop", "theirs/parts", Range=f"bytes={(8 << 20) - 3}-{(8 << 20) + 2}")
    assert part.status == 206 and part.body == PARTS[(8 << 20) - 3:(8 << 20) + 3]
    listed = host.request("GET", "interop/objects?prefix=theirs/").json["objects"]
    assert [entry["key"] for entry in listed] == sorted(f"theirs/{name}" for name in NAMES + ["parts"]), listed
    entries = client.list_objects_v2(Bucket="interop", Prefix="theirs/")["Contents"]
    assert [entry["Key"] for entry in entries] == [entry["key"] for entry in listed]


def odd_metadata_survive_the_round(host):
    values = {"unicode": "é 😀", "edges": " x ", "word": "=?UTF-8?B?w6k=?=", "empty": "", "long": "v" * 700}
    headers = {f"Coffer-Meta-{name}": requests.utils.quote(value, safe="") for name, value in values.items()}
    answer = host.request("PUT", "interop/objects/odd", b"x", headers)
    assert answer.status in (200, 201), answer.body
    assert host.request("GET", "interop/stat/odd").json["metadata"] == values
    host.post("interop/copy", {"from": "odd", "to": "odd-copy"})
    assert host.request("GET", "interop/stat/odd-copy").json["metadata"] == values


def links_work_without_us(host):
    def link(method, **more):
        answer = host.post("interop/links", {"key": "links/ü +.txt", "method": method, "expires_in": 60, **more})
        assert answer.status in (200, 201), (answer.status, answer.body)
        return answer.json

    upload = link("PUT", content_type="text/x-linked")
    assert upload["url"].startswith(ENDPOINT), upload
    wanted = {name.lower(): value for name, value in upload["required_headers"].items()}
    assert wanted["content-type"] == "text/x-linked", wanted
    refused = requests.put(upload["url"], data=b"linked", headers={**wanted, "content-type": "a/b"})
    assert refused.status_code == 403, refused.text
    assert requests.put(upload["url"], data=b"linked", headers=wanted).status_code == 200
    got = requests.get(link("GET", filename="näme.txt")["url"])
    assert got.status_code == 200 and got.content == b"linked", got.text
    assert "filename*=UTF-8''n%C3%A4me.txt" in got.headers["Content-Disposition"], got.headers
    assert requests.head(link("HEAD")["url"]).status_code == 200
    url = link("GET")["url"]
    tampered = url[:-1] + ("1" if url[-1] == "0" else "0")
    assert requests.get(tampered).status_code == 403
    assert requests.delete(link("DELETE")["url"]).status_code in (200, 204)
    assert host.get("interop", "links/ü +.txt").status == 404
    public = host.post("seen/links", {"key": "x", "method": "GET", "expires_in": 60}).json["url"]
    assert public.startswith("https://files.example.org/base/interop/x?X-Amz-"), public


def containers_come_and_go(host):
    made = host.request("PUT", "interop/containers/made-by-us")
    assert made.status in (200, 201, 204), (made.status, made.body)
    names = [one["name"] for one in host.request("GET", "interop/containers").json["containers"]]
    assert "made-by-us" in names and "interop" in names, names
    assert "made-by-us" in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
    client.put_object(Bucket="made-by-us", Key="x", Body=b"")
    assert host.request("DELETE", "interop/containers/made-by-us").code == "not_empty"
    client.delete_object(Bucket="made-by-us", Key="x")
    assert host.request("DELETE", "interop/containers/made-by-us").status == 204
    assert host.request("DELETE", "interop/containers/made-by-us").code == "not_found"


def many_are_removed_at_once(host):
    keys = [f"many/{index} &<é" for index in range(50)] + ["many/tab\tin it"]
    for key in keys[:50]:
        client.put_object(Bucket="interop", Key=key, Body=b"")
    results = host.post("interop/delete", {"keys": keys[:50] + ["many/absent"]})
    assert results.status == 200, results.body
    assert client.list_objects_v2(Bucket="interop", Prefix="many/")["KeyCount"] == 0, results.json


def every_way_to_sign_and_check(build):
    """Other signatures and checksums than the usual, as far as this store takes them."""
    ways = [{"payload_signing": "signed"}, {"payload_signing": "unsigned"}, {"checksum_mode": "md5"}]
    if PROVIDER != "ceph" or True:
        ways.append({"payload_signing": "chunked"})
    storages = {f"way-{index}": {"container": "interop", **way} for index, way in enumerate(ways)}
    with running(build, "s3", storages, SHARED) as host:
        for index, way in enumerate(ways):
            for size in [0, 1, 65536, 200_001, (8 << 20) + 1]:
                content = os.urandom(size)
                host.put(f"way-{index}", f"ways/{index}", content, Content_Encoding="x-ours")
                got = host.get(f"way-{index}", f"ways/{index}")
                assert got.body == content, (way, size)
                assert got.headers["Content-Encoding"] == "x-ours", (way, got.headers)
                assert client.get_object(Bucket="interop", Key=f"ways/{index}")["Body"].read() == content, (way, size)


def main():
    storages = {
        "interop": {"create": True},
        "seen": {"container": "interop", "public_endpoint": "https://files.example.org/base"},
    }
    with running(BUILD, "s3", storages, SHARED) as host:
        for prove in [
            ours_are_read_by_boto3, theirs_are_read_by_us, odd_metadata_survive_the_round, links_work_without_us,
            containers_come_and_go, many_are_removed_at_once,
        ]:
            prove(host)
            print(f"ok  {prove.__name__}", flush=True)
        assert SECRET not in host.text() and json.dumps(SECRET) not in host.text()
    every_way_to_sign_and_check(BUILD)
    print("ok  every_way_to_sign_and_check")


main()
