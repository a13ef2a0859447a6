"""HTTP/1.1 as the host speaks it, without any I/O: request heads as bytes, answer heads as facts.

Both the blocking and the asyncio client stand on this module. It knows the grammar and no meaning.
"""

from __future__ import annotations

import re
from typing import Iterable, Sequence
from urllib.parse import quote

from .errors import Internal, InvalidArgument, InvalidKey

Fields = Sequence["tuple[str, str]"]

# Keys that travel in a path as they are: no byte to encode, and no segment that something on the way might normalise.
_SEGMENT = r"(?!\.{0,2}(?:/|\Z))[A-Za-z0-9\-._~!$&'()*+,;=:@]+"
_PLAIN_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*\Z").match
_ODD_SEGMENT = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)").search
_PATH = "/!$&'()*+,;=:@"
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+\Z").match
_FIELD_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*\Z").match
# Visible ASCII but the percent sign.
_VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")

# The most that a head may have, ours and the host's.
HEAD_LIMIT = 64 << 10


def component(text: str) -> str:
    """`text` as a name or a value of a query, or as one segment."""
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"not Unicode text: {text!r}") from error


def field_text(text: str) -> str:
    """`text` as the value of a field that is percent-encoded UTF-8."""
    try:
        return quote(text, safe=_VISIBLE)
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"not Unicode text: {text!r}") from error


def key_target(base: str, kind: str, key: str, query: str = "") -> str:
    """The raw target of a key: `kind` is `objects`, `stat` or `url`.

    A key travels in the query whenever a segment of it is empty, `.` or `..`.
    """
    if _PLAIN_KEY(key):
        return f"{base}/{kind}/{key}?{query}" if query else f"{base}/{kind}/{key}"
    try:
        if _ODD_SEGMENT(key):
            more = f"&{query}" if query else ""
            return f"{base}/{'object' if kind == 'objects' else kind}?key={quote(key, safe='')}{more}"
        return f"{base}/{kind}/{quote(key, safe=_PATH)}" + (f"?{query}" if query else "")
    except UnicodeEncodeError as error:
        raise InvalidKey(f"the key is not Unicode text: {key!r}") from error


def query(items: Iterable[tuple[str, str | None]]) -> str:
    """A query of the items that have a value."""
    return "&".join(f"{name}={component(value)}" for name, value in items if value is not None)


def checked_name(name: str) -> str:
    """`name`, if a field may be called so."""
    if not _FIELD_NAME(name):
        raise InvalidArgument(f"the metadata name {name!r} has more than letters, digits, -, _ and .")
    return name


def request_head(method: str, target: str, fields: Fields, framing: str = "") -> bytes:
    """The head of a request; `framing` is a whole line that says how long the body is."""
    if not fields:
        return f"{method} {target} HTTP/1.1\r\nHost: coffer\r\n{framing}\r\n".encode()
    lines = [f"{method} {target} HTTP/1.1\r\nHost: coffer\r\n"]
    for name, value in fields:
        if not _FIELD_VALUE(value):
            raise InvalidArgument(f"{name.lower()} has a control character")
        lines.append(f"{name}: {value}\r\n")
    lines.append(framing)
    lines.append("\r\n")
    try:
        return "".join(lines).encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"a field is not Unicode text: {error.object!r}") from error


class Malformed(Exception):
    """What came is not an answer of a host."""

    def explained(self, path: str) -> Internal:
        """The exception for callers."""
        return Internal(f"what answers at {path} does not speak HTTP as a host does: {self}")


class Head:
    """The head of an answer; fields are taken apart when somebody asks for them."""

    __slots__ = ("_fields", "_raw", "chunked", "close", "fd", "length", "status")

    def __init__(self, raw: bytes) -> None:
        """Reads a head that ends before its empty line."""
        if raw[:9] != b"HTTP/1.1 " or not raw[9:12].isdigit() or raw[12:13] not in (b" ", b"\r", b""):
            raise Malformed(f"it begins with {raw[:24]!r}")
        self.status = int(raw[9:12])
        self.fd = -1
        self._raw = raw
        self._fields: dict[str, str] | None = None
        # The host's own spelling is found without taking everything apart; any other spelling is taken apart.
        at = raw.find(b"\r\nContent-Length: ")
        if at >= 0 and b"\r\nTransfer-Encoding" not in raw and b"\r\nConnection" not in raw:
            start = at + 18
            end = raw.find(b"\r\n", start)
            digits = raw[start:end] if end >= 0 else raw[start:]
            if digits.isdigit():
                self.length, self.chunked, self.close = int(digits), False, False
                return
        self._frame()

    def _frame(self) -> None:
        fields = self.fields
        self.close = "close" in fields.get("connection", "").lower()
        coding = fields.get("transfer-encoding", "").strip().lower()
        self.chunked = coding == "chunked"
        if coding and not self.chunked:
            raise Malformed(f"it answers in the coding {coding!r}")
        length = fields.get("content-length")
        if self.status < 200 or self.status in (204, 304) or (length is None and self.chunked):
            self.length = 0
            return
        if length is None or not length.isdigit() or not length.isascii():
            raise Malformed("its answer does not say how long it is")
        self.length = int(length)

    @property
    def fields(self) -> dict[str, str]:
        """All fields, their names in lower case."""
        if self._fields is None:
            found: dict[str, str] = {}
            for line in self._raw.split(b"\r\n")[1:]:
                name, colon, value = line.partition(b":")
                if not colon or not name:
                    raise Malformed(f"its head has the line {line[:40]!r}")
                text = value.strip(b" \t").decode("utf-8", "replace")
                word = name.decode("ascii", "replace").lower()
                if word == "content-length" and found.get(word, text) != text:
                    raise Malformed("it says two lengths")
                found[word] = text
            self._fields = found
        return self._fields

    def passed(self) -> tuple[int, int] | None:
        """`Coffer-Fd`: offset and length of the object in the descriptor beside this head; None without one."""
        if b"\r\nCoffer-Fd: " not in self._raw and "coffer-fd" not in self.fields:
            return None
        parts: dict[str, int] = {}
        for item in self.fields["coffer-fd"].split(";"):
            name, _, digits = item.strip().partition("=")
            if not digits.isdigit():
                raise Malformed(f"its coffer-fd is {self.fields['coffer-fd']!r}")
            parts[name.lower()] = int(digits)
        if set(parts) != {"offset", "length"}:
            raise Malformed(f"its coffer-fd is {self.fields['coffer-fd']!r}")
        return parts["offset"], parts["length"]

    def content_range(self) -> tuple[int, int, int | None] | None:
        """First byte, the one after the last, and the whole size that `Content-Range` tells; None without one."""
        found = re.match(r"bytes (\d+)-(\d+)/(\d+|\*)\Z", self.fields.get("content-range", ""))
        if not found:
            return None
        first, last, size = found.groups()
        return int(first), int(last) + 1, None if size == "*" else int(size)
