"""A container of a provider, as the plugin needs it: what drivers differ in is evened out here."""

import heapq
import os
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from libcloud.storage.base import Object
from libcloud.storage.types import ObjectDoesNotExistError, ObjectError

from coffer_failures import Failure

PIECE = 256 << 10
# The most that S3 takes in one request; what is larger goes in parts.
SINGLE = 5 << 30
TIMES = ("last_modified", "modify_time", "last-modified", "Last-Modified", "updated", "uploadTimestamp")


class Changed(Failure):
    """Another version came between the look at an object and the answer with its bytes."""


class Store:
    """What every driver of Libcloud offers."""

    # Whether listings come in byte order and may start after a name.
    is_sorted = False

    def __init__(self, driver, container):
        self.driver, self.name = driver, container

    def container(self):
        return self.driver.get_container(container_name=self.name)

    def look(self, key):
        return self.driver.get_object(container_name=self.name, object_name=key)

    def checked_look(self, key, conditions):
        found = self.look(key)
        check_read(conditions, self.etag(found), key)
        return found

    def check(self):
        """Is the container there, and are we let in?"""
        self.container()
        try:
            # Some drivers take a refusal for a container; a look at what is not there tells.
            self.look("coffer-health")
        except ObjectDoesNotExistError:
            return

    def entry(self, found):
        """What is known of an object."""
        return {
            "size": int(found.size), "etag": self.etag(found), "mtime": moment(found.extra),
            "type": found.extra.get("content_type"), "meta": texts(found.meta_data),
        }

    def etag(self, found):
        return found.hash or ""

    def open(self, key, range_, conditions):
        """The object, which bytes of it follow, the first piece, and an iterator of the others."""
        for turn in range(20):
            found = self.checked_look(key, conditions)
            start, end = resolve(range_, int(found.size))
            pieces = self.pieces(found, start, end) if end > start else iter(())
            try:
                return found, start, end, next(pieces, b""), pieces
            except Changed:
                if turn == 19:
                    raise

    def pieces(self, found, start, end):
        try:
            if start == 0 and end == found.size:
                pieces = self.driver.download_object_as_stream(found, chunk_size=PIECE)
            else:
                pieces = self.driver.download_object_range_as_stream(found, start, end, chunk_size=PIECE)
            yield from self.checked(found, pieces)
        except NotImplementedError:
            yield from between(self.driver.download_object_as_stream(found, chunk_size=PIECE), start, end)

    def checked(self, found, pieces):
        """The pieces of an answer, which must be of the version that was looked at."""
        first = True
        for piece in pieces:
            if first and found.hash:
                seen = answered(self.driver, "etag")
                if seen and seen.strip('"') != found.hash:
                    raise Changed("changed", f"{found.name} changed while it was opened")
            first = False
            yield piece

    def put(self, key, path, size, kind, metadata):
        extra = {"content_type": kind or "application/octet-stream"}
        if metadata:
            extra["meta_data"] = metadata
        uploaded = self.upload(key, path, size, extra)
        found = self.look(key)
        if uploaded.hash and found.hash and uploaded.hash != found.hash:
            # Somebody else's is there by now: this tells of ours.
            return {"size": size, "etag": uploaded.hash, "mtime": None, "type": kind, "meta": metadata}
        return self.entry(found)

    def upload(self, key, path, size, extra):
        return self.driver.upload_object(path, self.container(), key, extra=extra)

    def remove(self, key, strict):
        try:
            found = self.look(key)
            if not self.driver.delete_object(found):
                raise Failure("backend_error", f"the provider does not remove {key}", retryable=True)
        except ObjectDoesNotExistError:
            if strict:
                raise

    def objects(self, prefix, after):
        """What is there, in whatever order: name, size, time and tag."""
        for found in self.driver.iterate_container_objects(self.container(), prefix=prefix or None):
            name = encoded(found.name)
            if name is not None:
                yield name, int(found.size), moment(found.extra), self.etag(found)

    def page(self, prefix, delimiter, after, limit):
        """The first entries after a place, in byte order, and whether there may be more."""
        prefix, delimiter, after = prefix.encode(), delimiter.encode(), after.encode()
        rows = self.grouped(prefix, delimiter, after)
        if self.is_sorted:
            found = []
            for row in rows:
                if found and row[0] <= found[-1][0]:
                    # Not what was said of this kind of provider: then all is read, and sorted here.
                    self.is_sorted = False
                    return self.page(prefix.decode(), delimiter.decode(), after.decode(), limit)
                if len(found) == limit:
                    return found, True
                found.append(row)
            return found, False
        found = heapq.nsmallest(limit + 1, rows, key=lambda row: row[0])
        return found[:limit], len(found) > limit

    def grouped(self, prefix, delimiter, after):
        """Names after a place, those that share the part up to a delimiter as one."""
        groups = set()
        for name, size, time, tag in self.objects(prefix.decode(), after.decode()):
            if not name.startswith(prefix):
                continue
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            if end >= 0:
                name = name[:end + len(delimiter)]
                if name in groups or name <= after:
                    continue
                groups.add(name)
                yield name, -1, None, None
            elif name > after:
                yield name, size, time, tag


class S3Store(Store):
    """Amazon S3 and those that speak its protocol: a listing may start anywhere."""

    is_sorted = True

    def __init__(self, driver, container):
        super().__init__(driver, container)
        self.ask_for_container = driver.get_container
        self.known = None
        # A look at an object is one at its container each time, and only the name is ever used of it.
        driver.get_container = self.container_by_name

    def container_by_name(self, container_name):
        if container_name != self.name:
            return self.ask_for_container(container_name)
        if self.known is None:
            self.known = self.ask_for_container(container_name)
        return self.known

    def check(self):
        self.known = None
        super().check()

    def remove(self, key, strict):
        if strict:
            super().remove(key, strict)
            return
        found = Object(key, 0, None, {}, {}, self.container(), self.driver)
        try:
            if not self.driver.delete_object(found):
                raise Failure("backend_error", f"the provider does not remove {key}", retryable=True)
        except ObjectDoesNotExistError:
            return

    def upload(self, key, path, size, extra):
        if size <= SINGLE or not getattr(self.driver, "supports_s3_multipart_upload", False):
            return super().upload(key, path, size, extra)
        with open(path, "rb") as file:
            return self.driver.upload_object_via_stream(
                iter(lambda: file.read(4 << 20), b""), self.container(), key, extra=extra)

    def objects(self, prefix, after):
        connection = self.driver.connection
        request = connection.request

        def asking(action, params=None, **more):
            return request(action, params={"marker": after, **(params or {})} if after and self.is_sorted else params, **more)

        connection.request = asking
        try:
            yield from super().objects(prefix, after)
        finally:
            del connection.request

    def grouped(self, prefix, delimiter, after):
        """As many keys as a page has are read past a group; then the store is asked for what comes after it."""
        if not delimiter or not self.is_sorted:
            yield from super().grouped(prefix, delimiter, after)
            return
        start = after
        if after.endswith(delimiter) and len(after) > len(prefix):
            start = past(after)
        while start is not None:
            again = None
            group, skipped = None, 0
            for name, size, time, tag in self.objects(prefix.decode(), start.decode()):
                if not name.startswith(prefix) or name <= start:
                    continue
                end = name.find(delimiter, len(prefix))
                if end < 0:
                    if name > after:
                        yield name, size, time, tag
                    continue
                name = name[:end + len(delimiter)]
                if name != group:
                    group, skipped = name, 0
                    if name > after:
                        yield name, -1, None, None
                    continue
                skipped += 1
                if skipped == 1000:
                    again = past(group)
                    break
            start = again


class LocalStore(Store):
    """Libcloud's driver for a directory, which follows links, reads whole files, and trips over its neighbours."""

    def path(self, key):
        """Where an object lies; never outside of the container."""
        root = os.path.realpath(self.driver.get_container_cdn_url(self.container(), check=True))
        path = os.path.join(root, key)
        if os.path.realpath(path) != path:
            raise Failure("permission_denied", f"a symbolic link stands in the path of {key}, and links are not followed")
        return path

    def look(self, key):
        self.path(key)
        try:
            return super().look(key)
        except (ObjectDoesNotExistError, ObjectError):
            # A directory is no object either.
            raise ObjectDoesNotExistError(None, self.driver, key) from None

    def etag(self, found):
        # The driver's hash is that of a time: two writes of one tick would look the same.
        return ""

    def open(self, key, range_, conditions):
        found = self.look(key)
        file = open(self.path(key), "rb", buffering=0)
        found.size = os.fstat(file.fileno()).st_size
        try:
            start, end = resolve(range_, found.size)
        except Failure:
            file.close()
            raise
        pieces = self.slices(file, start, end)
        return found, start, end, next(pieces, b""), pieces

    def slices(self, file, start, end):
        with file:
            file.seek(start)
            while start < end:
                piece = file.read(min(PIECE, end - start))
                if not piece:
                    return
                start += len(piece)
                yield piece

    def upload(self, key, path, size, extra):
        was_there = os.path.lexists(self.path(key))
        for turn in range(20):
            try:
                return super().upload(key, path, size, extra)
            except FileNotFoundError:
                # Who removed a neighbour took the directory away.
                if turn == 19:
                    raise
            except (IsADirectoryError, NotADirectoryError):
                raise Failure("already_exists", f"{key} and an object above or below it cannot both be") from None
            except OSError:
                if not was_there:
                    self.remove(key, False)
                raise

    def remove(self, key, strict):
        try:
            super().remove(key, strict)
        except OSError:
            # The object is gone; the directory above it went by another hand.
            if os.path.lexists(self.path(key)):
                raise

    def objects(self, prefix, after):
        root = self.driver.get_container_cdn_url(self.container(), check=True)
        # Not below what the prefix names; the rest is left out by name.
        top = os.path.join(root, os.path.dirname(prefix))
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name not in (".lock", ".hash")]
            for name in files:
                path = os.path.join(folder, name)
                try:
                    facts = os.stat(path, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                name = encoded(os.path.relpath(path, root))
                if name is not None and os.path.stat.S_ISREG(facts.st_mode):
                    yield name, facts.st_size, int(facts.st_mtime * 1e9), ""


def past(group):
    """A name after all that begin with a group."""
    return group + "\U0010ffff".encode()


def between(pieces, start, end):
    """A part of a stream whose beginning has to be read all the same."""
    at = 0
    for piece in pieces:
        if at + len(piece) > start and at < end:
            yield piece[max(0, start - at):end - at]
        at += len(piece)
        if at >= end:
            return


def resolve(range_, size):
    """The bytes that are asked for, in an object of a size."""
    offset, length, suffix = range_.get("offset"), range_.get("length"), range_.get("suffix")
    if suffix is not None:
        return max(0, size - suffix), size
    if offset is None:
        return 0, size
    if offset >= size and (offset or size):
        raise Failure("range_invalid", f"the range starts past the end of {size} bytes")
    return offset, size if length is None else min(size, offset + length)


def check_read(conditions, etag, key):
    wanted, unwanted = conditions.get("match"), conditions.get("none")
    if wanted and wanted != "*" and wanted != etag:
        raise Failure("precondition_failed", f"another version: {key}")
    if unwanted and unwanted in ("*", etag):
        raise Failure("not_modified", f"not modified: {key}")


def answered(driver, name):
    """A header of the driver's last answer, where its connection is Libcloud's usual one."""
    connection = getattr(getattr(driver, "connection", None), "connection", None)
    headers = getattr(getattr(connection, "response", None), "headers", None)
    return headers.get(name) if headers else None


def encoded(name):
    """The bytes of a name; none for what is no key of ours."""
    try:
        return name.encode()
    except UnicodeEncodeError:
        return None


def texts(values):
    return {str(name): str(value) for name, value in (values or {}).items() if isinstance(value, (str, int, float))}


def moment(extra):
    """Nanoseconds since 1970 of the last change; whole seconds where a provider tells it as text."""
    for name in TIMES:
        value = extra.get(name)
        if isinstance(value, (int, float)):
            return int(value * (1e6 if value > 1e11 else 1e9))
        if isinstance(value, datetime):
            return seconds(value)
        if isinstance(value, str) and value:
            return parsed(value)
    return None


def parsed(text):
    try:
        if re.match(r"\d{4}-\d\d-\d\d", text):
            return seconds(datetime.fromisoformat(re.sub(r"(\.\d+)?Z?$", "", text[:19])))
        return seconds(parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None


def seconds(value):
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    return int(value.timestamp()) * 1_000_000_000
