"""What drivers tell and what the plugin asks, made into each other."""

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from coffer_failures import Failure

TIMES = ("last_modified", "modify_time", "last-modified", "Last-Modified", "updated", "uploadTimestamp")


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
