#!/usr/bin/env python3
"""Proves that this plugin and Google's own client read each other's objects, and links: `interop.py BUILD_FOLDER`."""

import base64
import hashlib
import io
import os
import re
import sys
import urllib.parse

import google_crc32c
import requests
from google.cloud.storage import _signing

from clients import ENDPOINT, KEYS, PROJECT, client, credentials
from host import running

BUILD = sys.argv[1]
SHARED = {"endpoint": ENDPOINT, "credentials_file": KEYS["owner"]}
NAMES = ["plain", "a b+%&=~üñ.bin", "deep/é/日本語", "q?x#y", "'quoted\"'", "%2F", "<&>;", "😀", "a/../b//c"]
PARTS = os.urandom((12 << 20) + 345)
google = client()


def crc(data):
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def ours_are_read_by_google(host):
    bucket = google.bucket("interop")
    for name in NAMES:
        if "//" in name:
            continue
        content = os.urandom(1000)
        host.put("interop", f"ours/{name}", content, Content_Type="text/x-ours; charset=utf-8",
                 Content_Language="de", Cache_Control="max-age=7", Coffer_Meta_colour="dark%20blue%20%C3%A9")
        theirs = bucket.get_blob(f"ours/{name}")
        assert theirs.download_as_bytes(checksum="crc32c") == content, name
        assert theirs.content_type == "text/x-ours; charset=utf-8", theirs.content_type
        assert theirs.metadata["colour"] == "dark blue é", theirs.metadata
        assert (theirs.content_language, theirs.cache_control) == ("de", "max-age=7")
        assert theirs.crc32c == crc(content) and theirs.storage_class == "STANDARD"
        assert theirs.metadata["coffer-sha256"] == hashlib.sha256(content).hexdigest()
    answer = host.put("interop", "ours/parts", PARTS, Coffer_Meta_colour="red", Content_Type="a/b").json
    theirs = bucket.get_blob("ours/parts")
    assert theirs.download_as_bytes(checksum="crc32c") == PARTS and theirs.metadata["colour"] == "red"
    assert (theirs.content_type, theirs.crc32c) == ("a/b", crc(PARTS))
    assert answer["etag"].strip('"') == f"{theirs.generation}-{theirs.metageneration}", answer
    assert answer["size"] == len(PARTS)


def theirs_are_read_by_us(host):
    bucket = google.bucket("interop")
    for name in NAMES:
        content = os.urandom(1000)
        blob = bucket.blob(f"theirs/{name}")
        blob.metadata, blob.content_disposition = {"Colour": "dark blue"}, 'attachment; filename="x.txt"'
        blob.upload_from_string(content, content_type="text/x-theirs")
        if "//" in name:
            continue
        ours = host.get("interop", f"theirs/{name}")
        assert ours.status == 200 and ours.body == content, (name, ours.status)
        assert ours.headers["Content-Type"] == "text/x-theirs"
        assert ours.headers["Coffer-Meta-colour"] == "dark%20blue", ours.headers
        assert ours.headers["Content-Disposition"] == 'attachment; filename="x.txt"', ours.headers
        assert ours.headers["ETag"].strip('"') == f"{blob.generation}-{blob.metageneration}"
    bucket.blob("theirs/parts", chunk_size=1 << 20).upload_from_file(io.BytesIO(PARTS))
    ours = host.get("interop", "theirs/parts")
    assert ours.body == PARTS
    part = host.get("interop", "theirs/parts", Range=f"bytes={(8 << 20) - 3}-{(8 << 20) + 2}")
    assert part.status == 206 and part.body == PARTS[(8 << 20) - 3:(8 << 20) + 3]
    listed = host.request("GET", "interop/objects?prefix=theirs/").json["objects"]
    expected = sorted((f"theirs/{name}" for name in NAMES + ["parts"]), key=str.encode)
    assert [entry["key"] for entry in listed] == expected, listed
    assert [blob.name for blob in google.list_blobs("interop", prefix="theirs/")] == expected


def packed_bytes_stay_packed(host):
    import gzip

    packed = gzip.compress(b"unpacked" * 1000)
    blob = google.bucket("interop").blob("packed")
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed, content_type="text/plain")
    ours = host.get("interop", "packed")
    assert ours.body == packed and ours.headers["Content-Encoding"] == "gzip", ours.headers
    host.put("interop", "packed-by-us", packed, Content_Encoding="gzip")
    theirs = google.bucket("interop").get_blob("packed-by-us")
    assert theirs.content_encoding == "gzip" and theirs.download_as_bytes(raw_download=True) == packed
    assert theirs.download_as_bytes() == b"unpacked" * 1000


def changes_of_theirs_are_noticed(host):
    blob = google.bucket("interop").blob("changed")
    blob.upload_from_string(b"one")
    tag = host.get("interop", "changed").headers["ETag"]
    blob.metadata = {"k": "v"}
    blob.patch()
    for changed in [lambda: None, lambda: blob.upload_from_string(b"two")]:
        changed()
        answer = host.object("PUT", "interop", "changed", b"ours", If_Match=tag)
        assert answer.status == 412, (answer.status, answer.body)
    fresh = host.get("interop", "changed")
    assert fresh.body == b"two"
    assert host.get("interop", "changed", If_None_Match=fresh.headers["ETag"]).status == 304
    assert host.object("PUT", "interop", "changed", b"ours", If_Match=fresh.headers["ETag"]).status == 200
    assert google.bucket("interop").blob("changed").download_as_bytes() == b"ours"
    # What we change of its description, Google's client sees, and the bytes stay the same generation.
    before = google.bucket("interop").get_blob("changed")
    answer = host.request("PATCH", "interop/stat/changed", '{"metadata": {"new": "é"}}'.encode(),
                          {"Content-Type": "application/json"})
    assert answer.status == 200, answer.body
    after = google.bucket("interop").get_blob("changed")
    assert after.generation == before.generation and after.metageneration == before.metageneration + 1
    assert after.metadata["new"] == "é", after.metadata


def copies_are_made_by_the_store(host):
    google.bucket("interop").blob("source").upload_from_string(PARTS, content_type="a/b")
    answer = host.post("interop/copy", {"from": "source", "to": "target"})
    assert answer.status in (200, 201), answer.body
    target = google.bucket("interop").get_blob("target")
    assert target.content_type == "a/b" and target.crc32c == crc(PARTS)


def links_work_without_us(host):
    def link(method, storage="interop", **more):
        answer = host.post(f"{storage}/links", {"key": "links/ü +.txt", "method": method, "expires_in": 60, **more})
        assert answer.status in (200, 201), (answer.status, answer.body)
        return answer.json

    upload = link("PUT", content_type="text/x-linked")
    assert upload["url"].startswith(ENDPOINT), upload
    wanted = {name.lower(): value for name, value in upload["required_headers"].items()}
    assert wanted["content-type"] == "text/x-linked", wanted
    assert requests.put(upload["url"], data=b"linked", headers={**wanted, "content-type": "a/b"}).status_code == 403
    assert requests.put(upload["url"], data=b"linked", headers=wanted).status_code == 200
    got = requests.get(link("GET", filename="näme.txt")["url"])
    assert got.status_code == 200 and got.content == b"linked", got.text
    assert "filename*=UTF-8''n%C3%A4me.txt" in got.headers["Content-Disposition"], got.headers
    assert requests.head(link("HEAD")["url"]).status_code == 200
    url = link("GET")["url"]
    assert requests.get(url[:-1] + ("1" if url[-1] == "0" else "0")).status_code == 403
    assert requests.put(url, data=b"other").status_code == 403
    assert requests.get(link("GET", "remote")["url"]).content == b"linked"
    assert requests.delete(link("DELETE")["url"]).status_code == 204
    assert host.get("interop", "links/ü +.txt").status == 404
    public = host.post("seen/links", {"key": "x", "method": "GET", "expires_in": 60}).json["url"]
    assert public.startswith("https://files.example.org/base/interop/x?X-Goog-"), public
    shown = host.request("GET", "seen/url/a%20b").json["url"]
    assert shown == "https://files.example.org/base/interop/a%20b", shown


def links_are_those_of_google(host):
    """Our URL is, byte for byte, the one that Google's client makes for the same moment."""
    for key, method in [("plain", "GET"), ("deep/ü +%~'().txt", "GET"), ("x", "DELETE"), ("x", "HEAD")]:
        ours = host.post("interop/links", {"key": key, "method": method, "expires_in": 3600}).json["url"]
        moment = re.search(r"X-Goog-Date=(\w+)", ours).group(1)
        theirs = _signing.generate_signed_url_v4(
            credentials(), f"/interop/{urllib.parse.quote(key, safe='/~')}", 3600, api_access_endpoint=ENDPOINT, method=method,
            _request_timestamp=moment,
        )
        assert ours == theirs, (ours, theirs)


def containers_come_and_go(host):
    made = host.request("PUT", "interop/containers/made-by-us")
    assert made.status in (200, 201, 204), (made.status, made.body)
    names = [one["name"] for one in host.request("GET", "interop/containers").json["containers"]]
    assert "made-by-us" in names and "interop" in names, names
    assert "made-by-us" in [bucket.name for bucket in google.list_buckets()]
    blob = google.bucket("made-by-us").blob("x")
    blob.upload_from_string(b"")
    assert host.request("DELETE", "interop/containers/made-by-us").code == "not_empty"
    blob.delete()
    assert host.request("DELETE", "interop/containers/made-by-us").status == 204
    assert host.request("DELETE", "interop/containers/made-by-us").code == "not_found"


def many_are_removed_at_once(host):
    keys = [f"many/{index} &<é" for index in range(50)]
    for key in keys:
        google.bucket("interop").blob(key).upload_from_string(b"")
    results = host.post("interop/delete", {"keys": keys + ["many/absent"]})
    assert results.status == 200, results.body
    assert list(google.list_blobs("interop", prefix="many/")) == [], results.json


def every_way_to_a_token(build):
    """A key as text, application default credentials, a user's, the machine's, and none."""
    google.create_bucket("public").blob("there").upload_from_string(b"there")
    user = f"{os.path.dirname(KEYS['owner'])}/user.json"
    with open(user, "w") as file:
        file.write(f'{{"type": "authorized_user", "client_id": "client", "client_secret": "client-secret",'
                   f' "refresh_token": "refresh-me", "token_uri": "{ENDPOINT}/token"}}')
    with open(KEYS["owner"]) as file:
        text = file.read()
    storages = {
        "as-text": {"credentials_json": text}, "default": {"credentials": "application_default"}, "auto": {},
        "machine": {"credentials": "metadata", "metadata_endpoint": ENDPOINT},
        "nobody": {"credentials": "anonymous", "container": "public"},
    }
    for storage in storages.values():
        storage.setdefault("container", "interop")
    for path in [KEYS["owner"], user]:
        environment = {"GOOGLE_APPLICATION_CREDENTIALS": path}
        with running(build, "gcs", storages, {"endpoint": ENDPOINT}, environment) as host:
            for name in storages:
                if name == "nobody":
                    assert host.get(name, "there").body == b"there"
                    assert host.object("PUT", name, "there", b"x").code == "unauthenticated"
                    continue
                host.put(name, f"ways/{name}", name.encode())
                assert host.get(name, f"ways/{name}").body == name.encode()
            names = [one["name"] for one in host.request("GET", "machine/containers").json["containers"]]
            assert "interop" in names, names
            log = host.text()
            for secret in ["client-secret", "refresh-me", "PRIVATE KEY", "ya29."]:
                assert secret not in log, f"{secret} in the log"


def main():
    storages = {
        "interop": {"create": True},
        "seen": {"container": "interop", "public_endpoint": "https://files.example.org/base", "acl": "publicRead"},
        "remote": {
            "container": "interop", "credentials_file": None, "credentials": "metadata", "metadata_endpoint": ENDPOINT,
            "iam_sign_blob": True, "iam_endpoint": ENDPOINT,
        },
    }
    with running(BUILD, "gcs", storages, SHARED) as host:
        for prove in [
            ours_are_read_by_google, theirs_are_read_by_us, packed_bytes_stay_packed, changes_of_theirs_are_noticed,
            copies_are_made_by_the_store, links_work_without_us, links_are_those_of_google, containers_come_and_go,
            many_are_removed_at_once,
        ]:
            prove(host)
            print(f"ok  {prove.__name__}", flush=True)
        assert "PRIVATE KEY" not in host.text() and "ya29." not in host.text()
    every_way_to_a_token(BUILD)
    print("ok  every_way_to_a_token")


assert PROJECT
main()
