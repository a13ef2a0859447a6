"""What the host tells: objects, pages, storages. Each is a thin view of the JSON that came."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Union

from .errors import CofferError, error_from_problem

Document = Dict[str, Any]

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z\Z").match


def parse_time(text: str | None) -> datetime | None:
    """A time of the wire (RFC 3339 in UTC), as precise as `datetime` can be; None where it is unknown."""
    found = _TIME(text) if text else None
    if not found:
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micro, tzinfo=timezone.utc)


class Checksum(NamedTuple):
    """The digest of a whole object."""

    algorithm: str
    """`sha256`, `sha512`, `crc32c` or `md5`."""
    value: str
    """In hexadecimal."""


class View:
    """A view of a JSON document; equal where the documents are."""

    __slots__ = ("document",)

    def __init__(self, document: Document) -> None:
        self.document = document
        """The document as it came, with members that this version may not know."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, View) and other.document == self.document

    def __hash__(self) -> int:
        return hash(repr(self.document))

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={value!r}" for name, value in self.document.items() if value is not None)
        return f"{type(self).__name__}({words})"

    def _text(self, name: str) -> Optional[str]:
        value = self.document.get(name)
        return value if isinstance(value, str) else None


class Object(View):
    """An object and where it lies. What is unknown is None: a listing knows less than a stat."""

    __slots__ = ()

    is_prefix = False

    @property
    def key(self) -> str:
        """The key under which it really lies."""
        return str(self.document["key"])

    @property
    def storage(self) -> str:
        """The storage's name."""
        return str(self.document.get("storage", ""))

    @property
    def backend(self) -> str:
        """The backend's id."""
        return str(self.document.get("backend", ""))

    @property
    def size(self) -> int | None:
        """Bytes."""
        size = self.document.get("size")
        return size if isinstance(size, int) else None

    @property
    def etag(self) -> str | None:
        """Names this version, for `if_match` and `if_none_match`."""
        return self._text("etag")

    @property
    def version(self) -> str | None:
        """The version's id, where the storage keeps versions."""
        return self._text("version")

    @property
    def modified(self) -> datetime | None:
        """When it was last written."""
        return parse_time(self._text("modified"))

    @property
    def created(self) -> datetime | None:
        """When it was first written."""
        return parse_time(self._text("created"))

    @property
    def content_type(self) -> str | None:
        """The media type."""
        return self._text("content_type")

    @property
    def content_encoding(self) -> str | None:
        """The coding of the stored bytes."""
        return self._text("content_encoding")

    @property
    def content_disposition(self) -> str | None:
        """How a download presents itself."""
        return self._text("content_disposition")

    @property
    def content_language(self) -> str | None:
        """The audience's language."""
        return self._text("content_language")

    @property
    def cache_control(self) -> str | None:
        """What caches may do."""
        return self._text("cache_control")

    @property
    def checksum(self) -> Checksum | None:
        """The digest of the whole object."""
        value = self.document.get("checksum")
        return Checksum(value["algorithm"], value["value"]) if value else None

    @property
    def metadata(self) -> Mapping[str, str]:
        """The names and values of the application."""
        return self.document.get("metadata") or {}

    @property
    def generation(self) -> int:
        """The generation of the configuration that answered."""
        return int(self.document.get("generation") or 0)


class Prefix(NamedTuple):
    """What keys of a listing have in common up to the delimiter."""

    key: str

    @property
    def is_prefix(self) -> bool:
        """True, where an `Object` says False."""
        return True


Entry = Union[Object, Prefix]


class Page(NamedTuple):
    """A part of a listing."""

    objects: List[Object]
    prefixes: List[str]
    cursor: Optional[str]
    """Where the next page goes on; None on the last one."""


class Deletion(NamedTuple):
    """What came of one key of a deletion of many."""

    key: str
    error: Optional[CofferError]
    """Why it is still there; None where it is gone."""


class PrefixDeletion(View):
    """What a deletion of a whole prefix did, or with a dry run would do."""

    __slots__ = ()

    @property
    def count(self) -> int:
        """How many objects."""
        return int(self.document["count"])

    @property
    def dry_run(self) -> bool:
        """Whether nothing was deleted."""
        return bool(self.document.get("dry_run"))

    @property
    def keys(self) -> list[str]:
        """The first of those deleted."""
        return list(self.document.get("keys") or [])

    @property
    def failures(self) -> list[CofferError]:
        """What could not be deleted, and why."""
        return [error_from_problem(problem) for problem in self.document.get("failures") or []]


class Link(NamedTuple):
    """A signed URL that expires."""

    url: str
    method: str
    required_headers: Mapping[str, str]
    """What a request with it must say."""
    expires_at: Optional[datetime]


class Container(View):
    """What a store calls a bucket, container or share."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["name"])

    @property
    def created(self) -> datetime | None:
        """When it was made."""
        return parse_time(self._text("created"))


class StorageInfo(View):
    """What the host tells of a storage."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The storage's name."""
        return str(self.document["name"])

    @property
    def backend(self) -> str:
        """The backend's id."""
        return str(self.document["backend"])

    @property
    def is_default(self) -> bool:
        """Whether a bare key means this storage."""
        return bool(self.document.get("default"))

    @property
    def is_ephemeral(self) -> bool:
        """Whether it was made at run time, and goes with the host."""
        return bool(self.document.get("ephemeral"))

    @property
    def state(self) -> str:
        """`open` or `failed`."""
        return str(self.document.get("state", ""))

    @property
    def problem(self) -> CofferError | None:
        """Why it cannot be used."""
        problem = self.document.get("problem")
        return error_from_problem(problem) if problem else None

    @property
    def url(self) -> str | None:
        """The base of its objects' public URLs."""
        return self._text("url")

    @property
    def capabilities(self) -> Mapping[str, Mapping[str, str | None]]:
        """What it can do: each with its `grade` (`native`, `emulated`, `none`) and the `reason`."""
        return self.document.get("capabilities") or {}

    @property
    def limits(self) -> Mapping[str, int | None]:
        """Its store's limits."""
        return self.document.get("limits") or {}

    @property
    def policy(self) -> Mapping[str, str]:
        """What the operator set, like `max_size`."""
        return self.document.get("policy") or {}

    def grade(self, capability: str) -> str:
        """How well it does this: `native`, `emulated` or `none`."""
        return (self.capabilities.get(capability) or {}).get("grade") or "none"
