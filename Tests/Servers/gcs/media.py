"""The bytes of an object, and what heads say of it."""

import gzip
import re
import zlib

from objects import Refused
from wire import Answer


def media(version, request, kind=None, disposition=None):
    """The bytes of an object, or a range of them, and what heads say of it."""
    data, encoding = version.data, version.fields.get("contentEncoding")
    headers = {
        "Content-Type": kind or version.fields.get("contentType") or "application/octet-stream",
        "ETag": version.etag, "X-Goog-Generation": version.generation, "X-Goog-Metageneration": version.metageneration,
        "X-Goog-Hash": f"crc32c={version.crc32c}" + (f",md5={version.md5}" if version.components == 1 else ""),
        "X-Goog-Storage-Class": "STANDARD", "X-Goog-Stored-Content-Length": len(version.data),
        "X-Goog-Stored-Content-Encoding": encoding or "identity", "Accept-Ranges": "bytes",
    }
    for field, header in [("contentDisposition", "Content-Disposition"), ("contentLanguage", "Content-Language"),
                          ("cacheControl", "Cache-Control")]:
        if version.fields.get(field):
            headers[header] = version.fields[field]
    if disposition:
        headers["Content-Disposition"] = disposition
    is_whole = True
    if encoding == "gzip" and "gzip" not in request.headers.get("accept-encoding", ""):
        # Whoever takes nothing packed gets it unpacked, whole.
        try:
            data, is_whole = gzip.decompress(data), False
        except (OSError, EOFError, zlib.error):
            headers["Content-Encoding"] = encoding
    elif encoding:
        headers["Content-Encoding"] = encoding
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if wanted and is_whole and any(wanted.groups()):
        size = len(data)
        if wanted.group(1):
            start, end = int(wanted.group(1)), min(int(wanted.group(2) or size), size - 1)
        else:
            start, end = max(0, size - int(wanted.group(2))), size - 1
        if start >= size or end < start:
            raise Refused(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", {"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
        answer = Answer(206, memoryview(data)[start : end + 1], headers)
    else:
        answer = Answer(200, data, headers)
    fault = getattr(request, "fault", {})
    if fault.get("corrupt") and len(answer.body):
        spoilt = bytearray(answer.body)
        spoilt[len(spoilt) // 2] ^= 1
        answer.body = spoilt
    if "cut" in fault:
        answer.cut = int(len(answer.body) * fault["cut"])
    return answer
