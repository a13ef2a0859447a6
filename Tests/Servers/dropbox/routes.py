"""The routes of the Dropbox API, version 2, over an `Account`: what each takes, and what it answers.

Arguments are held against the route's own fields, as Dropbox does: one that is unknown, missing or of another type is a
request that makes no sense (400), and not an error of the route (409).
"""

import re
import time

from account import DOWNLOADED, LARGEST_CALL, WRITTEN, Refused, Session, block_digests, content_hash, refused

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
HASH = re.compile(r"[0-9a-f]{64}\Z")
REVISION = re.compile(r"[0-9a-f]{9,}\Z")
LISTED = re.compile(r"((/(.|[\r\n])*)?|id:.*|ns:[0-9]+(/.*)?)\Z", re.S)


class Malformed(Exception):
    """What is no request of this route."""


def text(pattern):
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def number(least, most):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def maybe(judge):
    return lambda value: value is None or judge(value)


def truth(value):
    return isinstance(value, bool)


def union(*tags, **valued):
    def judge(value):
        if isinstance(value, str):
            return value in tags
        tag = value.get(".tag") if isinstance(value, dict) else None
        return tag in tags or (tag in valued and valued[tag](value.get(tag)))

    return judge


def struct(required, **optional):
    def judge(value):
        if not isinstance(value, dict) or any(name not in value for name in required):
            return False
        return all(name in fields and fields[name](item) for name, item in value.items() if name != ".tag")

    fields = required | optional
    return judge


COMMIT = dict(
    mode=union("add", "overwrite", update=text(REVISION)), autorename=truth, client_modified=maybe(text(TIME)),
    mute=truth, property_groups=maybe(lambda value: value == []), strict_conflict=truth,
)
CURSOR = struct({"session_id": lambda value: isinstance(value, str), "offset": number(0, 1 << 41)})
DIGEST = dict(content_hash=maybe(text(HASH)))
DELETE = struct({"path": text(WRITTEN)}, parent_rev=maybe(text(REVISION)))
FLAGS = ["include_media_info", "include_deleted", "include_has_explicit_shared_members", "include_mounted_folders",
         "include_non_downloadable_files", "include_restorable_info"]
RELOCATION = struct(
    {"from_path": text(WRITTEN), "to_path": text(WRITTEN)},
    allow_shared_folder=truth, autorename=truth, allow_ownership_transfer=truth,
)

# Each route: whose it is (api or content), how it is called, the scope it wants, and its arguments.
ROUTES = {
    "check/user": ("api", "rpc", "account_info.read", struct({}, query=lambda value: isinstance(value, str))),
    "files/get_metadata": ("api", "rpc", "files.metadata.read", struct(
        {"path": text(DOWNLOADED)}, **{name: truth for name in FLAGS}, include_property_groups=maybe(truth))),
    "files/list_folder": ("api", "rpc", "files.metadata.read", struct(
        {"path": text(LISTED)}, recursive=truth, limit=maybe(number(1, 2000)), **{name: truth for name in FLAGS})),
    "files/list_folder/continue": ("api", "rpc", "files.metadata.read", struct(
        {"cursor": lambda value: isinstance(value, str) and value})),
    "files/delete_v2": ("api", "rpc", "files.content.write", DELETE),
    "files/delete_batch": ("api", "rpc", "files.content.write", struct(
        {"entries": lambda value: isinstance(value, list) and len(value) <= 1000 and all(map(DELETE, value))})),
    "files/delete_batch/check": ("api", "rpc", "files.content.write", struct(
        {"async_job_id": lambda value: isinstance(value, str) and value})),
    "files/copy_v2": ("api", "rpc", "files.content.write", RELOCATION),
    "files/move_v2": ("api", "rpc", "files.content.write", RELOCATION),
    "files/create_folder_v2": ("api", "rpc", "files.content.write", struct({"path": text(WRITTEN)}, autorename=truth)),
    "files/get_temporary_link": ("api", "rpc", "files.content.read", struct({"path": text(DOWNLOADED)})),
    "files/get_temporary_upload_link": ("api", "rpc", "files.content.write", struct(
        {"commit_info": struct({"path": text(WRITTEN)}, **COMMIT)},
        duration=lambda value: isinstance(value, (int, float)) and 60 <= value <= 14400)),
    "files/download": ("content", "download", "files.content.read", struct({"path": text(DOWNLOADED)})),
    "files/upload": ("content", "upload", "files.content.write", struct({"path": text(WRITTEN)}, **COMMIT, **DIGEST)),
    "files/upload_session/start": ("content", "upload", "files.content.write", struct(
        {}, close=truth, session_type=maybe(union("sequential", "concurrent")), **DIGEST)),
    "files/upload_session/append_v2": ("content", "upload", "files.content.write", struct(
        {"cursor": CURSOR}, close=truth, **DIGEST)),
    "files/upload_session/finish": ("content", "upload", "files.content.write", struct(
        {"cursor": CURSOR, "commit": struct({"path": text(WRITTEN)}, **COMMIT)}, **DIGEST)),
}
WRITES = {name for name, route in ROUTES.items() if route[2] == "files.content.write" and name != "files/delete_batch/check"}


class Routes:
    """The routes that carry JSON, or bytes to Dropbox; `base` is where links lead, `page` the most entries of a page."""

    def __init__(self, account, base, page):
        self.account, self.base, self.page = account, base, page
        self.resets = 0

    def call(self, name, arguments, body, space):
        """The answer of a route, as JSON."""
        function = getattr(self, name.replace("/", "_"))
        if ROUTES[name][1] != "upload":
            with self.account.lock:
                return function(arguments, space)
        digests = block_digests(body)
        if len(body) > LARGEST_CALL:
            raise refused("payload_too_large")
        if arguments.get("content_hash") not in (None, content_hash(body, digests)):
            raise refused("content_hash_mismatch")
        with self.account.lock:
            return function(arguments, body, digests, space)

    def check_user(self, arguments, space):
        return {"result": arguments.get("query", "")}

    def files_get_metadata(self, arguments, space):
        return self.account.metadata(self.account.lookup(space, arguments["path"], ["path"]))

    def files_list_folder(self, arguments, space):
        account, path = self.account, arguments["path"]
        is_recursive = arguments.get("recursive", False)
        cursor = f"cur+/={account.number()}&#"
        account.cursors[cursor] = {
            "paths": account.paths(space, path, is_recursive), "journal": len(account.journal), "space": space,
            "path": path, "recursive": is_recursive, "limit": min(arguments.get("limit") or 2000, self.page),
        }
        return account.page(cursor, account.cursors[cursor]["limit"])

    def files_list_folder_continue(self, arguments, space):
        cursor = self.account.cursors.get(arguments["cursor"])
        if cursor is None:
            raise Malformed("invalid cursor")
        if self.resets:
            self.resets -= 1
            raise refused("reset")
        return self.account.page(arguments["cursor"], cursor["limit"])

    def files_delete_v2(self, arguments, space):
        return {"metadata": self.account.metadata(
            self.account.delete(space, arguments["path"], arguments.get("parent_rev")))}

    def files_delete_batch(self, arguments, space):
        entries = []
        for entry in arguments["entries"]:
            try:
                entries.append({".tag": "success"} | self.files_delete_v2(entry, space))
            except Refused as error:
                entries.append({".tag": "failure", "failure": error.error})
        if len(entries) == 1:
            return {".tag": "complete", "entries": entries}
        job = f"dbjid:{self.account.number()}"
        self.account.jobs[job] = [2, entries]
        return {".tag": "async_job_id", "async_job_id": job}

    def files_delete_batch_check(self, arguments, space):
        job = self.account.jobs.get(arguments["async_job_id"])
        if job is None:
            raise refused("invalid_async_job_id")
        job[0] -= 1
        return {".tag": "in_progress"} if job[0] else {".tag": "complete", "entries": job[1]}

    def files_copy_v2(self, arguments, space):
        return {"metadata": self.account.metadata(
            self.account.relocate(space, arguments["from_path"], arguments["to_path"], keeps=True))}

    def files_move_v2(self, arguments, space):
        return {"metadata": self.account.metadata(
            self.account.relocate(space, arguments["from_path"], arguments["to_path"], keeps=False))}

    def files_create_folder_v2(self, arguments, space):
        return {"metadata": self.account.metadata(self.account.make_folder(space, arguments["path"]), tagged=False)}

    def files_get_temporary_link(self, arguments, space):
        node = self.account.lookup(space, arguments["path"], ["path"])
        if node.data is None:
            raise refused("path", "not_file")
        name = f"/temporary/{self.account.number()}"
        self.account.links[name] = (node, time.time() + 14400)
        return {"metadata": self.account.metadata(node, tagged=False), "link": self.base + name}

    def files_get_temporary_upload_link(self, arguments, space):
        name = f"/apitul/{self.account.number()}"
        end = time.time() + arguments.get("duration", 14400)
        self.account.links[name] = ((space, arguments["commit_info"]), end)
        return {"link": self.base + name}

    # With bytes

    def session(self, cursor, *where):
        session = self.account.sessions.get(cursor["session_id"])
        if session is None:
            raise refused(*where, "not_found")
        return session

    def files_upload(self, arguments, body, digests, space):
        try:
            return self.account.metadata(self.account.commit(space, arguments, body, [], digests), tagged=False)
        except Refused as error:
            # The bytes are there already, under a session that a later commit may name.
            session = Session(is_concurrent=False)
            session.data += body
            name = f"pid_upload_session:{self.account.number()}"
            self.account.sessions[name] = session
            raise refused("path", reason=error.error, upload_session_id=name) from None

    def files_upload_session_start(self, arguments, body, digests, space):
        kind = arguments.get("session_type") or "sequential"
        session = Session((kind if isinstance(kind, str) else kind[".tag"]) == "concurrent")
        if session.is_concurrent and body:
            raise refused("concurrent_session_data_not_allowed")
        if session.is_concurrent and arguments.get("close"):
            raise refused("concurrent_session_close_not_allowed")
        session.data += body
        session.is_closed = arguments.get("close", False)
        name = f"pid_upload_session:{self.account.number()}"
        self.account.sessions[name] = session
        return {"session_id": name}

    def files_upload_session_append_v2(self, arguments, body, digests, space):
        session = self.session(arguments["cursor"])
        session.append(arguments["cursor"]["offset"], body, digests, arguments.get("close", False))

    def files_upload_session_finish(self, arguments, body, digests, space):
        cursor = arguments["cursor"]
        session = self.session(cursor, "lookup_failed")
        if session.is_concurrent and body:
            raise refused("concurrent_session_data_not_allowed")
        data, digests = session.whole(cursor["offset"])
        if not session.is_concurrent:
            # What a refused commit brought stays in the session.
            session.data += body
            data = bytes(session.data)
        node = self.account.commit(space, arguments["commit"], data, ["path"], digests)
        del self.account.sessions[cursor["session_id"]]
        return self.account.metadata(node, tagged=False)
