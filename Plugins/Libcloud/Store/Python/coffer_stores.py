"""A container of a provider, as the plugin needs it: what drivers differ in is evened out here."""

import heapq

from libcloud.storage.base import Object
from libcloud.storage.types import ObjectDoesNotExistError

from coffer_failures import Failure
from coffer_values import answered, between, check_read, encoded, moment, resolve, texts

PIECE = 256 << 10
# The most that S3 takes in one request; what is larger goes in parts.
SINGLE = 5 << 30


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
        return (found.hash or "").strip('"')

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
            yield from self.verified(found, pieces)
        except NotImplementedError:
            yield from between(self.driver.download_object_as_stream(found, chunk_size=PIECE), start, end)

    def verified(self, found, pieces):
        """The pieces of an answer; of the version that was looked at, where drivers tell."""
        return pieces

    def put(self, key, path, size, kind, metadata):
        extra = {"content_type": kind or "application/octet-stream"}
        if metadata:
            extra["meta_data"] = metadata
        uploaded = self.upload(key, path, size, extra)
        return self.entry(self.published(uploaded, self.look(key)))

    def published(self, uploaded, found):
        """What was written, out of what the upload told and what is there now."""
        return found

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

    def verified(self, found, pieces):
        first = True
        for piece in pieces:
            if first:
                seen = answered(self.driver, "etag")
                if seen and found.hash and seen.strip('"') != found.hash:
                    raise Changed("changed", f"{found.name} changed while it was opened")
            first = False
            yield piece

    def published(self, uploaded, found):
        if uploaded.hash and found.hash and uploaded.hash.strip('"') != found.hash:
            # Somebody else's is there by now, and this is to tell of ours.
            return uploaded
        return found

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


def past(group):
    """A name after all that begin with a group."""
    return group + "\U0010ffff".encode()
