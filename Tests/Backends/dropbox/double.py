#!/usr/bin/env python3
"""Proves the double by the vendor's own client, which takes every answer apart and accepts nothing that is not of the API.

The double's facts stand in the environment.
"""

import datetime
import os

import requests
from dropbox import common, exceptions, files
from dropbox.content_hash import DropboxContentHasher

from sdk import CONTENT, GRANT, TOKEN, client, harm

dbx = client()
BLOCK = 4 << 20


def refused(call, *words, **named):
    try:
        call(*words, **named)
    except exceptions.ApiError as error:
        return error.error
    raise AssertionError(f"{call.__name__} was not refused")


def names_fold():
    made = dbx.files_upload(b"one", "/Proof/Äpfel.txt")
    assert made.path_lower == "/proof/äpfel.txt" and made.path_display == "/Proof/Äpfel.txt", made
    for other in ["/PROOF/ÄPFEL.TXT", "/proof/A\u0308pfel.txt"]:
        assert dbx.files_get_metadata(other).id == made.id
        error = refused(dbx.files_upload, b"two", other)
        assert error.get_path().reason.get_conflict().is_file(), error
    for bad in ["/proof/a\\b", "/proof/a ", "/proof/a\nb", "/proof/" + "x" * 256, "/proof/\U0001F600"]:
        assert refused(dbx.files_upload, b"", bad).get_path().reason.is_malformed_path(), bad
    assert refused(dbx.files_upload, b"", "/proof/Thumbs.db").get_path().reason.is_disallowed_name()
    assert refused(dbx.files_upload, b"", "/proof/äpfel.txt/below").get_path().reason.get_conflict().is_file_ancestor()
    assert refused(dbx.files_upload, b"", "/proof").get_path().reason.get_conflict().is_folder()
    assert refused(dbx.files_get_metadata, "/proof/none").get_path().is_not_found()
    assert refused(dbx.files_download, "/proof").get_path().is_not_file()


def revisions_decide():
    add, overwrite = files.WriteMode.add, files.WriteMode.overwrite
    when = datetime.datetime(2001, 2, 3, 4, 5, 6)
    first = dbx.files_upload(b"one", "/proof/rev", client_modified=when)
    assert first.client_modified.replace(tzinfo=None) == when and len(first.rev) >= 9
    # The same bytes once more: nothing is written, not even the time.
    same = dbx.files_upload(b"one", "/proof/rev", overwrite, client_modified=datetime.datetime(2002, 1, 1))
    assert same.rev == first.rev and same.client_modified == first.client_modified
    assert dbx.files_upload(b"one", "/proof/rev", add).rev == first.rev
    assert refused(dbx.files_upload, b"one", "/proof/rev", add, strict_conflict=True).get_path().reason.is_conflict()
    second = dbx.files_upload(b"two", "/proof/rev", files.WriteMode.update(first.rev), strict_conflict=True)
    assert second.rev != first.rev and second.id == first.id
    stale = files.WriteMode.update(first.rev)
    assert refused(dbx.files_upload, b"three", "/proof/rev", stale, strict_conflict=True).get_path().reason.is_conflict()
    told, answer = dbx.files_download(f"rev:{first.rev}")
    assert answer.content == b"one" and told.rev == first.rev
    told, answer = dbx.files_download("/Proof/REV", extra_headers={"Range": "bytes=1-1"})
    assert answer.status_code == 206 and answer.content == b"w" and told.size == 3
    hasher = DropboxContentHasher()
    hasher.update(b"two")
    assert second.content_hash == hasher.hexdigest()
    assert refused(dbx.files_delete_v2, "/proof/rev", parent_rev=first.rev).get_path_write().get_conflict().is_file()
    assert dbx.files_delete_v2("/proof/rev", parent_rev=second.rev).metadata.rev == second.rev
    assert refused(dbx.files_delete_v2, "/proof/rev").get_path_lookup().is_not_found()
    gone = files.WriteMode.update(second.rev)
    assert refused(dbx.files_upload, b"x", "/proof/rev", gone, strict_conflict=True).get_path().reason.is_conflict()


def sessions_gather():
    data = os.urandom(2 * BLOCK + 77)
    start = dbx.files_upload_session_start(data[:100])
    cursor = files.UploadSessionCursor(start.session_id, 100)
    dbx.files_upload_session_append_v2(data[100:BLOCK], cursor)
    error = refused(dbx.files_upload_session_append_v2, b"x", cursor)
    assert error.get_incorrect_offset().correct_offset == BLOCK
    cursor.offset = BLOCK
    commit = files.CommitInfo("/proof/session")
    assert refused(dbx.files_get_metadata, "/proof/session").get_path().is_not_found()
    assert dbx.files_upload_session_finish(data[BLOCK:], cursor, commit).size == len(data)
    assert refused(dbx.files_upload_session_finish, b"", cursor, commit).get_lookup_failed().is_not_found()
    # At once, and in any order.
    start = dbx.files_upload_session_start(b"", session_type=files.UploadSessionType.concurrent)
    at = lambda offset: files.UploadSessionCursor(start.session_id, offset)  # noqa: E731
    dbx.files_upload_session_append_v2(data[BLOCK:2 * BLOCK], at(BLOCK))
    assert refused(dbx.files_upload_session_append_v2, b"x", at(0)).is_concurrent_session_invalid_data_size()
    assert refused(dbx.files_upload_session_append_v2, b"x", at(5)).is_concurrent_session_invalid_offset()
    assert refused(dbx.files_upload_session_finish, b"", at(len(data)), commit).is_concurrent_session_not_closed()
    dbx.files_upload_session_append_v2(data[2 * BLOCK:], at(2 * BLOCK), close=True)
    error = refused(dbx.files_upload_session_append_v2, b"", at(0))
    assert error.is_closed(), error
    assert refused(dbx.files_upload_session_finish, b"", at(len(data)), commit).is_concurrent_session_missing_data()
    wrong = "0" * 64
    error = refused(dbx.files_upload_session_append_v2, b"x", at(0), content_hash=wrong)
    assert error.is_content_hash_mismatch(), error
    assert refused(dbx.files_upload, b"x", "/proof/hash", content_hash=wrong).is_content_hash_mismatch()


def folders_list():
    for name in ["b", "a", "Deep/c", "deep/D/e"]:
        dbx.files_upload(name.encode(), f"/List/{name}")
    dbx.files_create_folder_v2("/list/empty")
    for is_recursive, count in [(False, 4), (True, 8)]:
        page = dbx.files_list_folder("/LIST", recursive=is_recursive, limit=2)
        names = [entry.path_lower for entry in page.entries]
        while page.has_more:
            page = dbx.files_list_folder_continue(page.cursor)
            names += [entry.path_lower for entry in page.entries]
        assert len(names) == len(set(names)) == count, names
    # What changes meanwhile comes too, as changed or as gone.
    page = dbx.files_list_folder("/list", limit=1)
    dbx.files_delete_v2("/list/a")
    seen = []
    while page.has_more:
        page = dbx.files_list_folder_continue(page.cursor)
        seen += page.entries
    assert any(isinstance(entry, files.DeletedMetadata) and entry.path_lower == "/list/a" for entry in seen), seen
    assert refused(dbx.files_list_folder, "/list/b").get_path().is_not_folder()
    assert refused(dbx.files_list_folder, "/none").get_path().is_not_found()
    cursor = dbx.files_list_folder("/list", limit=1).cursor
    harm(reset=1)
    assert refused(dbx.files_list_folder_continue, cursor).is_reset()


def batches_and_copies():
    dbx.files_copy_v2("/list/b", "/list/copy")
    assert refused(dbx.files_copy_v2, "/list/b", "/LIST/COPY").get_to().get_conflict().is_file()
    assert refused(dbx.files_copy_v2, "/list/none", "/list/x").get_from_lookup().is_not_found()
    assert dbx.files_move_v2("/list/copy", "/list/moved").metadata.size == 1
    launch = dbx.files_delete_batch([files.DeleteArg("/list/moved"), files.DeleteArg("/list/none")])
    job = launch.get_async_job_id()
    assert dbx.files_delete_batch_check(job).is_in_progress()
    done, failed = dbx.files_delete_batch_check(job).get_complete().entries
    assert done.get_success().metadata.name == "moved", done
    assert failed.get_failure().get_path_lookup().is_not_found(), failed


def links_work():
    link = dbx.files_get_temporary_link("/list/b").link
    assert requests.get(link, timeout=10).content == b"b"
    link = dbx.files_get_temporary_upload_link(files.CommitInfo("/list/linked"), duration=60).link
    kind = {"Content-Type": "application/octet-stream"}
    assert requests.post(link, b"up", headers=kind, timeout=10).json().keys() == {"content-hash"}
    assert requests.post(link, b"up", headers=kind, timeout=10).status_code == 410
    assert dbx.files_download("/list/linked")[1].content == b"up"


def callers_are_told_apart():
    for token, judge in [("none", "is_invalid_access_token"), ("sl.double-expired", "is_expired_access_token")]:
        try:
            client(oauth2_access_token=token).files_list_folder("")
            raise AssertionError(token)
        except exceptions.AuthError as error:
            assert getattr(error.error, judge)(), error
    reader = client(oauth2_access_token="sl.double-reader")
    reader.files_list_folder("")
    try:
        reader.files_upload(b"", "/no")
        raise AssertionError("a reader writes")
    except exceptions.AuthError as error:
        assert error.error.get_missing_scope().required_scope == "files.content.write", error
    fresh = client(**GRANT)
    fresh.files_list_folder("")
    assert fresh._oauth2_access_token.startswith("sl.")
    harm(expire=True)
    fresh.files_list_folder("")
    for change in [{"oauth2_refresh_token": "no"}, {"app_secret": "no"}]:
        try:
            client(**GRANT | change).files_list_folder("")
            raise AssertionError(change)
        except (exceptions.AuthError, exceptions.BadInputError):
            pass  # Either is how the client tells these two apart.


def namespaces_and_limits():
    team = dbx.with_path_root(common.PathRoot.namespace_id("77"))
    team.files_upload(b"team", "/where")
    assert refused(dbx.files_get_metadata, "/where").get_path().is_not_found()
    for name, judge in [("42", "is_invalid_root"), ("99", "is_no_permission")]:
        try:
            dbx.with_path_root(common.PathRoot.namespace_id(name)).files_list_folder("")
            raise AssertionError(name)
        except exceptions.PathRootError as error:
            assert getattr(error.error, judge)(), error
    for count in [1, 2]:
        harm(limit=count)
        for _ in range(count):
            try:
                dbx.files_list_folder("")
                raise AssertionError("no limit")
            except exceptions.RateLimitError as error:
                assert error.backoff == 0, error.backoff
    harm(contend=4)
    assert refused(dbx.files_upload, b"", "/busy").get_path().reason.is_too_many_write_operations()
    assert refused(dbx.files_delete_v2, "/busy").is_too_many_write_operations()
    assert refused(dbx.files_copy_v2, "/a", "/busy").get_to().is_too_many_write_operations()
    session = dbx.files_upload_session_start(b"x").session_id
    cursor, commit = files.UploadSessionCursor(session, 1), files.CommitInfo("/busy")
    assert refused(dbx.files_upload_session_finish, b"", cursor, commit).is_too_many_write_operations()


def nonsense_is_refused():
    fields = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/octet-stream"}
    for argument in ['{"path": "no slash"}', '{"path": "/x", "colour": 1}', "{", '{"path": "/x", "mode": "update"}']:
        answer = requests.post(
            f"{CONTENT}/2/files/upload", b"", headers=fields | {"Dropbox-API-Arg": argument}, timeout=10)
        assert answer.status_code == 400, (argument, answer.status_code)
    answer = requests.post(
        f"{CONTENT}/2/files/upload", b"",
        headers=fields | {"Dropbox-API-Arg": '{"path": "/ä"}'.encode()}, timeout=10)
    assert answer.status_code == 400, answer.status_code
    assert requests.post(f"{CONTENT}/2/files/list_folder", b"", headers=fields, timeout=10).status_code == 400


for proof in [
    names_fold, revisions_decide, sessions_gather, folders_list, batches_and_copies, links_work,
    callers_are_told_apart, namespaces_and_limits, nonsense_is_refused,
]:
    proof()
    print("ok", proof.__name__.replace("_", " "))
