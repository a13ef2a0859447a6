"""What the double of Google Cloud Storage keeps: buckets, objects with generations, sessions of uploads."""

import base64
import bisect
import dataclasses
import datetime
import hashlib
import threading
import time
import uuid

import google_crc32c

CHUNK_STEP = 256 << 10
METADATA_LIMIT = 8 << 10
WRITABLE = ["contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl"]


class Refused(Exception):
    """An answer that is an error: a status, a reason and a sentence."""

    def __init__(self, status, reason, message, headers=None):
        super().__init__(message)
        self.status, self.reason, self.message, self.headers = status, reason, message, headers or {}


def moment(seconds):
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def crc_text(data):
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def md5_text(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


@dataclasses.dataclass
class Version:
    """One generation of an object; what is not its bytes may change, and counts the metageneration."""

    bucket: str
    name: str
    data: bytes
    fields: dict
    metadata: dict
    generation: int
    metageneration: int
    created: float
    updated: float
    crc32c: str
    md5: str
    components: int = 1

    def resource(self, base):
        """The object as the JSON API writes it."""
        path = f"{base}/storage/v1/b/{self.bucket}/o/{quote(self.name)}"
        document = {
            "kind": "storage#object", "id": f"{self.bucket}/{self.name}/{self.generation}", "selfLink": path,
            "mediaLink": f"{base}/download/storage/v1/b/{self.bucket}/o/{quote(self.name)}"
                         f"?generation={self.generation}&alt=media",
            "name": self.name, "bucket": self.bucket, "generation": str(self.generation),
            "metageneration": str(self.metageneration), "storageClass": "STANDARD", "size": str(len(self.data)),
            "crc32c": self.crc32c, "etag": self.etag, "timeCreated": moment(self.created),
            "updated": moment(self.updated), "timeStorageClassUpdated": moment(self.created),
        }
        if self.components == 1:
            document["md5Hash"] = self.md5
        else:
            document["componentCount"] = self.components
        document |= {name: value for name, value in self.fields.items() if value is not None}
        if self.metadata:
            document["metadata"] = dict(self.metadata)
        return document

    @property
    def etag(self):
        return base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()


def quote(name):
    from urllib.parse import quote as encode

    return encode(name, safe="")


class Bucket:
    def __init__(self, name, project):
        self.name, self.project, self.created = name, project, time.time()
        self.objects, self.names = {}, []

    def keep(self, version):
        if version.name not in self.objects:
            bisect.insort(self.names, version.name.encode())
        self.objects[version.name] = version

    def drop(self, name):
        del self.objects[name]
        key = name.encode()
        del self.names[bisect.bisect_left(self.names, key)]


class Conditions:
    """The four conditions on a live object; a prefix of their names makes them those of a copy's source."""

    def __init__(self, query, infix=""):
        self.wanted = {}
        for name in ["GenerationMatch", "GenerationNotMatch", "MetagenerationMatch", "MetagenerationNotMatch"]:
            text = query.get(f"if{infix}{name}")
            if text is None:
                continue
            try:
                self.wanted[name] = int(text)
            except ValueError:
                raise Refused(400, "invalidParameter", f"Invalid value for if{infix}{name}") from None

    def check(self, version, reads=False):
        generation = version.generation if version else 0
        metageneration = version.metageneration if version else None
        for name, value in self.wanted.items():
            actual = metageneration if name.startswith("Meta") else generation
            if name.endswith("NotMatch"):
                if actual == value:
                    if reads:
                        raise Refused(304, "notModified", "Not Modified")
                    raise Refused(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
            elif actual != value:
                raise Refused(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


@dataclasses.dataclass
class Session:
    """A resumable upload: unseen until its last chunk."""

    bucket: str
    name: str
    resource: dict
    conditions: Conditions
    announced: int | None
    data: bytearray = dataclasses.field(default_factory=bytearray)
    made: Version | None = None
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)


class Store:
    """Everything, under one lock."""

    def __init__(self):
        self.lock = threading.RLock()
        self.buckets, self.sessions, self.rewrites = {}, {}, {}
        self.last_generation = 0

    # Buckets.

    def bucket(self, name):
        with self.lock:
            found = self.buckets.get(name)
        if found is None:
            raise Refused(404, "notFound", "The specified bucket does not exist.")
        return found

    def make_bucket(self, name, project):
        if not (3 <= len(name) <= 222) or not all(c in "abcdefghijklmnopqrstuvwxyz0123456789-_." for c in name):
            raise Refused(400, "invalid", f"Invalid bucket name: '{name}'")
        with self.lock:
            if name in self.buckets:
                raise Refused(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")
            self.buckets[name] = Bucket(name, project)
            return self.buckets[name]

    def remove_bucket(self, name):
        with self.lock:
            if self.bucket(name).objects:
                raise Refused(409, "conflict", "The bucket you tried to delete is not empty.")
            del self.buckets[name]

    # Objects.

    def find(self, bucket, name, query=None, conditions=None, reads=True):
        query = query or {}
        with self.lock:
            version = self.bucket(bucket).objects.get(name)
            wanted = query.get("generation")
            if version is None or (wanted is not None and str(version.generation) != wanted):
                raise Refused(404, "notFound", f"No such object: {bucket}/{name}")
            (conditions or Conditions(query)).check(version, reads)
            return version

    def publish(self, bucket, name, data, resource, conditions, components=1):
        self.check_name(name)
        metadata = self.metadata(resource.get("metadata"))
        crc32c, md5 = crc_text(data), md5_text(data)
        if resource.get("crc32c") not in (None, crc32c):
            raise Refused(400, "invalid", f"Provided CRC32C \"{resource['crc32c']}\" doesn't match calculated CRC32C \"{crc32c}\".")
        if resource.get("md5Hash") not in (None, md5):
            raise Refused(400, "invalid", f"Provided MD5 hash \"{resource['md5Hash']}\" doesn't match calculated MD5 hash \"{md5}\".")
        fields = {field: resource.get(field) for field in WRITABLE}
        with self.lock:
            home = self.bucket(bucket)
            conditions.check(home.objects.get(name))
            now = time.time()
            self.last_generation = max(self.last_generation + 1, int(now * 1e6))
            version = Version(
                bucket, name, data, fields, metadata, self.last_generation, 1, now, now, crc32c, md5, components,
            )
            home.keep(version)
            return version

    def patch(self, bucket, name, changes, query):
        with self.lock:
            version = self.find(bucket, name, query, reads=False)
            fields, metadata = dict(version.fields), dict(version.metadata)
            for field in WRITABLE:
                if field in changes:
                    fields[field] = changes[field]
            if "metadata" in changes:
                for key, value in (changes["metadata"] or {}).items():
                    if value is None:
                        metadata.pop(key, None)
                    else:
                        metadata[key] = value
            changed = dataclasses.replace(
                version, fields=fields, metadata=self.metadata(metadata), updated=time.time(),
                metageneration=version.metageneration + 1,
            )
            self.bucket(bucket).keep(changed)
            return changed

    def remove(self, bucket, name, query):
        with self.lock:
            self.find(bucket, name, query, reads=False)
            self.bucket(bucket).drop(name)

    @staticmethod
    def check_name(name):
        if not name or len(name.encode()) > 1024 or "\r" in name or "\n" in name or name in (".", ".."):
            raise Refused(400, "invalid", "Invalid object name")

    @staticmethod
    def metadata(given):
        metadata = given or {}
        if any(not isinstance(value, str) for value in metadata.values()) or "" in metadata:
            raise Refused(400, "invalid", "Invalid metadata")
        if sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items()) > METADATA_LIMIT:
            raise Refused(400, "invalid", "Object metadata exceeds 8 KiB")
        return dict(metadata)

    # Listing.

    def list(self, bucket, query, most):
        """Objects and prefixes of a page, and the token of the next: the last name or prefix, in Base64."""
        prefix, delimiter = query.get("prefix", "").encode(), query.get("delimiter", "").encode()
        limit = min(int(query.get("maxResults", 1000)), most)
        start = max(query.get("startOffset", "").encode(), prefix)
        after = None
        if query.get("pageToken"):
            try:
                after = base64.urlsafe_b64decode(query["pageToken"])
            except ValueError:
                raise Refused(400, "invalid", "Invalid page token") from None
        items, prefixes, last = [], [], None
        with self.lock:
            home = self.bucket(bucket)
            names = home.names
            at = bisect.bisect_left(names, start)
            if after is not None:
                at = max(at, bisect.bisect_right(names, after))
            while at < len(names) and names[at].startswith(prefix):
                name = names[at]
                cut = name.find(delimiter, len(prefix)) if delimiter else -1
                shared = name[: cut + len(delimiter)] if cut >= 0 else None
                if shared is not None and shared == after:
                    at = bisect.bisect_left(names, shared + b"\xff", at)
                    continue
                if len(items) + len(prefixes) >= limit:
                    return items, prefixes, base64.urlsafe_b64encode(last).decode()
                if shared is None:
                    items.append(home.objects[name.decode()])
                    last = name
                    at += 1
                else:
                    prefixes.append(shared.decode())
                    last = shared
                    at = bisect.bisect_left(names, shared + b"\xff", at)
        return items, prefixes, None

    # Sessions.

    def begin(self, bucket, name, resource, query, announced):
        self.check_name(name)
        self.metadata(resource.get("metadata"))
        conditions = Conditions(query)
        with self.lock:
            conditions.check(self.bucket(bucket).objects.get(name))
            identity = uuid.uuid4().hex
            self.sessions[identity] = Session(bucket, name, resource, conditions, announced)
            return identity

    def session(self, identity):
        with self.lock:
            found = self.sessions.get(identity)
        if found is None:
            raise Refused(404, "notFound", "No such upload session")
        return found

    # Copies in several steps.

    def rewrite_state(self, token, what):
        with self.lock:
            if token is None:
                token = uuid.uuid4().hex
                self.rewrites[token] = (what, 0)
            elif token not in self.rewrites or self.rewrites[token][0] != what:
                raise Refused(400, "invalid", "Invalid rewrite token")
            return token, self.rewrites[token][1]
