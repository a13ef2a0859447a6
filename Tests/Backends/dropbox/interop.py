#!/usr/bin/env python3
"""Proves that this plugin and the vendor's own client read each other's files: `interop.py BUILD_FOLDER`.

The double's facts stand in the environment.
"""

import datetime
import os
import sys
import unicodedata

import requests
from dropbox import common, exceptions, files
from dropbox.content_hash import DropboxContentHasher

from host import running
from sdk import API, CONTENT, GRANT, client, harm

BUILD = sys.argv[1]
SHARED = {"api_endpoint": API, "content_endpoint": CONTENT, "app_key": GRANT["app_key"],
          "app_secret": GRANT["app_secret"], "refresh_token": GRANT["oauth2_refresh_token"], "part_size": "4MiB"}
STORAGES = {
    "interop": {"root_path": "/Apps/Interop"}, "whole": {}, "team": {"namespace": "77", "root_path": "Team Files"},
    "short": {"root_path": "/Apps/Interop", "max_link_ttl": "1h"},
}
# What a key is called in Dropbox.
NAMES = {
    "plain.txt": "plain.txt",
    "Report Q1.PDF": "^report ^q1.^p^d^f",
    "deep/Über/日本語.txt": "deep/^195^156ber/日本語.txt",
    "schöne grüße – “zitat”™.txt": "schöne grüße – “zitat”™.txt",
    "a b+%&=~#?'\"<>|*:.bin": "a b+%&=~#?'\"<>|*:.bin",
    "caret^and^195": "caret^^and^^195",
    unicodedata.normalize("NFD", "é") + "/x": "e^204^129/x",
    "smile-😀": "smile-^240^159^152^128",
    " spaces . ": "^032spaces .^032",
    "back\\slash": "back^092slash",
    "dots/...": "dots/..^046",
    "thumbs.db": "^116humbs.db",
    "İstanbul": "^196^176stanbul",
    "привет.txt": "привет.txt",
}
dbx = client(**GRANT)


def digest(data):
    hasher = DropboxContentHasher()
    hasher.update(data)
    return hasher.hexdigest()


def ours_are_read_by_the_client(host):
    for key, name in NAMES.items():
        content = os.urandom(1000)
        ours = host.put("interop", key, content).json
        told, answer = dbx.files_download(f"/Apps/Interop/{name}")
        assert answer.content == content, key
        assert told.path_lower == f"/apps/interop/{name}", (key, told.path_lower)
        assert told.rev == ours["etag"].strip('"') and told.size == ours["size"], (told, ours)
    for size in [(4 << 20) - 1, 4 << 20, (4 << 20) + 1, (8 << 20), (21 << 20) + 5]:
        large = os.urandom(size)
        host.put("interop", "large", large)
        told, answer = dbx.files_download("/apps/interop/large")
        assert answer.content == large and told.content_hash == digest(large), size
        assert host.get("interop", "large").body == large, size


def theirs_are_read_by_us(host):
    when = datetime.datetime(2011, 12, 13, 14, 15, 16)
    for name in ["Photo.JPG", "Ordner/Brücke.png", "empty"]:
        content = os.urandom(1000) if name != "empty" else b""
        theirs = dbx.files_upload(content, f"/Apps/Interop/theirs/{name}", client_modified=when)
        ours = host.get("interop", f"theirs/{name}".lower())
        assert ours.status == 200 and ours.body == content, (name, ours.status)
        assert ours.headers["ETag"].strip('"') == theirs.rev, ours.headers
        assert ours.headers["Coffer-Modified"].startswith("2011-12-13T14:15:16"), ours.headers["Coffer-Modified"]
        # In capitals it is another key, and there is none.
        assert name == "empty" or host.get("interop", f"theirs/{name}").status == 404
    listing = host.request("GET", "interop/objects?prefix=theirs/").json["objects"]
    assert [entry["key"] for entry in listing] == ["theirs/empty", "theirs/ordner/brücke.png", "theirs/photo.jpg"]
    rev = dbx.files_get_metadata("/apps/interop/theirs/photo.jpg").rev
    assert next(entry["etag"] for entry in listing if entry["key"].endswith("jpg")).strip('"') == rev, listing


def conditions_hold_for_both(host):
    first = host.put("interop", "shared", b"one").json["etag"].strip('"')
    theirs = dbx.files_upload(b"two", "/apps/interop/shared", files.WriteMode.update(first), strict_conflict=True)
    answer = host.object("PUT", "interop", "shared", b"three", If_Match=f'"{first}"')
    assert answer.status == 412, (answer.status, answer.body)
    assert host.object("PUT", "interop", "shared", b"two", If_None_Match="*").status == 412
    assert host.object("DELETE", "interop", "shared", If_Match=f'"{first}"').status == 412
    answer = host.object("PUT", "interop", "shared", b"three", If_Match=f'"{theirs.rev}"')
    assert answer.status == 200, (answer.status, answer.body)
    try:
        dbx.files_upload(b"x", "/apps/interop/shared", files.WriteMode.update(theirs.rev), strict_conflict=True)
        raise AssertionError("a stale revision is written over")
    except exceptions.ApiError as error:
        assert error.error.get_path().reason.is_conflict()
    # The same bytes again are no change, and others have another tag.
    tags = [host.put("interop", "same", content).json["etag"] for content in [b"A", b"A", b"B", b"A"]]
    assert tags[0] == tags[1] and len(set(tags[1:])) == 3, tags


def no_two_keys_are_one(host):
    keys = ["readme", "README", "Readme", "ReadMe/x", "readme2/x", "README2/x", "\u00e9", "e\u0301", "\u00c9", "\u212b",
            "\u00c5", "\u00e5", "^r", "R", "^^r", "^082", "k", "K", "\u212a", "\u0130", "i", "i\u0307"]
    for key in keys:
        host.put("interop", f"case/{key}", key.encode())
    for key in keys:
        assert host.get("interop", f"case/{key}").body == key.encode(), key
    listing = host.request("GET", "interop/objects?prefix=case/").json["objects"]
    assert [entry["key"].encode() for entry in listing] == sorted(f"case/{key}".encode() for key in keys), listing
    for key in keys:
        assert host.object("DELETE", "interop", f"case/{key}").status == 204
    assert host.request("GET", "interop/objects?prefix=case/").json["objects"] == []


def folders_are_no_objects(host):
    dbx.files_create_folder_v2("/apps/interop/folder/empty")
    host.put("interop", "folder/inside", b"inside")
    assert host.get("interop", "folder").status == 404
    assert host.object("DELETE", "interop", "folder").status == 204
    copy = host.post("interop/copy", {"from": "folder", "to": "elsewhere"})
    assert copy.status == 404, (copy.status, copy.body)
    results = host.post("interop/delete", {"keys": ["folder", "folder/empty"]}).json["results"]
    assert all(result["problem"] is None for result in results), results
    assert host.get("interop", "folder/inside").body == b"inside"
    page = host.request("GET", "interop/objects?prefix=folder&delimiter=/").json
    assert page["prefixes"] == ["folder/"] and page["objects"] == [], page
    assert host.request("GET", "interop/objects?prefix=folder/&delimiter=/").json["prefixes"] == []
    for key in ["folder", "folder/inside/below"]:
        answer = host.object("PUT", "interop", key, b"x")
        assert answer.status == 409 and answer.code == "already_exists", (key, answer.status, answer.body)
    # What no key is called, and what cannot be downloaded, is not shown and not touched.
    dbx.files_upload(b"foreign", "/apps/interop/folder/100 ^")
    below = host.post("interop/copy", {"from": "folder/inside", "to": "folder/inside/copy"})
    assert below.status == 409 and below.code == "already_exists", (below.status, below.body)
    listing = host.request("GET", "interop/objects?prefix=folder/").json["objects"]
    assert [entry["key"] for entry in listing] == ["folder/inside"], listing


def many_come_in_order(host):
    keys = [f"many/{number % 7}/{number}" for number in range(300)]
    keys += [f"many/file{number:03}" for number in range(130)]
    answers = [dbx.files_upload(b"", f"/apps/interop/{key}") for key in keys]
    assert len(answers) == len(keys)
    for limit in [1000, 37]:
        seen, more = [], ""
        while more is not None:
            harm(reset=1 if limit == 1000 else 0)
            page = host.request("GET", f"interop/objects?prefix=many/&limit={limit}{more}").json
            seen += [entry["key"] for entry in page["objects"]]
            more = page["cursor"] and f"&cursor={page['cursor']}"
        assert seen == sorted(keys), (limit, len(seen), len(keys))
    harm(reset=0)
    results = host.post("interop/delete", {"keys": [*keys, "many/none", "many/file000"]}).json["results"]
    assert all(result["problem"] is None for result in results), [result for result in results if result["problem"]]
    assert host.request("GET", "interop/objects?prefix=many/").json["objects"] == []


def copies_keep_bytes_and_time(host):
    when = datetime.datetime(2011, 12, 13, 14, 15, 16)
    content = os.urandom((5 << 20) + 1)
    dbx.files_upload(content, "/apps/interop/copy/from", client_modified=when)
    host.put("interop", "copy/old", b"old")
    before = harm()
    assert host.post("interop/copy", {"from": "copy/from", "to": "copy/new"}).status in (200, 201)
    assert harm().get("/2/files/download", 0) == before.get("/2/files/download", 0), "a copy came through us"
    words = {"from": "copy/from", "to": "copy/old", "on_conflict": "replace"}
    assert host.post("interop/copy", words).status in (200, 201)
    for name in ["new", "old"]:
        told, answer = dbx.files_download(f"/apps/interop/copy/{name}")
        assert answer.content == content and told.client_modified.replace(tzinfo=None) == when, told
    answer = host.post("interop/copy", {"from": "copy/from", "to": "copy/old", "on_conflict": "error"})
    assert answer.status == 409, (answer.status, answer.body)


def links_give_the_bytes(host):
    content = os.urandom(100_000)
    host.put("interop", "Link Me.bin", content)
    link = host.post("interop/links", {"key": "Link Me.bin", "method": "GET"}).json
    got = requests.get(link["url"], timeout=10)
    assert got.content == content, link
    ends = datetime.datetime.fromisoformat(link["expires_at"].replace("Z", "+00:00"))
    hours = (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600
    assert 3.9 < hours <= 4.01, link
    # A link that outlives the operator's limit is none.
    for storage, words in [
        ("short", {"key": "Link Me.bin", "method": "GET"}), ("interop", {"key": "new", "method": "PUT"}),
        ("interop", {"key": "Link Me.bin", "method": "DELETE"}),
        ("interop", {"key": "Link Me.bin", "method": "GET", "filename": "x.bin"}),
    ]:
        answer = host.post(f"{storage}/links", words)
        assert answer.status == 501 and answer.code == "unsupported", (words, answer.status, answer.body)
    answer = host.post("interop/links", {"key": "no such", "method": "GET"})
    assert answer.status == 404, (answer.status, answer.body)


def roots_hold_apart(host):
    host.put("whole", "top", b"top")
    assert dbx.files_download("/top")[1].content == b"top"
    assert "Apps/Interop/" not in str(host.request("GET", "interop/objects").json)
    keys = [entry["key"] for entry in host.request("GET", "whole/objects").json["objects"]]
    assert "top" in keys and "apps/interop/plain.txt" in keys, keys
    host.put("team", "Plan", b"plan")
    team = dbx.with_path_root(common.PathRoot.namespace_id("77"))
    assert team.files_download("/team files/^plan")[1].content == b"plan"
    assert [entry["key"] for entry in host.request("GET", "team/objects").json["objects"]] == ["Plan"]


with running(BUILD, "dropbox", STORAGES, SHARED) as host:
    for proof in [
        ours_are_read_by_the_client, theirs_are_read_by_us, conditions_hold_for_both, no_two_keys_are_one,
        folders_are_no_objects, many_come_in_order, copies_keep_bytes_and_time, links_give_the_bytes, roots_hold_apart,
    ]:
        proof(host)
        print("ok", proof.__name__.replace("_", " "))
