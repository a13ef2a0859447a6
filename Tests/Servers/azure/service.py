"""The operations of Azure's Blob service, as far as programs need them for objects in containers."""

import base64
import bisect
import hashlib
import re
import urllib.parse

import documents
from access import Refused
from blobs import Blob, Container, byte_range, check_digest, check_name, check_read, check_write, metadata, properties

MOST_RESULTS = 5000


class Answer:
    def __init__(self, status, headers=(), body=b""):
        self.status, self.headers = status, dict(headers)
        self.body = body.encode() if isinstance(body, str) else body
        self.length = len(self.body)


class Service:
    def __init__(self, access, page):
        self.access, self.page = access, min(page, MOST_RESULTS)
        self.containers = {}

    def answer(self, request):
        """What is answered to a request whose resource is read already."""
        rights = self.access.check(request)
        container, name = request.resource
        restype, comp = request.query.get("restype"), request.query.get("comp")
        kind = "blob" if name else "container" if container else "account"
        if kind == "blob":
            check_name(name)
        handler = HANDLERS.get((kind, request.method, restype, comp))
        if handler is None:
            raise Refused(400, "UnsupportedHttpVerb", f"no such operation here: {request.method} {restype} {comp}")
        return handler(self, request, rights)

    def container(self, request):
        found = self.containers.get(request.resource[0])
        if found is None:
            raise Refused(404, "ContainerNotFound", "the container does not exist")
        return found

    def blob(self, request):
        found = self.container(request).blobs.get(request.resource[1])
        if found is None:
            raise Refused(404, "BlobNotFound", "the blob does not exist")
        return found

    # The account.

    def list_containers(self, request, rights):
        rights.want_account()
        rights.want("l")
        prefix = request.query.get("prefix", "")
        names = sorted(name for name in self.containers if name.startswith(prefix))
        start = bisect.bisect_left(names, documents.name_of(request.query["marker"])) if request.query.get("marker") else 0
        page = names[start:start + self.limit(request)]
        rest = names[start + len(page):]
        marker = documents.token_of(rest[0]) if rest else ""
        return xml(documents.containers([(n, self.containers[n]) for n in page], marker.replace("&", "&amp;")))

    def delegation_key(self, request, rights):
        if not rights.is_token:
            raise Refused(403, "AuthorizationFailure", "only tokens get such keys")
        document = documents.parse(request.body, "KeyInfo")
        key = self.access.delegate(document.findtext("Start"), document.findtext("Expiry") or "")
        return xml(documents.delegation_key(key))

    # Containers.

    def create_container(self, request, rights):
        rights.want_account()
        rights.want("c", "w")
        name = request.resource[0]
        if not re.fullmatch(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name):
            raise Refused(400, "InvalidResourceName", "no name of a container")
        if name in self.containers:
            raise Refused(409, "ContainerAlreadyExists", "the container exists")
        made = self.containers[name] = Container(metadata(request.headers))
        return Answer(201, {"ETag": made.etag, "Last-Modified": documents.date(made.modified)})

    def container_properties(self, request, rights):
        rights.want_account()
        rights.want("r")
        found = self.container(request)
        return Answer(200, {
            "ETag": found.etag, "Last-Modified": documents.date(found.modified),
            **{f"x-ms-meta-{k}": v for k, v in found.metadata.items()},
        })

    def delete_container(self, request, rights):
        rights.want_account()
        rights.want("d")
        self.container(request)
        del self.containers[request.resource[0]]
        return Answer(202)

    def limit(self, request):
        text = request.query.get("maxresults", str(MOST_RESULTS))
        if not text.isdigit() or int(text) == 0:
            raise Refused(400, "OutOfRangeQueryParameterValue", "maxresults")
        return min(int(text), self.page)

    def list_blobs(self, request, rights):
        rights.want("l")
        found = self.container(request)
        get = request.query.get
        prefix, delimiter = get("prefix", ""), get("delimiter", "")
        names = found.names()
        start = documents.name_of(get("marker")) if get("marker") else ""
        if get("startFrom") and request.headers.get("x-ms-version", "") >= "2026-02-06":
            start = max(start, get("startFrom"), key=str.encode)
        at = bisect.bisect_left(names, max(prefix, start, key=str.encode).encode(), key=str.encode)
        limit, items, marker = self.limit(request), [], ""
        while at < len(names) and names[at].startswith(prefix):
            name = names[at]
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            if len(items) == limit:
                marker = documents.token_of(name)
                break
            if end < 0:
                items.append((name, found.blobs[name]))
                at += 1
                continue
            common = name[:end + len(delimiter)]
            items.append((common, None))
            while at < len(names) and names[at].startswith(common):
                at += 1
        asked = {"Prefix": prefix, "Marker": get("marker"), "MaxResults": get("maxresults"), "Delimiter": delimiter}
        place = (f"http://{request.headers.get('host')}/{request.account}/", request.resource[0])
        return xml(documents.blobs(items, marker, "metadata" in get("include", "").split(","), asked, place))

    # Blobs.

    def get_blob(self, request, rights):
        rights.want("r")
        blob = self.blob(request)
        check_read(request.headers, blob)
        answer = Answer(200, facts(blob), blob.data)
        wanted = request.headers.get("x-ms-range") or request.headers.get("range")
        if request.method == "GET":
            found = byte_range(wanted, len(blob.data))
            if found:
                answer.status = 206
                answer.body = memoryview(blob.data)[found[0]:found[1]]
                answer.headers["Content-Range"] = f"bytes {found[0]}-{found[1] - 1}/{len(blob.data)}"
                digest = answer.headers.pop("Content-MD5", None)
                if digest:
                    answer.headers["x-ms-blob-content-md5"] = digest
                if request.headers.get("x-ms-range-get-content-md5") == "true":
                    answer.headers["Content-MD5"] = base64.b64encode(hashlib.md5(answer.body).digest()).decode()
        answer.length = len(answer.body)
        if request.method == "HEAD":
            answer.body = b""
        answer.headers.update(rights.overrides)
        return answer

    def put_blob(self, request, rights):
        if request.headers.get("x-ms-blob-type") != "BlockBlob":
            raise Refused(400, "InvalidHeaderValue", "only block blobs are kept here")
        container, name = self.container(request), request.resource[1]
        old = container.blobs.get(name)
        rights.want_write(old is not None)
        check_write(request.headers, old)
        if "x-ms-copy-source" in request.headers:
            return self.put_from(request, container, name)
        check_digest(request.headers, request.body, blob=True)
        described = properties(request.headers)
        described.setdefault("content-md5", base64.b64encode(hashlib.md5(request.body).digest()).decode())
        return self.publish(request, Blob(request.body, described, metadata(request.headers)))

    def publish(self, request, blob, **more):
        container, name = self.container(request), request.resource[1]
        old = container.blobs.get(name)
        blob.created = old.created if old else blob.created
        blob.tier = request.headers.get("x-ms-access-tier", blob.tier)
        container.put(name, blob)
        headers = {"ETag": blob.etag, "Last-Modified": blob.date, "x-ms-request-server-encrypted": "true"}
        if "content-md5" in blob.properties and not request.query.get("comp"):
            headers["Content-MD5"] = blob.properties["content-md5"]
        return Answer(more.get("status", 201), headers | more.get("headers", {}))

    def source(self, request):
        """The blob that a copy names, read with what its URL or its own header allow."""
        url = urllib.parse.urlsplit(request.headers["x-ms-copy-source"])
        if url.hostname not in ("127.0.0.1", "localhost"):
            raise Refused(403, "CannotVerifyCopySource", "the source is elsewhere")
        asked = request.like("GET", url.path, url.query, request.headers.get("x-ms-copy-source-authorization"))
        # A server-side copy inside one account may lean on the signature of the request itself.
        is_plain = "x-ms-requires-sync" not in request.headers and request.query.get("comp") != "block" \
            and "x-ms-blob-type" not in request.headers
        if "sig" in asked.query or "authorization" in asked.headers or not is_plain:
            try:
                self.access.check(asked).want("r")
            except Refused as refused:
                raise Refused(refused.status if refused.status != 401 else 403, "CannotVerifyCopySource",
                              f"the source: {refused.code}") from None
        try:
            found = self.blob(asked)
        except Refused as refused:
            raise Refused(404, "CannotVerifyCopySource" if refused.code == "BlobNotFound" else refused.code,
                          "the source does not exist") from None
        check_write(request.headers, found, "x-ms-source-")
        return found

    def put_from(self, request, container, name):
        source = self.source(request)
        described = dict(source.properties)
        if request.headers.get("x-ms-copy-source-blob-properties") == "false":
            described = {}
        given = properties(request.headers, plain=False)
        if described and "x-ms-blob-content-type" not in request.headers:
            given.pop("content-type")
        described |= given
        if "content-md5" in source.properties:
            described["content-md5"] = source.properties["content-md5"]
        return self.publish(request, Blob(source.data, described, metadata(request.headers)))

    def copy_blob(self, request, rights):
        """Copy Blob, and Copy Blob From URL: here both are done at once."""
        container, name = self.container(request), request.resource[1]
        old = container.blobs.get(name)
        rights.want_write(old is not None)
        check_write(request.headers, old)
        source = self.source(request)
        new = Blob(source.data, dict(source.properties), metadata(request.headers) or dict(source.metadata), source.blocks)
        new.copy = {"x-ms-copy-id": new.etag.strip('"'), "x-ms-copy-status": "success",
                    "x-ms-copy-source": request.headers["x-ms-copy-source"].partition("?")[0],
                    "x-ms-copy-progress": f"{len(source.data)}/{len(source.data)}",
                    "x-ms-copy-completion-time": new.date}
        told = {k: new.copy[k] for k in ["x-ms-copy-id", "x-ms-copy-status"]}
        return self.publish(request, new, status=202, headers=told)

    def put_block(self, request, rights):
        rights.want("c", "w")
        container, name = self.container(request), request.resource[1]
        block = request.query.get("blockid", "")
        try:
            length = len(base64.b64decode(block, validate=True))
        except ValueError:
            length = 0
        if not 0 < length <= 64:
            raise Refused(400, "InvalidQueryParameterValue", "blockid")
        pending = container.pending.get(name, {})
        if pending and len(next(iter(pending))) != len(block):
            raise Refused(400, "InvalidBlobOrBlock", "all ids of blocks have one length")
        body = request.body
        if "x-ms-copy-source" in request.headers:
            source = self.source(request).data
            wanted = request.headers.get("x-ms-source-range")
            found = byte_range(wanted, len(source)) if wanted else (0, len(source))
            if found is None:
                raise Refused(400, "InvalidHeaderValue", "x-ms-source-range")
            body = bytes(memoryview(source)[found[0]:found[1]])
        elif not body:
            raise Refused(400, "InvalidHeaderValue", "a block has bytes")
        check_digest(request.headers, body)
        container.pending.setdefault(name, {})[block] = body
        return Answer(201, {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})

    def put_block_list(self, request, rights):
        container, name = self.container(request), request.resource[1]
        old = container.blobs.get(name)
        rights.want_write(old is not None)
        check_write(request.headers, old)
        check_digest(request.headers, request.body)
        pending = container.pending.get(name, {})
        committed, at = {}, 0
        for block, size in old.blocks if old else []:
            committed[block] = memoryview(old.data)[at:at + size]
            at += size
        pieces, blocks = [], []
        for item in documents.parse(request.body, "BlockList"):
            places = {"Latest": [pending, committed], "Uncommitted": [pending], "Committed": [committed]}.get(item.tag, [])
            piece = next((place[item.text] for place in places if item.text in place), None)
            if piece is None:
                raise Refused(400, "InvalidBlockList", "a block is not there")
            pieces.append(piece)
            blocks.append((item.text, len(piece)))
        described = properties(request.headers, plain=False)
        return self.publish(request, Blob(b"".join(pieces), described, metadata(request.headers), blocks))

    def get_block_list(self, request, rights):
        rights.want("r")
        container, name = self.container(request), request.resource[1]
        kind = request.query.get("blocklisttype", "committed")
        old, pending = container.blobs.get(name), container.pending.get(name, {})
        if old is None and not pending:
            raise Refused(404, "BlobNotFound", "the blob does not exist")
        return xml(documents.blocks(
            old.blocks if old and kind != "uncommitted" else [],
            [(i, len(b)) for i, b in pending.items()] if kind != "committed" else [],
        ))

    def set_metadata(self, request, rights):
        return self.change(request, rights, lambda old: (old.properties, metadata(request.headers)))

    def set_properties(self, request, rights):
        return self.change(request, rights, lambda old: (properties(request.headers, plain=False), old.metadata))

    def change(self, request, rights, described):
        rights.want("w")
        old = self.blob(request)
        check_write(request.headers, old)
        new = Blob(old.data, *described(old), old.blocks, old.created, old.tier)
        self.container(request).blobs[request.resource[1]] = new
        return Answer(200, {"ETag": new.etag, "Last-Modified": new.date})

    def delete_blob(self, request, rights):
        rights.want("d")
        container, blob = self.container(request), self.blob(request)
        check_write(request.headers, blob)
        container.remove(request.resource[1])
        return Answer(202, {"x-ms-delete-type-permanent": "true"})


def facts(blob):
    names = {"content-type": "Content-Type", "content-encoding": "Content-Encoding", "content-md5": "Content-MD5",
             "content-language": "Content-Language", "cache-control": "Cache-Control",
             "content-disposition": "Content-Disposition"}
    return {
        "ETag": blob.etag, "Last-Modified": blob.date, "Accept-Ranges": "bytes", "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": documents.date(blob.created), "x-ms-access-tier": blob.tier or "Hot",
        **({} if blob.tier else {"x-ms-access-tier-inferred": "true"}),
        "x-ms-server-encrypted": "true", "x-ms-lease-status": "unlocked", "x-ms-lease-state": "available",
        **{names[k]: v for k, v in blob.properties.items()}, **blob.copy,
        **{f"x-ms-meta-{k}": v for k, v in blob.metadata.items()},
    }


def xml(text):
    return Answer(200, {"Content-Type": "application/xml"}, text)


S = Service
HANDLERS = {
    ("account", "GET", None, "list"): S.list_containers,
    ("account", "POST", "service", "userdelegationkey"): S.delegation_key,
    ("container", "PUT", "container", None): S.create_container,
    ("container", "GET", "container", None): S.container_properties,
    ("container", "HEAD", "container", None): S.container_properties,
    ("container", "DELETE", "container", None): S.delete_container,
    ("container", "GET", "container", "list"): S.list_blobs,
    ("blob", "GET", None, None): S.get_blob,
    ("blob", "HEAD", None, None): S.get_blob,
    ("blob", "DELETE", None, None): S.delete_blob,
    ("blob", "PUT", None, "block"): S.put_block,
    ("blob", "PUT", None, "blocklist"): S.put_block_list,
    ("blob", "GET", None, "blocklist"): S.get_block_list,
    ("blob", "PUT", None, "metadata"): S.set_metadata,
    ("blob", "PUT", None, "properties"): S.set_properties,
    ("blob", "PUT", None, None): lambda s, request, rights: (
        s.put_blob if "x-ms-blob-type" in request.headers else
        s.copy_blob if "x-ms-copy-source" in request.headers else s.put_blob)(request, rights),
}
