#!/usr/bin/env python3
"""Proves that this plugin and azure-storage-blob read each other's objects, and links: `interop.py BUILD_FOLDER`."""

import hashlib
import os
import sys

import requests
from azure.storage.blob import (
    AccountSasPermissions, ContainerSasPermissions, ContentSettings, ResourceTypes, generate_account_sas,
    generate_container_sas,
)

from facts import ACCOUNT, APPLICATION, CA, ENDPOINT, HOUR, KEY, PLAIN, TLS_ENDPOINT, client, now
from host import running

BUILD = sys.argv[1]
NAMES = ["plain", "a b+%&=~üñ.bin", "deep/é/日本語", "q?x#y", "'quoted\"'", "%2F", "<&>;", "😀", "\uffff", "a..b", "a[b"]
PARTS = os.urandom((12 << 20) + 345)
container = client(max_single_put_size=4 << 20, max_block_size=1 << 20).get_container_client("interop")


def ours_are_read_by_microsofts_client(host):
    for name in NAMES:
        content = os.urandom(1000)
        host.put("interop", f"ours/{name}", content, Content_Type="text/x-ours; charset=utf-8",
                 Content_Language="de", Cache_Control="max-age=7", Coffer_Meta_colour="dark%20blue")
        blob = container.get_blob_client(f"ours/{name}")
        assert blob.download_blob(validate_content=True).readall() == content, name
        theirs = blob.get_blob_properties()
        settings = theirs.content_settings
        assert settings.content_type == "text/x-ours; charset=utf-8", settings
        assert (settings.cache_control, settings.content_language) == ("max-age=7", "de"), settings
        assert bytes(settings.content_md5) == hashlib.md5(content).digest()
        assert theirs.metadata["colour"] == "dark blue", theirs.metadata
        assert theirs.metadata["coffer_sha256"] == hashlib.sha256(content).hexdigest(), theirs.metadata
    answer = host.put("interop", "ours/parts", PARTS, Coffer_Meta_colour="red").json
    blob = container.get_blob_client("ours/parts")
    theirs = blob.get_blob_properties()
    assert blob.download_blob().readall() == PARTS and theirs.metadata["colour"] == "red"
    assert theirs.etag.strip('"') == answer["etag"].strip('"') and answer["size"] == len(PARTS), answer
    assert len(blob.get_block_list()[0]) == 2


def theirs_are_read_by_us(host):
    for name in NAMES:
        content = os.urandom(1000)
        container.upload_blob(f"theirs/{name}", content, metadata={"colour": "dark blue", "a_b": "1", "a0": "2"},
                              content_settings=ContentSettings(
                                  content_type="text/x-theirs", content_disposition='attachment; filename="x.txt"'))
        ours = host.get("interop", f"theirs/{name}")
        assert ours.status == 200 and ours.body == content, (name, ours.status)
        assert ours.headers["Content-Type"] == "text/x-theirs"
        assert ours.headers["Coffer-Meta-colour"] == "dark%20blue", ours.headers
        assert ours.headers["Content-Disposition"] == 'attachment; filename="x.txt"', ours.headers
        looked = host.request("GET", "interop/stat/" + requests.utils.quote(f"theirs/{name}")).json
        assert looked["checksum"] == {"algorithm": "md5", "value": hashlib.md5(content).hexdigest()}, looked
    container.upload_blob("theirs/parts", PARTS)
    assert host.get("interop", "theirs/parts").body == PARTS
    part = host.get("interop", "theirs/parts", Range=f"bytes={(8 << 20) - 3}-{(8 << 20) + 2}")
    assert part.status == 206 and part.body == PARTS[(8 << 20) - 3:(8 << 20) + 3]
    assert host.get("interop", "theirs/parts", Range="bytes=-10").body == PARTS[-10:]
    assert host.get("wide", "theirs/parts").body == PARTS
    listed = [entry["key"] for entry in host.request("GET", "interop/objects?prefix=theirs/").json["objects"]]
    assert listed == sorted((f"theirs/{name}" for name in NAMES + ["parts"]), key=str.encode), listed
    assert [one.name for one in container.list_blobs(name_starts_with="theirs/")] == listed


def odd_metadata_survive_the_round(host):
    values = {"unicode": "é 😀", "edges": " x ", "word": "=?UTF-8?B?w6k=?=", "empty": "", "long": "v" * 2000,
              "with-dash": "1", "9digit": "2", "with.dot": "3"}
    headers = {f"Coffer-Meta-{name}": requests.utils.quote(value, safe="") for name, value in values.items()}
    answer = host.request("PUT", "interop/objects/odd", b"x", headers)
    assert answer.status in (200, 201), answer.body
    assert host.request("GET", "interop/stat/odd").json["metadata"] == values
    host.post("interop/copy", {"from": "odd", "to": "odd-copy"})
    assert host.request("GET", "interop/stat/odd-copy").json["metadata"] == values
    assert all(name.isidentifier() for name in container.get_blob_client("odd").get_blob_properties().metadata)


def keys_that_azure_would_change_stay_themselves(host):
    odd = ["odd/a\\b", "odd/a.", "odd/b./c", "odd/a. ", "odd/a/b", "odd/[x"]
    for key in odd:
        assert host.put("interop", key, key.encode()).json["key"] == key
    listed = [entry["key"] for entry in host.request("GET", "interop/objects?prefix=odd/").json["objects"]]
    assert listed == sorted(odd, key=str.encode), listed
    for key in odd:
        assert host.get("interop", key).body == key.encode(), key
        assert host.object("DELETE", "interop", key).status in (200, 204), key


def any_delimiter_groups(host):
    for key in ["a--1", "a--2", "a-x", "b", "c--x", "c--y--z", "é--1"]:
        host.put("interop", f"groups/{key}", b"")
    for limit in [1, 2, 100]:
        found, token = [], ""
        while True:
            page = host.request("GET", f"interop/objects?prefix=groups/&delimiter=--&limit={limit}" + token).json
            found += [one["key"] for one in page["objects"]] + page["prefixes"]
            if not page.get("cursor"):
                break
            token = "&cursor=" + requests.utils.quote(page["cursor"], safe="")
        wanted = ["a--", "a-x", "b", "c--", "é--"]
        assert sorted(found) == sorted(f"groups/{one}" for one in wanted), (limit, found)


def links_work_without_us(host):
    for storage, ca, base in [("interop", True, ENDPOINT), ("application", CA, TLS_ENDPOINT)]:
        def link(method, **more):
            wanted = {"key": "links/ü +.txt", "method": method, "expires_in": 60, **more}
            answer = host.post(f"{storage}/links", wanted)
            assert answer.status in (200, 201), (storage, answer.status, answer.body)
            return answer.json

        upload = link("PUT", content_type="text/x-linked")
        assert upload["url"].startswith(base), upload
        wanted = {name.lower(): value for name, value in upload["required_headers"].items()}
        assert wanted == {"content-type": "text/x-linked", "x-ms-blob-type": "BlockBlob"}, wanted
        assert requests.put(upload["url"], data=b"linked", verify=ca).status_code == 400
        assert requests.put(upload["url"], data=b"linked", headers=wanted, verify=ca).status_code == 201
        got = requests.get(link("GET", filename="näme.txt")["url"], verify=ca)
        assert got.status_code == 200 and got.content == b"linked", got.text
        assert got.headers["content-type"] == "text/x-linked"
        assert "filename*=UTF-8''n%C3%A4me.txt" in got.headers["Content-Disposition"], got.headers
        assert requests.head(link("HEAD")["url"], verify=ca).status_code == 200
        url = link("GET")["url"]
        assert requests.put(url, data=b"x", headers=wanted, verify=ca).status_code == 403
        assert requests.get(url.replace("sig=", "sig=A"), verify=ca).status_code == 403
        assert requests.delete(link("DELETE")["url"], verify=ca).status_code == 202
        assert host.get("interop", "links/ü +.txt").status == 404
    public = host.post("seen/links", {"key": "x", "method": "GET", "expires_in": 60}).json["url"]
    assert public.startswith("https://files.example.org/base/interop/x?sv="), public
    late = host.post("application/links", {"key": "x", "method": "GET", "expires_in": 8 * 86400})
    assert late.status == 400, late.body


def every_kind_of_credentials_works(host):
    container.upload_blob("credentials", b"there", overwrite=True)
    for storage in ["interop", "connection", "connection-sas", "signature", "account-signature", "application", "digests"]:
        assert host.get(storage, "credentials").body == b"there", storage
        host.put(storage, f"by/{storage}", PARTS)
        host.put(storage, f"by/{storage}", b"small")
        answer = host.post(f"{storage}/copy", {"from": f"by/{storage}", "to": f"copied/{storage}"})
        assert answer.status in (200, 201), (storage, answer.body)
        assert container.download_blob(f"copied/{storage}").readall() == b"small"
        assert [one["key"] for one in host.request("GET", f"{storage}/objects?prefix=by/{storage}").json["objects"]], storage
        assert host.object("DELETE", storage, f"by/{storage}").status in (200, 204)
        assert host.request("GET", f"{storage}/health").json["status"] == "ok", storage


def a_tier_is_that_of_new_objects(host):
    for body in [b"small", PARTS]:
        host.put("cool", "cool", body)
        assert container.get_blob_client("cool").get_blob_properties().blob_tier == "Cool"
        assert host.get("interop", "cool").body == body


def containers_are_made_and_removed(host):
    answer = host.request("PUT", "interop/containers/made-by-us")
    assert answer.status in (200, 201), answer.body
    service = client()
    assert "made-by-us" in [one.name for one in service.list_containers()]
    names = [one["name"] for one in host.request("GET", "interop/containers").json["containers"]]
    assert names == sorted([one.name for one in service.list_containers()]), names
    service.get_container_client("made-by-us").upload_blob("x", b"x")
    assert host.request("DELETE", "interop/containers/made-by-us").status == 409
    service.get_container_client("made-by-us").delete_blob("x")
    assert host.request("DELETE", "interop/containers/made-by-us").status in (200, 204)
    assert "made-by-us" not in [one.name for one in service.list_containers()]
    # What `create` made at the start.
    assert "made-at-start" in names
    host.put("made-at-start", "k", b"v")


def main():
    container.create_container()
    permissions = ContainerSasPermissions(read=True, add=True, create=True, write=True, delete=True, list=True)
    sas = generate_container_sas(ACCOUNT, "interop", account_key=KEY, expiry=now() + HOUR, permission=permissions)
    whole = generate_account_sas(
        ACCOUNT, KEY, ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True), now() + HOUR,
    )
    storages = {
        "interop": PLAIN, "wide": PLAIN | {"container": "interop", "read_concurrency": 4},
        "seen": PLAIN | {"container": "interop", "public_endpoint": "https://files.example.org/base"},
        "connection": {"container": "interop", "connection_string":
                       f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={ENDPOINT};"},
        "connection-sas": {"container": "interop", "connection_string":
                           f"BlobEndpoint={ENDPOINT};SharedAccessSignature={sas}"},
        "signature": {"container": "interop", "endpoint": ENDPOINT, "sas_token": f"?{sas}"},
        "account-signature": {"container": "interop", "endpoint": ENDPOINT, "sas_token": whole},
        "application": APPLICATION | {"container": "interop"},
        "digests": PLAIN | {"container": "interop", "checksum_mode": "md5", "part_size": "1MiB"},
        "made-at-start": PLAIN | {"create": True},
        "cool": PLAIN | {"container": "interop", "access_tier": "Cool", "part_size": "1MiB"},
    }
    with running(BUILD, "azure", storages) as host:
        for proof in [
            ours_are_read_by_microsofts_client, theirs_are_read_by_us, odd_metadata_survive_the_round,
            keys_that_azure_would_change_stay_themselves, any_delimiter_groups, links_work_without_us, every_kind_of_credentials_works,
            a_tier_is_that_of_new_objects, containers_are_made_and_removed,
        ]:
            proof(host)
            print("so:", proof.__name__.replace("_", " "), flush=True)
        log = host.text()
        for secret in [KEY, sas.split("sig=")[1], APPLICATION["client_secret"]]:
            assert secret not in log, "a secret in the log"


main()
