"""Uploads: at once, of a resource and bytes together, and in sessions that take chunks."""

import json
import re
from email.parser import BytesParser

from objects import CHUNK_STEP, Conditions, Refused
from routing import route
from wire import Answer, Broken

ROUTES = []


@route("POST", r"/upload/storage/v1/b/([^/]+)/o", "write", routes=ROUTES)
def upload(double, request, bucket):
    query, kind = request.query, request.headers.get("content-type", "")
    match query.get("uploadType"):
        case "media":
            resource, data = {"name": query.get("name"), "contentType": kind or None}, request.body()
        case "multipart":
            resource, data = related_parts(kind, request.body())
        case "resumable":
            resource = request.json()
            resource.setdefault("contentType", request.headers.get("x-upload-content-type"))
            announced = request.headers.get("x-upload-content-length")
            name = resource.get("name") or query.get("name")
            identity = double.store.begin(bucket, name, resource, query, int(announced) if announced else None)
            location = f"{request.base}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={identity}"
            return Answer(200, b"", {"Location": location, "X-GUploader-UploadID": identity})
        case _:
            raise Refused(400, "badRequest", "Unknown uploadType")
    given = digests(request)
    if request.fault.get("spoil") and data:
        data = bytes([data[0] ^ 1]) + data[1:]
    made = double.store.publish(
        bucket, resource.get("name") or query.get("name"), data, given | resource, Conditions(query),
    )
    return Answer(200, made.resource(request.base))


def digests(request):
    """What the header `X-Goog-Hash` claims, as members of a resource."""
    claims = {}
    for claim in request.headers.get("x-goog-hash", "").split(","):
        name, _, value = claim.strip().partition("=")
        if name in ("crc32c", "md5"):
            claims["crc32c" if name == "crc32c" else "md5Hash"] = value
    return claims


def related_parts(kind, body):
    """The resource and the bytes of a body `multipart/related`."""
    match = re.search(r'boundary="?([^";]+)"?', kind)
    if match is None:
        raise Refused(400, "badContent", "Missing boundary")
    mark = b"--" + match.group(1).encode()
    begin = body.index(mark) + len(mark)
    middle = body.index(b"\r\n" + mark, begin)
    end = body.rindex(b"\r\n" + mark + b"--")
    if end <= middle:
        raise Refused(400, "badContent", "Missing media part")
    _, _, document = body[begin:middle].partition(b"\r\n\r\n")
    head, _, data = body[middle + 2 + len(mark) : end].partition(b"\r\n\r\n")
    resource = json.loads(document)
    part_kind = BytesParser().parsebytes(head.strip() + b"\r\n\r\n", headersonly=True).get("content-type")
    resource.setdefault("contentType", part_kind)
    return resource, data


@route("PUT", r"/upload/storage/v1/b/([^/]+)/o", routes=ROUTES)
def chunk(double, request, bucket):
    session = double.store.session(request.query.get("upload_id"))
    with session.lock:
        return take_chunk(double, request, session)


def take_chunk(double, request, session):
    field = request.headers.get("content-range")
    if field is None:
        length = int(request.headers.get("content-length", 0))
        field = f"bytes 0-{length - 1}/{length}" if length else "bytes */0"
    match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", field)
    if match is None:
        raise Refused(400, "badContent", "Invalid Content-Range")
    first, last, total = match.groups()
    if session.made is not None:
        request.body()
        return Answer(200, session.made.resource(request.base))
    fault = request.fault
    if first is not None:
        start, position = int(first), int(first)
        if start > len(session.data):
            raise Refused(503, "backendError", f"Bytes {len(session.data)} to {start} are missing")
        length, taken = int(last) - start + 1, 0
        for piece in request.pieces():
            if "break" in fault and taken + len(piece) > length * fault["break"]:
                # What came so far is kept, in whole steps, and the connection is cut.
                del session.data[len(session.data) // CHUNK_STEP * CHUNK_STEP :]
                raise Broken
            # Bytes that are kept already are ignored.
            fresh = piece[max(0, len(session.data) - position) :]
            session.data += fresh
            position += len(piece)
            taken += len(piece)
        if taken != length:
            raise Refused(400, "badContent", "The body has another length than Content-Range says")
        if total == "*" and length % CHUNK_STEP:
            raise Refused(400, "badContent", "A chunk that is not the last must be a multiple of 256 KiB")
    if total == "*" or len(session.data) < int(total):
        return kept(session)
    if len(session.data) != int(total) or session.announced not in (None, int(total)):
        raise Refused(400, "badContent", "The object has another length than was announced")
    if fault.get("spoil"):
        session.data[0] ^= 1
    session.made = double.store.publish(
        session.bucket, session.name, bytes(session.data), session.resource | digests(request), session.conditions,
    )
    session.data = bytearray()
    return Answer(200, session.made.resource(request.base))


def kept(session):
    headers = {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
    return Answer(308, b"", headers)


@route("DELETE", r"/upload/storage/v1/b/([^/]+)/o", routes=ROUTES)
def end_session(double, request, bucket):
    identity = request.query.get("upload_id")
    double.store.session(identity)
    with double.store.lock:
        del double.store.sessions[identity]
    return Answer(499)
