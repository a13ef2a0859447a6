#!/usr/bin/env python3
"""Proves that this plugin and python-swiftclient read each other's objects, and links: `interop.py BUILD_FOLDER SERVER`.

The server's facts stand in the environment.
"""

import hashlib
import json
import os
import sys
import tempfile
import time

import requests
import swiftclient
from swiftclient.service import SwiftService, SwiftUploadObject

from host import Connection, running
from store import connect, names

BUILD, SERVER = sys.argv[1:]
AUTH, USER, KEY = (os.environ[f"SWIFT_{name}"] for name in ["AUTH", "USER", "KEY"])
LINK_KEY = "a key for links"
# radosgw 16 knows no other digest.
DIGEST = "sha1" if SERVER == "ceph" else "sha256"
SHARED = {
    "authurl": AUTH, "user": USER, "key": KEY, "segment_size": "1MiB", "temp_url_key": LINK_KEY,
    "temp_url_digest": DIGEST,
}
NAMES = ["plain", "a b+%&=~üñ.bin", "deep/é/日本語", "q?x#y", "'quoted\"'", "%2F", "<&>;", "😀"]
LARGE = os.urandom((3 << 20) + 345)
SEGMENTS = "interop_segments"

client = connect()


def ours_are_read_by_swiftclient(host):
    for name in NAMES:
        content = os.urandom(1000)
        host.put("interop", f"ours/{name}", content, Content_Type="text/x-ours; charset=utf-8", Content_Language="de",
                 Cache_Control="max-age=7", Coffer_Meta_colour="dark%20blue", Coffer_Meta_place="K%C3%B6ln")
        head, body = client.get_object("interop", f"ours/{name}")
        assert body == content, name
        assert head["content-type"] == "text/x-ours; charset=utf-8", head
        assert head["x-object-meta-colour"] == "dark blue" and head["x-object-meta-place"] == "Köln", head
        assert head["cache-control"] == "max-age=7" and head["content-language"] == "de", head
        assert head["etag"] == hashlib.md5(content).hexdigest()
        assert head["x-object-meta-coffer-sha256"] == hashlib.sha256(content).hexdigest()
    answer = host.put("interop", "ours/large", LARGE, Coffer_Meta_colour="red").json
    head, body = client.get_object("interop", "ours/large")
    assert body == LARGE and head["x-object-meta-colour"] == "red"
    assert head["x-static-large-object"] == "True", head
    assert head["etag"].strip('"') == answer["etag"].strip('"') and answer["size"] == len(LARGE), (head, answer)


def theirs_are_read_by_us(host):
    for name in NAMES:
        content = os.urandom(1000)
        client.put_object("interop", f"theirs/{name}", content, content_type="text/x-theirs", headers={
            "X-Object-Meta-Colour": "dark blue", "X-Object-Meta-Place": "Köln",
            "Content-Disposition": 'attachment; filename="x.txt"',
        })
        ours = host.get("interop", f"theirs/{name}")
        assert ours.status == 200 and ours.body == content, (name, ours.status)
        assert ours.headers["Content-Type"] == "text/x-theirs"
        assert ours.headers["Coffer-Meta-colour"] == "dark%20blue", ours.headers
        assert ours.headers["Coffer-Meta-place"] == "K%C3%B6ln", ours.headers
        assert ours.headers["Content-Disposition"] == 'attachment; filename="x.txt"', ours.headers
    their_large_object("theirs/large")
    ours = host.get("interop", "theirs/large")
    assert ours.body == LARGE
    assert ours.headers.get("Repr-Digest") is None, "a digest of digests passed off as one of bytes"
    part = host.get("interop", "theirs/large", Range=f"bytes={(1 << 20) - 3}-{(1 << 20) + 2}")
    assert part.status == 206 and part.body == LARGE[(1 << 20) - 3:(1 << 20) + 3]
    listed = host.request("GET", "interop/objects?prefix=theirs/").json["objects"]
    assert [entry["key"] for entry in listed] == sorted(f"theirs/{name}" for name in NAMES + ["large"]), listed
    assert next(entry for entry in listed if entry["key"] == "theirs/large")["size"] == len(LARGE), listed
    copied = host.post("interop/copy", {"from": "theirs/large", "to": "theirs/copy"})
    assert copied.status == (501 if SERVER == "ceph" else 201), copied.body
    if SERVER != "ceph":
        # The store shows what the manifest names: the segments go with the object.
        assert host.object("DELETE", "interop", "theirs/large").status == 204
        left = [name for name in names(client, SEGMENTS) if name.startswith("theirs/large")]
        assert left == [], left
        assert host.get("interop", "theirs/copy").body == LARGE
        their_large_object("theirs/elsewhere", "interop_other")
        assert host.post("interop/copy", {"from": "theirs/elsewhere", "to": "theirs/flat"}).status == 201
        assert host.object("DELETE", "interop", "theirs/elsewhere").status == 204
        assert host.get("interop", "theirs/flat").body == LARGE
        assert len(names(client, "interop_other")) == 4, "segments in a container that is not ours"


def their_large_object(name, segment_container=SEGMENTS):
    with tempfile.NamedTemporaryFile() as file, SwiftService({
        "auth_version": "1", "auth": AUTH, "user": USER, "key": KEY, "use_slo": True, "segment_size": 1 << 20,
        "segment_container": segment_container,
    }) as service:
        file.write(LARGE)
        file.flush()
        for result in service.upload("interop", [SwiftUploadObject(file.name, object_name=name)]):
            assert result["success"], result


def odd_metadata_survive_the_round(host):
    values = {
        "unicode": "é 😀", "edges": " x ", "word": "=?UTF-8?B?w6k=?=", "empty": "", "long": "v" * 700, "à": "à",
        "under_score": "1", "wide": "日本語" * 60, "nel": "a\u0085b", "blank": "x\u00a0",
    }
    headers = {
        f"Coffer-Meta-{requests.utils.quote(name)}": requests.utils.quote(value, safe="")
        for name, value in values.items() if name.isascii()
    }
    answer = host.request("PUT", "interop/objects/odd", b"x", headers)
    assert answer.status in (200, 201), answer.body
    expected = {name: value for name, value in values.items() if name.isascii()}
    assert host.request("GET", "interop/stat/odd").json["metadata"] == expected
    host.post("interop/copy", {"from": "odd", "to": "odd-copy"})
    assert host.request("GET", "interop/stat/odd-copy").json["metadata"] == expected
    changes = {name: None for name in expected} | {"only": "ü"}
    changed = host.request("PATCH", "interop/stat/odd", json.dumps({"metadata": changes}))
    assert changed.status == 200, changed.body
    assert host.request("GET", "interop/stat/odd").json["metadata"] == {"only": "ü"}, changed.body
    assert client.head_object("interop", "odd")["x-object-meta-only"] == "ü"
    many = host.request("PUT", "interop/objects/odd", b"x", {f"Coffer-Meta-n{i}": "v" * 40 for i in range(95)})
    assert many.status == 400 and many.code == "invalid_argument", many.body


def segments_go_with_their_object(host):
    def segments():
        # The mark of a write that was broken off may stay: it says where to look for what arrives late.
        return [name for name in names(client, SEGMENTS) if not name.startswith(".writes/")]

    for key in ["ours/large"]:
        host.object("DELETE", "interop", key)
    start = segments()
    small, other = b"small", os.urandom((2 << 20) + 1)
    host.put("interop", "turn", LARGE)
    assert len(segments()) == len(start) + 4, segments()
    listed = [entry["key"] for entry in host.request("GET", "interop/objects?prefix=turn").json["objects"]]
    assert listed == ["turn"], listed
    host.put("interop", "turn", other)
    assert len(segments()) == len(start) + 3 and host.get("interop", "turn").body == other
    host.put("interop", "turn", small)
    assert segments() == start and host.get("interop", "turn").body == small
    host.put("interop", "turn", LARGE)
    assert host.post("interop/copy", {"from": "turn", "to": "twin"}).status in (200, 201)
    assert host.object("DELETE", "interop", "turn").status == 204
    assert len(segments()) == len(start) + 4, segments()
    assert host.get("interop", "twin").body == LARGE, "a copy lives by the segments of its source"
    assert host.request("PATCH", "interop/stat/twin", json.dumps({"metadata": {"a": "b"}})).status == 200
    assert host.get("interop", "twin").body == LARGE
    host.put("interop", "third", other)
    assert host.post("interop/delete", {"keys": ["twin", "third", "none"]}).status == 200
    assert segments() == start, segments()
    # A client that goes away in the midst.
    sender = Connection(host.socket, 60)
    sender.putrequest("PUT", "/v1/storages/interop/objects/broken")
    sender.putheader("Content-Length", str(len(LARGE)))
    sender.endheaders()
    sender.send(LARGE[:(2 << 20) + 7])
    sender.close()
    end = time.monotonic() + 30
    while segments() != start:
        assert time.monotonic() < end, segments()
    assert host.get("interop", "broken").status == 404


def links_work_without_us(host):
    if SERVER == "ceph":
        client.post_account({"X-Account-Meta-Temp-URL-Key": LINK_KEY})

    def link(method, **more):
        answer = host.post("interop/links", {"key": "links/ü +.txt", "method": method, "expires_in": 60, **more})
        assert answer.status in (200, 201), (answer.status, answer.body)
        return answer.json["url"]

    assert requests.put(link("PUT"), data=b"linked").status_code == 201
    got = requests.get(link("GET", filename="näme.txt"))
    assert got.status_code == 200 and got.content == b"linked", got.text
    assert "me.txt" in got.headers["Content-Disposition"], got.headers
    assert requests.head(link("HEAD")).status_code == 200
    url = link("GET")
    assert requests.put(url, data=b"other").status_code in (401, 403), "a link for reading writes"
    at = url.index("temp_url_sig=") + len("temp_url_sig=")
    tampered = url[:at] + ("1" if url[at] == "0" else "0") + url[at + 1:]
    assert requests.get(tampered).status_code in (401, 403)
    bound = host.post("seen/links", {"key": "x", "method": "PUT", "expires_in": 60, "content_type": "a/b"})
    assert bound.status == 501 and bound.code == "unsupported", bound.body
    assert requests.delete(link("DELETE")).status_code == 204
    assert host.get("interop", "links/ü +.txt").status == 404
    public = host.post("seen/links", {"key": "x", "method": "GET", "expires_in": 60}).json["url"]
    assert public.startswith("https://files.example.org/") and "/interop/x?temp_url_sig=" in public, public


def containers_come_and_go(host):
    made = host.request("PUT", "interop/containers/made-by-us")
    assert made.status in (200, 201, 204), (made.status, made.body)
    present = [one["name"] for one in host.request("GET", "interop/containers").json["containers"]]
    assert "made-by-us" in present and "interop" in present, present
    assert "made-by-us" in [one["name"] for one in client.get_account()[1]]
    client.put_object("made-by-us", "x", b"")
    assert host.request("DELETE", "interop/containers/made-by-us").code == "not_empty"
    client.delete_object("made-by-us", "x")
    assert host.request("DELETE", "interop/containers/made-by-us").status == 204
    assert host.request("DELETE", "interop/containers/made-by-us").code == "not_found"


def many_are_removed_at_once(host):
    keys = [f"many/{index} &<é" for index in range(50)]
    for key in keys:
        client.put_object("interop", key, b"")
    results = host.post("interop/delete", {"keys": keys + ["many/absent"]})
    assert results.status == 200, results.body
    assert names(client, "interop", prefix="many/") == [], results.json


def main():
    storages = {
        "interop": {"create": True, "unbound_uploads": True},
        "seen": {"container": "interop", "public_endpoint": "https://files.example.org"},
    }
    with running(BUILD, "swift", storages, SHARED) as host:
        for prove in [
            ours_are_read_by_swiftclient, theirs_are_read_by_us, odd_metadata_survive_the_round,
            segments_go_with_their_object, links_work_without_us, containers_come_and_go, many_are_removed_at_once,
        ]:
            prove(host)
            print(f"ok  {prove.__name__}", flush=True)
        assert LINK_KEY not in host.text(), "a secret in the log"


if __name__ == "__main__":
    try:
        main()
    except swiftclient.ClientException as error:
        sys.exit(f"Error of python-swiftclient: {error}")
