"""What a Dropbox account holds: files and folders whose names fold case and Unicode forms, revisions, upload sessions.

Nothing here knows HTTP. What the API would refuse is raised as `Refused`, with the error's union as the API nests it.
"""

import datetime
import hashlib
import re
import threading
import unicodedata

BLOCK = 4 << 20
LARGEST_CALL = 150 << 20
IGNORED = re.compile(r"(desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)\Z", re.I)
DOWNLOADED = re.compile(r"(/(.|[\r\n])*|id:.*|rev:[0-9a-f]{9,}|ns:[0-9]+(/.*)?)\Z", re.S)
WRITTEN = re.compile(r"(/(.|[\r\n])*|ns:[0-9]+(/.*)?|id:.*)\Z", re.S)


class Refused(Exception):
    """An error of a route: a tag, or tags nested by `refused`."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


def refused(*words, **members):
    """The error of nested unions: `refused("path", "conflict", "file")`."""
    error = {".tag": words[-1]} | members
    for word in reversed(words[:-1]):
        error = {".tag": word, word: error}
    return Refused(error)


def block_digests(data):
    view = memoryview(data)
    return b"".join(hashlib.sha256(view[at:at + BLOCK]).digest() for at in range(0, len(data), BLOCK))


def content_hash(data, digests=None):
    return hashlib.sha256(block_digests(data) if digests is None else digests).hexdigest()


def fold(path):
    """The one form of all spellings: composed, and each letter by its simple lower case."""
    composed = unicodedata.normalize("NFC", path)
    return "".join("i" if letter == "\u0130" else low if len(low := letter.lower()) == 1 else letter for letter in composed)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Node:
    """A file or a folder."""

    def __init__(self, number, name, data=None):
        self.id = f"id:{hashlib.sha256(str(number).encode()).hexdigest()[:22]}"
        self.name, self.data = name, data
        self.children = {} if data is None else None


class Session:
    """An upload session: in order, or in pieces of whole blocks."""

    def __init__(self, is_concurrent):
        self.is_concurrent, self.is_closed = is_concurrent, False
        self.data, self.pieces = bytearray(), {}

    def append(self, offset, data, digests, closes):
        if self.is_closed:
            raise refused("closed")
        if not self.is_concurrent:
            if offset != len(self.data):
                raise refused("incorrect_offset", correct_offset=len(self.data))
            self.data += data
        else:
            if offset % BLOCK:
                raise refused("concurrent_session_invalid_offset")
            if len(data) % BLOCK and not closes:
                raise refused("concurrent_session_invalid_data_size")
            self.pieces[offset] = (data, digests)
        self.is_closed = closes

    def whole(self, offset):
        """All bytes and the digests of their blocks, at the end."""
        digests = None
        if self.is_concurrent:
            if not self.is_closed:
                raise refused("concurrent_session_not_closed")
            end, pieces = 0, [self.pieces[start] for start in sorted(self.pieces)]
            for start, (data, _) in zip(sorted(self.pieces), pieces):
                if start != end:
                    raise refused("concurrent_session_missing_data")
                end += len(data)
            self.data, digests = b"".join(data for data, _ in pieces), b"".join(digests for _, digests in pieces)
        if offset != len(self.data):
            raise refused("lookup_failed", "incorrect_offset", correct_offset=len(self.data))
        return self.data, digests


class Account:
    """All namespaces of one account, under one lock."""

    def __init__(self):
        self.lock = threading.RLock()
        self.count = 0
        self.spaces = {"1": Node(0, ""), "77": Node(1, "")}
        self.revisions, self.sessions, self.cursors, self.jobs, self.links = {}, {}, {}, {}, {}
        self.journal = []

    def number(self):
        self.count += 1
        return self.count

    # Paths

    def names(self, path, where, pattern=WRITTEN):
        """The segments of a path; `where` names the union of the error."""
        if path in ("", "/"):
            raise refused(*where, "malformed_path")
        segments = path.split("/")[1:]
        for name in segments:
            bad = not name or name in (".", "..") or name[-1] == " " or len(name.encode("utf-16-le")) > 510
            if bad or any(ord(letter) < 0x20 or letter in "\\\x7f" or ord(letter) > 0xFFFF for letter in name):
                raise refused(*where, "malformed_path")
        return segments

    def find(self, space, segments):
        """The node at a path, with its display path, or None."""
        node, shown = self.spaces[space], ""
        for name in segments:
            node = node.children.get(fold(name)) if node.children is not None else None
            if node is None:
                return None
            shown += "/" + node.name
        node.shown = shown
        return node

    def lookup(self, space, path, where):
        if path.startswith("rev:"):
            if path[4:] not in self.revisions:
                raise refused(*where, "not_found")
            return self.revisions[path[4:]]
        if path.startswith("id:"):
            raise refused(*where, "not_found")
        node = self.find(space, self.names(path, where))
        if node is None:
            raise refused(*where, "not_found")
        return node

    def metadata(self, node, tagged=True):
        answer = {".tag": "folder" if node.data is None else "file"} if tagged else {}
        answer |= {"name": node.name, "path_lower": fold(node.shown), "path_display": node.shown, "id": node.id}
        if node.data is not None:
            answer |= {
                "client_modified": node.client, "server_modified": node.server, "rev": node.rev,
                "size": len(node.data), "is_downloadable": True, "content_hash": node.hash,
            }
        return answer

    # Changes

    def parent(self, space, segments, where):
        """The folder of a path, made with all above it."""
        node, shown = self.spaces[space], ""
        for name in segments[:-1]:
            below = node.children.get(fold(name))
            if below is None:
                below = node.children[fold(name)] = Node(self.number(), name)
                self.journal.append((space, fold(f"{shown}/{name}")))
            if below.children is None:
                raise refused(*where, "conflict", "file_ancestor")
            node, shown = below, f"{shown}/{below.name}"
        return node, shown

    def check_name(self, name, where):
        if IGNORED.match(name):
            raise refused(*where, "disallowed_name")

    def commit(self, space, commit, data, where, digests=None):
        """Writes a file by a CommitInfo; `where` is `path` of an upload or of a session's end."""
        segments = self.names(commit["path"], where)
        self.check_name(segments[-1], where)
        mode = commit.get("mode", "add")
        mode = mode if isinstance(mode, dict) else {".tag": mode}
        folder, shown = self.parent(space, segments, where)
        known = folder.children.get(fold(segments[-1]))
        is_strict = commit.get("strict_conflict", False)
        digest = content_hash(data, digests)
        if known is not None and known.data is None:
            raise refused(*where, "conflict", "folder")
        if mode[".tag"] == "update":
            matches = known is not None and known.rev == mode["update"]
            same = known is not None and known.hash == digest and not is_strict
            if not matches and not same and (known is not None or is_strict):
                raise refused(*where, "conflict", "file")
        elif mode[".tag"] == "add" and known is not None and (is_strict or known.hash != digest):
            raise refused(*where, "conflict", "file")
        if known is not None and known.hash == digest:
            # The same bytes: nothing is written, not even a time.
            known.shown = f"{shown}/{known.name}"
            return known
        return self.write(space, folder, shown, segments[-1], data, digest, commit.get("client_modified") or now())

    def write(self, space, folder, shown, name, data, digest, client):
        known = folder.children.get(fold(name))
        node = Node(self.number(), name, data)
        if known is not None:
            node.id = known.id
        node.hash, node.client, node.server = digest, client, now()
        node.rev = f"{0x5F00000000000 + self.number():015x}"
        node.shown = f"{shown}/{name}"
        folder.children[fold(name)] = node
        self.revisions[node.rev] = node
        self.journal.append((space, fold(node.shown)))
        return node

    def delete(self, space, path, revision):
        node = self.lookup(space, path, ["path_lookup"])
        if revision is not None and (node.data is None or node.rev != revision):
            raise refused("path_write", "conflict", "folder" if node.data is None else "file")
        segments = self.names(path, ["path_lookup"])
        folder = self.find(space, segments[:-1])
        del folder.children[fold(segments[-1])]
        self.journal.append((space, fold(path)))
        return node

    def relocate(self, space, source, target, keeps):
        node = self.lookup(space, source, ["from_lookup"])
        segments = self.names(target, ["to"])
        self.check_name(segments[-1], ["to"])
        if fold(source) == fold(target) or fold(target).startswith(fold(source) + "/"):
            raise refused("duplicated_or_nested_paths")
        folder, shown = self.parent(space, segments, ["to"])
        known = folder.children.get(fold(segments[-1]))
        if known is not None:
            raise refused("to", "conflict", "folder" if known.data is None else "file")
        made = self.graft(space, node, folder, shown, segments[-1])
        if not keeps:
            self.delete(space, source, None)
        return made

    def graft(self, space, node, folder, shown, name):
        if node.data is not None:
            return self.write(space, folder, shown, name, node.data, node.hash, node.client)
        copy = folder.children[fold(name)] = Node(self.number(), name)
        copy.shown = f"{shown}/{name}"
        for child in list(node.children.values()):
            self.graft(space, child, copy, copy.shown, child.name)
        return copy

    def make_folder(self, space, path):
        segments = self.names(path, ["path"])
        folder, shown = self.parent(space, segments, ["path"])
        known = folder.children.get(fold(segments[-1]))
        if known is not None:
            raise refused("path", "conflict", "folder" if known.data is None else "file")
        made = folder.children[fold(segments[-1])] = Node(self.number(), segments[-1])
        made.shown = f"{shown}/{segments[-1]}"
        return made

    # Listings

    def paths(self, space, path, is_recursive):
        """What a folder holds, by folded path, in an order that means nothing."""
        node = self.spaces[space] if path == "" else self.lookup(space, path, ["path"])
        if node.data is not None:
            raise refused("path", "not_folder")
        found = []

        def walk(node, shown):
            for name, child in node.children.items():
                found.append(f"{shown}/{name}")
                if is_recursive and child.children is not None:
                    walk(child, f"{shown}/{name}")

        walk(node, fold(path))
        if is_recursive and path:
            found.append(fold(path))
        return sorted(found, key=lambda path: hashlib.md5(path.encode()).digest())

    def page(self, cursor, most):
        """The next entries of a cursor: what is left of the snapshot, then what has changed since."""
        state = self.cursors[cursor]
        entries, state["paths"] = state["paths"][:most], state["paths"][most:]
        if not state["paths"]:
            inside = fold(state["path"]) + "/"
            for space, path in self.journal[state["journal"]:]:
                deep = state["recursive"] or "/" not in path[len(inside):]
                if space == state["space"] and path.startswith(inside) and deep:
                    entries.append(path)
            state["journal"] = len(self.journal)
        answers = []
        for path in entries:
            node = self.find(state["space"], path.split("/")[1:])
            name = path.rsplit("/", 1)[1]
            gone = {".tag": "deleted", "name": name, "path_lower": path, "path_display": path}
            answers.append(gone if node is None else self.metadata(node))
        return {"entries": answers, "cursor": cursor, "has_more": bool(state["paths"])}
