"""Libcloud's driver for a directory, which follows links, reads whole files, and trips over its neighbours."""

import contextlib
import os

from libcloud.storage.drivers.local import IGNORE_FOLDERS
from libcloud.storage.types import ObjectDoesNotExistError, ObjectError

from coffer_failures import Failure
from coffer_stores import PIECE, Store
from coffer_values import encoded, resolve


class LocalStore(Store):
    """A container that is a directory; nothing outside of it is ever touched."""

    is_sorted = True

    def root(self):
        return os.path.realpath(self.driver.get_container_cdn_url(self.container(), check=True))

    def path(self, key):
        """Where an object lies."""
        path = os.path.join(self.root(), key)
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
                    # What went wrong first is what is told.
                    with contextlib.suppress(Exception):
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
        root = self.root()
        # No further up than the prefix names; the rest is left out by name.
        folder = os.path.dirname(prefix)
        top = os.path.join(root, folder) if folder else root
        # No key begins with a link, or with a way out.
        if os.path.realpath(top) != top or folder and any(part in ("", ".", "..") for part in folder.split("/")):
            return
        yield from self.walk(top, folder.encode() + b"/" if folder else b"", after.encode())

    def walk(self, folder, base, after):
        """The files below a folder after a name, in byte order: a folder comes where its name with a slash does."""
        found = []
        # It may go while the listing goes on.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                name = encoded(entry.name)
                if name is None or entry.name in IGNORE_FOLDERS:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    found.append((base + name + b"/", entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append((base + name, entry.path))
        for name, path in sorted(found):
            if name.endswith(b"/"):
                if name >= after or after.startswith(name):
                    yield from self.walk(path, name, after)
            elif name > after:
                with contextlib.suppress(FileNotFoundError):
                    facts = os.stat(path, follow_symlinks=False)
                    yield name, facts.st_size, int(facts.st_mtime * 1e9), ""
