#!/usr/bin/env python3
"""Proves the double of Azure's Blob service by Microsoft's own client: `double.py`, with the double's facts around it.

What the client does must work, and what the service refuses must be refused with the service's own words.
"""

import base64
import datetime
import os
import random
import time

import requests
from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    AccountSasPermissions, BlobBlock, BlobSasPermissions, BlobServiceClient, ContainerSasPermissions, ContentSettings,
    ResourceTypes, generate_account_sas, generate_blob_sas, generate_container_sas,
)

ENDPOINT, ACCOUNT, KEY = (os.environ[f"AZURE_{name}"] for name in ["ENDPOINT", "ACCOUNT", "KEY"])
NOW = datetime.datetime.now(datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
service = BlobServiceClient(
    ENDPOINT, {"account_name": ACCOUNT, "account_key": KEY}, max_single_put_size=4 << 20, max_block_size=1 << 20,
    retry_total=0,
)
container = service.get_container_client("double")
ODD = "dir/a b+%ü.bin"
DATA = random.Random(1).randbytes(1 << 20)


def refusal(call, *arguments, **named):
    """Status and code of what is refused."""
    try:
        call(*arguments, **named)
    except HttpResponseError as error:
        return error.status_code, str(getattr(error.error_code, "value", error.error_code))
    raise AssertionError(f"{call} was not refused")


def containers_are_made_once():
    container.create_container(metadata={"a": "b"})
    assert container.get_container_properties().metadata == {"a": "b"}
    assert "double" in [one.name for one in service.list_containers(results_per_page=1)]
    assert refusal(container.create_container) == (409, "ContainerAlreadyExists")
    assert refusal(service.create_container, "No_Name")[0] == 400


def a_blob_keeps_what_describes_it():
    blob = container.get_blob_client(ODD)
    blob.upload_blob(DATA, metadata={"k": "v", "a_b": "1", "a0": "2"}, validate_content=True, content_settings=ContentSettings(
        content_type="x/y", cache_control="max-age=1", content_disposition="attachment", content_language="de",
    ))
    found = blob.get_blob_properties()
    settings = found.content_settings
    assert found.metadata == {"k": "v", "a_b": "1", "a0": "2"} and found.size == len(DATA), found
    assert (settings.content_type, settings.cache_control, settings.content_language) == ("x/y", "max-age=1", "de")
    assert settings.content_md5
    assert blob.download_blob(validate_content=True).readall() == DATA
    assert blob.download_blob(offset=5, length=5).readall() == DATA[5:10]
    blob.set_blob_metadata({"q": "1"})
    blob.set_http_headers(ContentSettings(content_type="p/q"))
    assert blob.get_blob_properties().metadata == {"q": "1"}
    assert refusal(blob.set_blob_metadata, {"no-name": "1"})[0] == 400
    empty = container.get_blob_client("empty")
    empty.upload_blob(b"")
    assert empty.download_blob().readall() == b""


def conditions_are_kept():
    blob = container.get_blob_client("conditions")
    first = blob.upload_blob(b"1")["etag"]
    assert refusal(blob.upload_blob, b"2") == (409, "BlobAlreadyExists")
    stale = {"etag": '"0x1"', "match_condition": MatchConditions.IfNotModified}
    assert refusal(blob.upload_blob, b"2", overwrite=True, **stale) == (412, "ConditionNotMet")
    assert refusal(blob.download_blob, **stale)[0] == 412
    assert refusal(blob.download_blob, etag=first, match_condition=MatchConditions.IfModified)[0] == 304
    assert refusal(blob.delete_blob, **stale) == (412, "ConditionNotMet")
    second = blob.upload_blob(b"2", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)["etag"]
    assert second != first and blob.download_blob().readall() == b"2"


def blocks_are_committed_together():
    large = random.Random(2).randbytes(10 << 20)
    blob = container.get_blob_client("large")
    blob.upload_blob(large, max_concurrency=4)
    assert blob.download_blob(max_concurrency=4).readall() == large
    assert len(blob.get_block_list()[0]) == 10
    parts = container.get_blob_client("parts")
    ids = [base64.b64encode(b"%04d" % number).decode() for number in range(3)]
    for one in ids:
        parts.stage_block(one, one.encode())
    assert [one.id for one in parts.get_block_list("all")[1]] and not parts.exists()
    assert "parts" not in [one.name for one in container.list_blobs()]
    assert refusal(parts.stage_block, base64.b64encode(b"longer than the others").decode(), b"x")[0] == 400
    none = [BlobBlock(base64.b64encode(b"none").decode())]
    assert refusal(parts.commit_block_list, none) == (400, "InvalidBlockList")
    parts.commit_block_list([BlobBlock(one) for one in reversed(ids)], metadata={"m": "n"})
    assert parts.download_blob().readall() == "".join(reversed(ids)).encode()
    # What was staged for another commit is gone with it.
    parts.stage_block(ids[0], b"x")
    parts.upload_blob(b"whole", overwrite=True)
    assert refusal(parts.commit_block_list, [BlobBlock(ids[0])]) == (400, "InvalidBlockList")


def listings_come_in_pages():
    names = [f"l/{number:02}" for number in range(12)] + ["l/x/1", "l/x/2", "l/\U0001F600", "l/\uffff"]
    for name in names:
        container.upload_blob(name, b"x")
    pages = [list(page) for page in container.list_blobs(name_starts_with="l/", results_per_page=5).by_page()]
    assert [len(page) for page in pages] == [5, 5, 5, 1], pages
    assert [one.name for page in pages for one in page] == sorted(names, key=str.encode)
    walked = [one.name for one in container.walk_blobs(name_starts_with="l/", delimiter="/")]
    assert "l/x/" in walked and "l/x/1" not in walked, walked
    later = [one.name for one in container.list_blobs(name_starts_with="l/", start_from="l/05")]
    assert later == [name for name in sorted(names, key=str.encode) if name >= "l/05"], later
    told = [one.metadata for one in container.list_blobs(name_starts_with="dir/", include=["metadata"])]
    assert told == [{"q": "1"}], told


def copies_stay_inside():
    def source(name, **named):
        sas = generate_blob_sas(ACCOUNT, "double", name, account_key=KEY, expiry=NOW + HOUR,
                                permission=BlobSasPermissions(**(named or {"read": True})))
        return f"{container.get_blob_client(name).url}?{sas}"
    container.upload_blob("source", DATA, metadata={"k": "v"}, content_settings=ContentSettings(content_type="x/y"))
    target = container.get_blob_client("target")
    assert target.start_copy_from_url(source("source"))["copy_status"] == "success"
    assert target.download_blob().readall() == DATA and target.get_blob_properties().metadata == {"k": "v"}
    target.start_copy_from_url(source("source"), requires_sync=True)
    put = container.get_blob_client("put")
    put.upload_blob_from_url(source("source"), metadata={"m": "n"})
    assert put.get_blob_properties().content_settings.content_type == "x/y"
    assert put.get_blob_properties().metadata == {"m": "n"}
    put.stage_block_from_url("YWE=", source("source"), 10, 5)
    put.commit_block_list([BlobBlock("YWE=")])
    assert put.download_blob().readall() == DATA[10:15]
    assert refusal(put.upload_blob_from_url, source("none"), overwrite=True)[0] == 404
    assert refusal(put.upload_blob_from_url, source("source", write=True), overwrite=True)[0] == 403
    assert refusal(put.upload_blob_from_url, container.get_blob_client("source").url, overwrite=True)[0] == 403
    stale = {"source_etag": '"0x1"', "source_match_condition": MatchConditions.IfNotModified}
    assert refusal(put.upload_blob_from_url, source("source"), overwrite=True, **stale)[0] == 412


def signatures_allow_what_they_say():
    blob = container.get_blob_client("shared")
    block = {"x-ms-blob-type": "BlockBlob"}

    def url(permission, expiry=NOW + HOUR, **named):
        sas = generate_blob_sas(ACCOUNT, "double", "shared", account_key=KEY, permission=permission, expiry=expiry, **named)
        return f"{blob.url}?{sas}"
    read, write = BlobSasPermissions(read=True), BlobSasPermissions(write=True, create=True)
    assert requests.put(url(write), data=b"sas!", headers=block).status_code == 201
    got = requests.get(url(read, content_disposition='attachment; filename="x"', content_type="a/b"))
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, b"sas!", "a/b")
    assert got.headers["content-disposition"] == 'attachment; filename="x"'
    assert requests.get(url(read).replace("sig=", "sig=A")).status_code == 403
    assert requests.get(url(read, NOW - HOUR)).status_code == 403
    assert requests.get(url(read, start=NOW + HOUR / 2)).status_code == 403
    assert requests.put(url(read), data=b"1", headers=block).status_code == 403
    assert requests.put(url(BlobSasPermissions(create=True)), data=b"1", headers=block).status_code == 403
    assert requests.get(blob.url).status_code == 401
    other = url(read).replace("/shared?", "/large?")
    assert requests.get(other).status_code == 403
    wrong = {**block, "Content-MD5": base64.b64encode(b"0" * 16).decode()}
    refused = requests.put(url(write), data=b"1", headers=wrong)
    assert refused.status_code == 400 and refused.headers["x-ms-error-code"] == "Md5Mismatch"
    whole = generate_container_sas(ACCOUNT, "double", account_key=KEY, expiry=NOW + HOUR,
                                   permission=ContainerSasPermissions(read=True, list=True))
    reader = BlobServiceClient(ENDPOINT, whole, retry_total=0).get_container_client("double")
    assert reader.download_blob("shared").readall() == b"sas!" and list(reader.list_blobs())
    assert refusal(reader.upload_blob, "new", b"x") == (403, "AuthorizationPermissionMismatch")
    account = generate_account_sas(ACCOUNT, KEY, ResourceTypes(service=True, container=True, object=True),
                                   AccountSasPermissions(read=True, list=True), NOW + HOUR)
    assert list(BlobServiceClient(ENDPOINT, account, retry_total=0).list_containers())


def tokens_are_lent():
    """The client speaks of tokens over TLS alone."""
    facts = {name: os.environ[f"AZURE_{name}"] for name in ["TLS_ENDPOINT", "AUTHORITY", "TENANT", "CLIENT", "SECRET", "CA"]}
    form = {"grant_type": "client_credentials", "client_id": facts["CLIENT"], "client_secret": facts["SECRET"],
            "scope": "https://storage.azure.com/.default"}
    where = f"{facts['AUTHORITY']}/{facts['TENANT']}/oauth2/v2.0/token"
    assert requests.post(where, form | {"client_secret": "x"}, verify=facts["CA"]).status_code == 401

    class Credential:
        def get_token(self, *scopes, **named):
            document = requests.post(where, form, verify=facts["CA"]).json()
            return AccessToken(document["access_token"], int(time.time()) + document["expires_in"])
    trusting = BlobServiceClient(facts["TLS_ENDPOINT"], Credential(), connection_verify=facts["CA"], retry_total=0)
    assert trusting.get_container_client("double").download_blob("shared").readall() == b"sas!"
    key = trusting.get_user_delegation_key(NOW, NOW + HOUR)
    sas = generate_blob_sas(ACCOUNT, "double", "shared", user_delegation_key=key, expiry=NOW + HOUR,
                            permission=BlobSasPermissions(read=True))
    assert requests.get(f"{ENDPOINT}/double/shared?{sas}").content == b"sas!"


def refusals_have_the_words_of_the_service():
    absent = container.get_blob_client("none")
    assert refusal(absent.download_blob) == (404, "BlobNotFound")
    assert refusal(absent.delete_blob) == (404, "BlobNotFound")
    assert refusal(service.get_blob_client("nosuch", "x").download_blob) == (404, "ContainerNotFound")
    wrong = BlobServiceClient(ENDPOINT, {"account_name": ACCOUNT, "account_key": base64.b64encode(b"0" * 64).decode()},
                              retry_total=0)
    assert refusal(wrong.get_blob_client("double", "large").download_blob) == (403, "AuthenticationFailed")
    assert refusal(container.get_blob_client("large").download_blob, offset=11 << 20, length=5) == (416, "InvalidRange")


def many_at_once_are_served():
    started = time.monotonic()
    for number in range(60):
        container.upload_blob(f"r/{number}", b"x" * 4096)
    put = time.monotonic()
    for number in range(60):
        container.download_blob(f"r/{number}").readall()
    print(f"{60 / (put - started):.0f} puts/s, {60 / (time.monotonic() - put):.0f} gets/s by the client")
    for name in [one.name for one in container.list_blobs()]:
        container.delete_blob(name)
    container.delete_container()


for proof in [
    containers_are_made_once, a_blob_keeps_what_describes_it, conditions_are_kept, blocks_are_committed_together,
    listings_come_in_pages, copies_stay_inside, signatures_allow_what_they_say, tokens_are_lent,
    refusals_have_the_words_of_the_service, many_at_once_are_served,
]:
    proof()
    print("so:", proof.__name__.replace("_", " "))
