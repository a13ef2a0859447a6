#!/usr/bin/env python3
"""Proves that this plugin and Libcloud itself read each other's objects: `interop.py BUILD_FOLDER SCRATCH_FOLDER`."""

import gzip
import hashlib
import os
import pathlib
import sys
import warnings

import boto3

from host import running
from libcloud_peer import KEY, SECRET, SHARED, directory, driver

BUILD, SCRATCH = sys.argv[1:]
NAMES = ["plain", "a b+%&=~üñ.bin", "deep/é/日本語", "q?x#y", "'quoted\"'", "%2F", "<&>;", "😀", "deep/er"]
LARGE = os.urandom((12 << 20) + 345)


def bytes_of(found):
    return b"".join(found.as_stream())


def upload(container, name, content, extra=None):
    # Not as a stream: Libcloud 3.9 signs the parts of one in a way that radosgw refuses.
    path = pathlib.Path(SCRATCH, "upload")
    path.write_bytes(content)
    container.upload_object(str(path), name, extra=extra)


def ours_are_read_by_libcloud(host, storage, container, has_metadata):
    for name in NAMES:
        content = os.urandom(1000)
        headers = {"Content_Type": "text/x-ours; charset=utf-8", "Coffer_Meta_colour": "dark%20blue"}
        host.put(storage, f"ours/{name}", content, **(headers if has_metadata else {}))
        theirs = container.get_object(f"ours/{name}")
        assert bytes_of(theirs) == content and theirs.size == len(content), name
        if has_metadata:
            assert theirs.extra["content_type"] == "text/x-ours; charset=utf-8", theirs.extra
            assert theirs.meta_data["colour"] == "dark blue", theirs.meta_data
            assert theirs.meta_data["coffer-sha256"] == hashlib.sha256(content).hexdigest(), theirs.meta_data
    host.put(storage, "ours/large", LARGE)
    assert bytes_of(container.get_object("ours/large")) == LARGE
    host.put(storage, "ours/empty", b"")
    assert container.get_object("ours/empty").size == 0


def theirs_are_read_by_us(host, storage, container, has_metadata):
    for name in NAMES:
        content = os.urandom(1000)
        extra = {"content_type": "text/x-theirs", "meta_data": {"colour": "dark blue"}}
        upload(container, f"theirs/{name}", content, extra)
        ours = host.get(storage, f"theirs/{name}")
        assert ours.status == 200 and ours.body == content, (name, ours.status)
        if has_metadata:
            assert ours.headers["Content-Type"] == "text/x-theirs"
            assert ours.headers["Coffer-Meta-colour"] == "dark%20blue", ours.headers
    upload(container, "theirs/large", LARGE)
    assert host.get(storage, "theirs/large").body == LARGE
    part = host.get(storage, "theirs/large", Range=f"bytes={(8 << 20) - 3}-{(8 << 20) + 2}")
    assert part.status == 206 and part.body == LARGE[(8 << 20) - 3:(8 << 20) + 3]
    listed = [entry["key"] for entry in host.request("GET", f"{storage}/objects?prefix=theirs/").json["objects"]]
    assert listed == sorted((entry.name for entry in container.iterate_objects(prefix="theirs/")), key=str.encode), listed
    page = host.request("GET", f"{storage}/objects?prefix=theirs/&delimiter=/").json
    assert page["prefixes"] == ["theirs/deep/"], page["prefixes"]
    assert host.object("DELETE", storage, "theirs/plain").status == 204
    assert "theirs/plain" not in [entry.name for entry in container.iterate_objects(prefix="theirs/")]


def packed_objects_stay_packed(host):
    """Libcloud gives them unpacked; the bytes that are stored are the object."""
    content = gzip.compress(b"packed " * 1000)
    client = boto3.client(
        "s3", endpoint_url=os.environ["S3_ENDPOINT"], aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        region_name="us-east-1")
    client.put_object(Bucket="interop", Key="packed", Body=content, ContentEncoding="gzip")
    assert host.get("interop", "packed").body == content


def odd_metadata_survive_the_round(host):
    values = {"unicode": "é 😀", "edges": " x ", "word": "=?UTF-8?B?w6k=?=", "empty": "", "under_score": "1", "two": "a  b"}
    headers = {f"Coffer-Meta-{name}": "".join(f"%{byte:02X}" for byte in value.encode()) for name, value in values.items()}
    answer = host.request("PUT", "interop/objects/odd", b"x", headers)
    assert answer.status in (200, 201), answer.body
    assert host.request("GET", "interop/stat/odd").json["metadata"] == values


def containers_are_those_of_libcloud(host):
    def names():
        return [entry["name"] for entry in host.request("GET", "interop/containers").json["containers"]]

    assert "interop" in names(), names()
    made = host.request("PUT", "interop/containers/by-us")
    assert made.status in (200, 201, 204), (made.status, made.body)
    assert driver().get_container("by-us").name == "by-us" and "by-us" in names()
    full = host.request("DELETE", "interop/containers/interop")
    assert full.status == 409 and full.code == "not_empty", (full.status, full.body)
    assert host.request("DELETE", "interop/containers/by-us").status in (200, 204)
    assert "by-us" not in names()


def links_in_a_directory_are_not_followed(host, folder):
    outside = pathlib.Path(SCRATCH, "outside")
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "secret")
    for key in ["link/secret", "file"]:
        assert host.get("files", key).status == 403, key
        assert host.object("PUT", "files", key, b"overwritten").status == 403, key
        assert host.object("DELETE", "files", key).status == 403, key
    assert (outside / "secret").read_text() == "secret"
    listed = [entry["key"] for entry in host.request("GET", "files/objects").json["objects"]]
    assert not {"file", "link", "link/secret"} & set(listed), listed
    for prefix in ["../", "/", "/etc/", "link/", "x/../../"]:
        assert host.request("GET", f"files/objects?prefix={prefix}").json["objects"] == [], prefix
    for key in ["../escape", "a/../../escape", "a//b"]:
        assert host.request("PUT", f"files/object?key={key}", b"x").code == "invalid_key", key


def main():
    # That a listing of a directory is filtered by Libcloud and not by the directory.
    warnings.simplefilter("ignore")
    folder = pathlib.Path(SCRATCH, "files-of-libcloud")
    (folder / "files").mkdir(parents=True)
    storages = {
        "interop": {"create": True},
        "files": {
            "provider": "local", "key": str(folder), "secret": None, "host": None, "port": None, "secure": None,
            "atomic": "best_effort",
        },
    }
    with running(BUILD, "libcloud", storages, SHARED) as host:
        health = host.request("GET", "interop/health")
        assert health.status == 200, health.body
        container = driver().get_container("interop")
        ours_are_read_by_libcloud(host, "interop", container, True)
        theirs_are_read_by_us(host, "interop", container, True)
        packed_objects_stay_packed(host)
        odd_metadata_survive_the_round(host)
        containers_are_those_of_libcloud(host)
        files = directory(str(folder)).get_container("files")
        ours_are_read_by_libcloud(host, "files", files, False)
        theirs_are_read_by_us(host, "files", files, False)
        links_in_a_directory_are_not_followed(host, folder / "files")
    print("ok  beside Libcloud")


main()
