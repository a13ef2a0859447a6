"""The store: containers, block blobs, blocks that are not committed yet, and the conditions on changes."""

import base64
import email.utils
import hashlib
import itertools
import time

from access import Refused

PROPERTIES = ["content-type", "content-encoding", "content-language", "content-md5", "cache-control",
              "content-disposition"]
MOST_METADATA = 8 << 10
counter = itertools.count(time.time_ns())


class Blob:
    """One version of a blob; never changed."""

    def __init__(self, data, properties, metadata, blocks=(), created=None, tier=None):
        self.data, self.properties, self.metadata, self.blocks = data, properties, metadata, list(blocks)
        self.etag = f'"0x{next(counter):X}"'
        self.modified = time.time()
        self.created = created or self.modified
        self.tier = tier
        self.copy = {}

    @property
    def date(self):
        return email.utils.formatdate(self.modified, usegmt=True)


class Container:
    def __init__(self, metadata):
        self.metadata = metadata
        self.etag, self.modified = f'"0x{next(counter):X}"', time.time()
        self.blobs = {}
        # By name: the bytes of blocks by their ids.
        self.pending = {}
        self.order = None

    def names(self):
        """Names in the order of listings."""
        if self.order is None:
            self.order = sorted(self.blobs, key=str.encode)
        return self.order

    def put(self, name, blob):
        if name not in self.blobs:
            self.order = None
        self.blobs[name] = blob
        self.pending.pop(name, None)

    def remove(self, name):
        del self.blobs[name]
        self.order = None


def check_name(name):
    """What the service's own rules for names refuse or change."""
    if len(name) > 1024 or any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in name) or "\\" in name:
        raise Refused(400, "InvalidResourceName", "the name holds what it cannot")
    for segment in name.split("/"):
        if segment.endswith("."):
            raise Refused(400, "InvalidUri", "a segment ends with a dot")
    if name.count("/") > 254:
        raise Refused(400, "InvalidUri", "too many segments")


def check_write(headers, blob, prefix=""):
    """If-Match and its kin for a change; `prefix` is `x-ms-source-` for the source of a copy."""
    match, none = headers.get(prefix + "if-match"), headers.get(prefix + "if-none-match")
    if prefix:
        failed = Refused(412, "SourceConditionNotMet")
        if match and (blob is None or match not in ("*", blob.etag)):
            raise failed
        if none and blob is not None and none in ("*", blob.etag):
            raise failed
        return
    if match and (blob is None or match not in ("*", blob.etag)):
        raise Refused(412, "ConditionNotMet", "the condition is not met")
    if none == "*" and blob is not None:
        raise Refused(409, "BlobAlreadyExists", "the blob exists")
    if none and blob is not None and none == blob.etag:
        raise Refused(412, "ConditionNotMet", "the condition is not met")
    since = headers.get(prefix + "if-unmodified-since")
    if since and blob is not None and blob.modified > email.utils.parsedate_to_datetime(since).timestamp() + 1:
        raise Refused(412, "ConditionNotMet", "the condition is not met")


def check_read(headers, blob):
    match, none = headers.get("if-match"), headers.get("if-none-match")
    if match and match not in ("*", blob.etag):
        raise Refused(412, "ConditionNotMet", "the condition is not met")
    if none and none == blob.etag:
        raise Refused(304, "ConditionNotMet")
    if none == "*":
        raise Refused(400, "UnsupportedHeader", "no star here")


def metadata(headers):
    """User metadata; names are those of C#, and all together have 8 KiB."""
    found = {name[10:]: value for name, value in headers.items() if name.startswith("x-ms-meta-")}
    for name, value in found.items():
        if not name:
            raise Refused(400, "EmptyMetadataKey", "a name of metadata is empty")
        if not name.isidentifier() or not name.isascii() or not value.isascii():
            raise Refused(400, "InvalidMetadata", "no identifier of C#, or a value that is not ASCII")
    if sum(len(name) + len(value) for name, value in found.items()) > MOST_METADATA:
        raise Refused(400, "MetadataTooLarge", "more than 8 KiB")
    return found


def properties(headers, plain=True):
    """What describes a new blob; plain headers count where they are about the body of the request."""
    found = {}
    for name in PROPERTIES:
        value = headers.get(f"x-ms-blob-{name}")
        if value is None and plain and name not in ("content-md5", "content-disposition"):
            value = headers.get(name)
        if value:
            found[name] = value
    found.setdefault("content-type", "application/octet-stream")
    return found


def check_digest(headers, body, blob=False):
    """Content-MD5 is about the body; that of the blob is kept, and verified where the body is the blob."""
    for name in ["content-md5", "x-ms-blob-content-md5"] if blob else ["content-md5"]:
        given = headers.get(name)
        if given and base64.b64encode(hashlib.md5(body).digest()).decode() != given:
            raise Refused(400, "Md5Mismatch", "the MD5 of the bytes is another one")


def byte_range(text, size):
    """`bytes=A-` or `bytes=A-B`, which is all that the service knows; None for anything else."""
    if not text or not text.startswith("bytes="):
        return None
    first, _, last = text[6:].partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return None
    start, end = int(first), int(last) + 1 if last else size
    if start >= size:
        raise Refused(416, "InvalidRange", "the range starts past the end", {"Content-Range": f"bytes */{size}"})
    if end <= start:
        return None
    return start, min(end, size)
