"""Every verb as a request and a way to read its answer, without any I/O.

The blocking and the asyncio client run the same calls.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Callable, Dict, Generic, Iterable, List, Mapping, Tuple, TypeVar, Union
from urllib.parse import unquote

from . import _wire
from .errors import Internal, InvalidArgument, error_from_answer, error_from_problem
from .model import Container, Deletion, Document, Link, Object, Page, PrefixDeletion, StorageInfo, parse_time

T_co = TypeVar("T_co", covariant=True)
FieldList = List[Tuple[str, str]]
Checksums = Mapping[str, Union[str, bytes]]
Tag = Union[str, Iterable[str]]

KEEP: Any = type("Keep", (), {"__repr__": lambda self: "KEEP"})()
"""For a change of metadata: leave it as it is."""

_DIGESTS = {"sha256": "sha-256", "sha512": "sha-512", "crc32c": "crc32c", "md5": "md5"}
_CONTENT = {
    "content_type": "Content-Type",
    "content_encoding": "Content-Encoding",
    "content_disposition": "Content-Disposition",
    "content_language": "Content-Language",
    "cache_control": "Cache-Control",
}


class Call(Generic[T_co]):
    """A request whose body is there as a whole, and what its answer means."""

    __slots__ = ("body", "fields", "method", "once", "raw", "read", "target")

    def __init__(
        self,
        method: str,
        target: str,
        read: Callable[[Any], T_co],
        *,
        fields: FieldList | None = None,
        body: bytes | None = None,
        raw: bool = False,
        once: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.fields = fields or []
        self.body = body
        self.read = read
        # Whether `read` takes the bytes of the answer as they are, and not as JSON.
        self.raw = raw
        # Whether a deletion fails where it was done before.
        self.once = once

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET" or self.method == "HEAD"

    @property
    def is_repeatable(self) -> bool:
        """Whether doing it twice does the same as doing it once."""
        if self.is_safe:
            return True
        if self.method == "DELETE":
            return not self.once and not any(name == "If-Match" for name, _ in self.fields)
        return self.method == "PUT" and any(name == "Idempotency-Key" for name, _ in self.fields)

    def head(self) -> bytes:
        """The request's head as bytes."""
        framing = "" if self.body is None else f"Content-Length: {len(self.body)}\r\n"
        return _wire.request_head(self.method, self.target, self.fields, framing)

    def result(self, head: _wire.Head, body: bytes) -> T_co:
        """What the answer means; raises what it tells if it is a failure."""
        check(head, body)
        if self.raw:
            return self.read(body)
        try:
            return self.read(json.loads(body) if body else None)
        except (ValueError, KeyError, TypeError) as error:
            raise Internal(f"the answer to {self.method} {self.target} is not understood: {error!r}") from error


def check(head: _wire.Head, body: bytes) -> None:
    """Raises what an answer tells if it is a failure."""
    if head.status >= 300:
        if head.status == 304:
            raise error_from_problem({"code": "not_modified", "detail": "the object has not changed"}, 304)
        raise error_from_answer(head.status, body, head.fields.get("retry-after"))


def base(storage: str) -> str:
    """The path of a storage."""
    return f"/v1/storages/{_wire.component(storage)}"


# Fields


def match_fields(if_match: Tag | None = None, if_none_match: Tag | None = None) -> FieldList:
    """Conditions as fields; `*` stands for any object."""
    fields: FieldList = []
    for name, tags in (("If-Match", if_match), ("If-None-Match", if_none_match)):
        if tags is not None:
            words = [tags] if isinstance(tags, str) else list(tags)
            fields.append((name, "*" if words == ["*"] else ", ".join(f'"{word}"' for word in words)))
    return fields


def write_fields(
    *,
    if_match: Tag | None = None,
    if_none_match: Tag | None = None,
    metadata: Mapping[str, str] | None = None,
    checksums: Checksums | None = None,
    idempotency_key: str | None = None,
    **content: str | None,
) -> FieldList:
    """On which terms an object is written, as fields."""
    fields = [(_CONTENT[name], value) for name, value in content.items() if value is not None]
    for name, value in (metadata or {}).items():
        fields.append(("Coffer-Meta-" + _wire.checked_name(name), _wire.field_text(value)))
    fields += match_fields(if_match, if_none_match)
    if checksums:
        fields.append(("Content-Digest", ", ".join(_digest(*item) for item in checksums.items())))
    if idempotency_key is not None:
        fields.append(("Idempotency-Key", idempotency_key))
    return fields


def _digest(algorithm: str, value: str | bytes) -> str:
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
    except ValueError as error:
        raise InvalidArgument(f"the {algorithm} checksum is not hexadecimal") from error
    # A word that we do not know is the host's to refuse.
    return f"{_DIGESTS.get(algorithm, algorithm)}=:{base64.b64encode(raw).decode()}:"


def range_field(offset: int, length: int | None, suffix: int | None) -> str | None:
    """The value of `Range`; None where it is all."""
    if suffix is not None:
        if offset or length is not None:
            raise InvalidArgument("a suffix goes with neither offset nor length")
        if suffix < 0:
            raise InvalidArgument("a suffix is not negative")
        return f"bytes=-{suffix}"
    if offset < 0:
        raise InvalidArgument("an offset is not negative; suffix= reads from the end")
    if length is None:
        return f"bytes={offset}-" if offset else None
    if length <= 0:
        raise InvalidArgument("a range of no bytes cannot be read")
    return f"bytes={offset}-{offset + length - 1}"


# Objects


def get(storage: str, key: str, fields: FieldList, version: str | None = None) -> Call[bytes]:
    """A read."""
    question = "" if version is None else _wire.query([("version", version)])
    return Call("GET", _wire.key_target(base(storage), "objects", key, question), bytes, fields=fields, raw=True)


def put_target(storage: str, key: str, on_conflict: str | None) -> str:
    """Where a PUT goes."""
    question = "" if on_conflict is None else _wire.query([("on_conflict", on_conflict)])
    return _wire.key_target(base(storage), "objects", key, question)


def create_target(storage: str, filename: str | None, location: str | None) -> str:
    """Where a POST goes that makes the key."""
    question = _wire.query([("filename", filename), ("location", location or None)])
    return f"{base(storage)}/objects" + (f"?{question}" if question else "")


def put(method: str, target: str, body: bytes, fields: FieldList) -> Call[Object]:
    """A write of bytes that are there as a whole."""
    return Call(method, target, Object, fields=fields, body=body)


def stat(storage: str, key: str, version: str | None, if_match: Tag | None, if_none_match: Tag | None) -> Call[Object]:
    """What is known of an object."""
    target = _wire.key_target(base(storage), "stat", key, _wire.query([("version", version)]))
    return Call("GET", target, Object, fields=match_fields(if_match, if_none_match))


def change(
    storage: str, key: str, if_match: Tag | None, metadata: Mapping[str, str | None] | None, content: Document
) -> Call[Object]:
    """A change of metadata."""
    document = {name: value for name, value in content.items() if value is not KEEP}
    if metadata:
        document["metadata"] = dict(metadata)
    target = _wire.key_target(base(storage), "stat", key)
    return Call("PATCH", target, Object, **_json(document, match_fields(if_match)))


def delete(storage: str, key: str, version: str | None, if_match: Tag | None) -> Call[None]:
    """A deletion of one object."""
    target = _wire.key_target(base(storage), "objects", key, _wire.query([("version", version)]))
    return Call("DELETE", target, _nothing, fields=match_fields(if_match))


def delete_many(storage: str, keys: Iterable[str | tuple[str, str]]) -> Call[list[Deletion]]:
    """A deletion of many objects."""
    items = [key if isinstance(key, str) else {"key": key[0], "if_match": key[1]} for key in keys]
    return Call("POST", f"{base(storage)}/delete", _deletions, **_json({"keys": items}))


def delete_prefix(storage: str, prefix: str, dry_run: bool, force: bool) -> Call[PrefixDeletion]:
    """A deletion of everything below a prefix."""
    flags = [("dry_run", "true" if dry_run else None), ("force", "true" if force else None)]
    question = _wire.query([("prefix", prefix), *flags])
    return Call("DELETE", f"{base(storage)}/objects?{question}", PrefixDeletion)


def transfer(
    verb: str,
    storage: str,
    document: Document,
    if_match: Tag | None = None,
    if_none_match: Tag | None = None,
) -> Call[Object]:
    """Copy, move or duplicate."""
    document = {name: value for name, value in document.items() if value is not None}
    return Call("POST", f"{base(storage)}/{verb}", Object, **_json(document, match_fields(if_match, if_none_match)))


def url(storage: str, key: str) -> Call[str]:
    """The public URL of an object."""
    return Call("GET", _wire.key_target(base(storage), "url", key), lambda document: str(document["url"]))


def link(storage: str, document: Document) -> Call[Link]:
    """A signed URL."""
    document = {name: value for name, value in document.items() if value is not None}
    return Call("POST", f"{base(storage)}/links", _link, **_json(document))


def list_target(storage: str, items: Iterable[tuple[str, str | None]]) -> str:
    """Where a listing is asked for."""
    question = _wire.query([(name, value or None) for name, value in items])
    return f"{base(storage)}/objects" + (f"?{question}" if question else "")


def page(storage: str, items: Iterable[tuple[str, str | None]]) -> Call[Page]:
    """A part of a listing."""
    return Call("GET", list_target(storage, items), _page)


def containers(storage: str) -> Call[list[Container]]:
    """The containers of a store."""
    return Call(
        "GET", f"{base(storage)}/containers", lambda document: [Container(item) for item in document["containers"]]
    )


def container(method: str, storage: str, name: str) -> Call[None]:
    """A new container, or the end of one."""
    return Call(method, f"{base(storage)}/containers/{_wire.component(name)}", _nothing, once=True)


# The host


def ask(target: str) -> Call[Document]:
    """A question whose answer is a document."""
    return Call("GET", target, _document)


def tell(target: str) -> Call[Document]:
    """An order whose answer is a document."""
    return Call("POST", target, _document, body=b"")


def storages() -> Call[list[StorageInfo]]:
    """All storages."""
    return Call("GET", "/v1/storages", lambda document: [StorageInfo(item) for item in document["storages"]])


def storage_info(storage: str, probe: bool = False) -> Call[StorageInfo]:
    """One storage."""
    return Call("GET", base(storage) + ("?probe=true" if probe else ""), StorageInfo)


def make_storage(storage: str, settings: Document) -> Call[StorageInfo]:
    """A storage that goes with the host."""
    return Call("PUT", base(storage), StorageInfo, **_json(settings))


def drop_storage(storage: str) -> Call[None]:
    """The end of such a storage."""
    return Call("DELETE", base(storage), _nothing, once=True)


# Reading answers


def object_of_head(head: _wire.Head, key: str, size: int | None) -> Object:
    """The object that the head of a GET tells of."""
    fields = head.fields
    document: Dict[str, Any] = {
        "storage": unquote(fields.get("coffer-storage", "")),
        "backend": unquote(fields.get("coffer-backend", "")),
        "key": key,
        "size": size,
        "etag": fields["etag"].strip('"') if "etag" in fields else None,
        "version": unquote(fields["coffer-version"]) if "coffer-version" in fields else None,
        "modified": fields.get("coffer-modified"),
        "created": fields.get("coffer-created"),
        "checksum": None,
        "metadata": {name[12:]: unquote(value) for name, value in fields.items() if name.startswith("coffer-meta-")},
        "generation": int(fields.get("coffer-generation", "0") or 0),
    }
    for name, field in _CONTENT.items():
        document[name] = fields.get(field.lower())
    algorithm, equals, value = fields.get("coffer-checksum", "").partition("=")
    if equals:
        document["checksum"] = {"algorithm": algorithm, "value": value}
    return Object(document)


def _json(document: Document, fields: FieldList | None = None) -> Dict[str, Any]:
    try:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"not Unicode text: {error.object!r}") from error
    return {"fields": [("Content-Type", "application/json"), *(fields or [])], "body": body}


def _nothing(_: Any) -> Any:
    return None


def _document(document: Any) -> Document:
    return dict(document)


def _deletions(document: Any) -> list[Deletion]:
    return [
        Deletion(item["key"], error_from_problem(item["problem"]) if item.get("problem") else None)
        for item in document["results"]
    ]


def _page(document: Any) -> Page:
    objects = [Object(item) for item in document["objects"]]
    return Page(objects, document["prefixes"], document.get("cursor"))


def _link(document: Any) -> Link:
    headers = document.get("required_headers") or {}
    return Link(document["url"], document["method"], headers, parse_time(document.get("expires_at")))
