#!/usr/bin/env python3
"""A double of Google Cloud Storage: `double.py FOLDER [--page N] [--rewrite BYTES] [--life SECONDS]`.

The JSON API with pages, generations and conditions, resumable sessions, rewrites in several steps, checked digests and
checked tokens; the XML API for signed URLs; a token service, a metadata server and IAM's signBlob. Written from Google's
documentation. `/double/…` makes it fail on demand. It writes KEY=value lines to FOLDER/facts once it listens.
"""

import argparse
import base64
import json
import pathlib
import re
import sys
import threading
import urllib.parse

import uploads
import xml_api
from identity import Account, Identities
from media import media
from objects import Conditions, Refused, Store, moment
from routing import ROUTES, route
from wire import Answer, Broken, Server

class Double:
    def __init__(self, options):
        self.options = options
        self.store = Store()
        self.faults, self.faults_lock = [], threading.Lock()
        self.server = Server(self.answer)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.owner = Account("owner@test.iam.gserviceaccount.com", "test-project", {"read", "write"})
        self.reader = Account("reader@test.iam.gserviceaccount.com", "test-project", {"read"})
        self.stranger = Account("stranger@test.iam.gserviceaccount.com", "test-project", set())
        self.identities = Identities(
            [self.owner, self.reader, self.stranger], f"{self.base}/token", options.life,
        )
        self.identities.refresh[("client", "client-secret", "refresh-me")] = self.owner

    # Answering.

    def answer(self, request):
        request.query = dict(urllib.parse.parse_qsl(request.query_text, keep_blank_values=True))
        base = f"http://{request.headers.get('host', '')}"
        request.base = base
        try:
            fault = self.fault(request)
            if fault and "status" in fault:
                headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                if not fault.get("late"):
                    return self.refusal(Refused(fault["status"], fault.get("reason", "backendError"), "made to fail", headers))
            for methods, pattern, may, function in ROUTES:
                match = pattern.fullmatch(request.path)
                if match is None or request.method not in methods:
                    continue
                parts = [urllib.parse.unquote(part) for part in match.groups()]
                if may is not None:
                    self.admit(request, may, parts)
                request.fault = fault or {}
                answer = function(self, request, *parts)
                if fault and fault.get("late"):
                    # It is done, and the answer is lost.
                    raise Broken
                return answer
            raise Refused(404, "notFound", "Not Found")
        except Refused as refusal:
            return self.refusal(refusal)

    @staticmethod
    def refusal(refusal):
        if refusal.status == 304:
            return Answer(304)
        document = {
            "error": {
                "code": refusal.status, "message": refusal.message,
                "errors": [{"domain": "global", "reason": refusal.reason, "message": refusal.message}],
            },
        }
        return Answer(refusal.status, document, dict(refusal.headers))

    def admit(self, request, may, parts):
        """Lets in who may; the bucket `public` can be read by everybody."""
        if may == "read" and parts and parts[0] == "public" and "authorization" not in request.headers:
            return
        account = self.identities.bearer(request.headers.get("authorization"))
        if may not in account.may:
            raise Refused(403, "forbidden", f"{account.email} does not have storage.objects access to the resource.")

    # Failing on demand.

    def fault(self, request):
        line = f"{request.method} {request.target}"
        with self.faults_lock:
            for fault in self.faults:
                if re.search(fault["match"], line) and not request.path.startswith("/double"):
                    if fault.get("skip", 0) > 0:
                        fault["skip"] -= 1
                        return None
                    fault["times"] = fault.get("times", 1) - 1
                    if fault["times"] <= 0:
                        self.faults.remove(fault)
                    return fault
        return None


# What the proofs ask of the double itself.


@route("POST", r"/double/fault")
def make_fault(double, request):
    fault = request.json()
    with double.faults_lock:
        double.faults.append(fault)
    return Answer(204)


@route("POST", r"/double/withdraw")
def withdraw(double, request):
    double.identities.withdraw()
    return Answer(204)


@route("GET", r"/double/facts")
def facts(double, request):
    with double.store.lock:
        open_sessions = sum(session.made is None for session in double.store.sessions.values())
    return Answer(200, {
        "issued": double.identities.issued, "sessions": open_sessions, "faults": len(double.faults),
    })


# Tokens.


@route("POST", r"/token")
def token(double, request):
    form = dict(urllib.parse.parse_qsl(request.body().decode()))
    status, document = double.identities.exchange(form)
    return Answer(status, document)


def from_machine(request):
    if request.headers.get("metadata-flavor") != "Google":
        raise Refused(403, "forbidden", "Missing Metadata-Flavor:Google header.")


@route("GET", r"/computeMetadata/v1/instance/service-accounts/default/token")
def machine_token(double, request):
    from_machine(request)
    return Answer(200, double.identities.issue(double.owner), {"Metadata-Flavor": "Google"})


@route("GET", r"/computeMetadata/v1/instance/service-accounts/default/email")
def machine_email(double, request):
    from_machine(request)
    return Answer(200, double.owner.email.encode(), {"Metadata-Flavor": "Google"}, "application/text")


@route("GET", r"/computeMetadata/v1/project/project-id")
def machine_project(double, request):
    from_machine(request)
    return Answer(200, double.owner.project.encode(), {"Metadata-Flavor": "Google"}, "application/text")


@route("POST", r"/v1/projects/-/serviceAccounts/([^/]+):signBlob")
def sign_blob(double, request, email):
    double.identities.bearer(request.headers.get("authorization"))
    account = double.identities.accounts.get(email)
    if account is None:
        raise Refused(404, "notFound", "Unknown service account")
    payload = base64.b64decode(request.json()["payload"])
    return Answer(200, {"keyId": account.key_id, "signedBlob": base64.b64encode(account.sign(payload)).decode()})


# Buckets.


def bucket_resource(bucket, base):
    return {
        "kind": "storage#bucket", "id": bucket.name, "name": bucket.name, "location": "US", "storageClass": "STANDARD",
        "timeCreated": moment(bucket.created), "updated": moment(bucket.created), "metageneration": "1",
        "etag": "CAE=", "selfLink": f"{base}/storage/v1/b/{bucket.name}", "projectNumber": "1",
    }


@route("GET", r"/storage/v1/b", "read")
def list_buckets(double, request):
    if not request.query.get("project"):
        raise Refused(400, "required", "Required parameter: project")
    with double.store.lock:
        names = sorted(name for name, one in double.store.buckets.items() if one.project == request.query["project"])
        after = request.query.get("pageToken", "")
        names = [name for name in names if name > after]
        page = names[: double.options.page]
        document = {"kind": "storage#buckets", "items": [bucket_resource(double.store.buckets[n], request.base) for n in page]}
    if len(names) > len(page):
        document["nextPageToken"] = page[-1]
    return Answer(200, document)


@route("POST", r"/storage/v1/b", "write")
def make_bucket(double, request):
    if not request.query.get("project"):
        raise Refused(400, "required", "Required parameter: project")
    bucket = double.store.make_bucket(request.json().get("name", ""), request.query["project"])
    return Answer(200, bucket_resource(bucket, request.base))


@route("GET", r"/storage/v1/b/([^/]+)", "read")
def get_bucket(double, request, name):
    return Answer(200, bucket_resource(double.store.bucket(name), request.base))


@route("DELETE", r"/storage/v1/b/([^/]+)", "write")
def remove_bucket(double, request, name):
    double.store.remove_bucket(name)
    return Answer(204)


# Objects.


def chosen(document, fields, name):
    """The members that `fields` asks for of each `name`, as in `items(name,size)`."""
    match = re.search(rf"{name}\(([^)]*)\)", fields or "")
    if match is None:
        return document
    wanted = set(match.group(1).split(","))
    return {key: value for key, value in document.items() if key in wanted}


@route("GET", r"/storage/v1/b/([^/]+)/o", "read")
def list_objects(double, request, bucket):
    items, prefixes, following = double.store.list(bucket, request.query, double.options.page)
    fields = request.query.get("fields")
    document = {"kind": "storage#objects"}
    if items:
        document["items"] = [chosen(item.resource(request.base), fields, "items") for item in items]
    if prefixes:
        document["prefixes"] = prefixes
    if following is not None:
        document["nextPageToken"] = following
    return Answer(200, document)


@route("POST", r"/storage/v1/b/([^/]+)/o/([^/]+)/rewriteTo/b/([^/]+)/o/([^/]+)", "write")
def rewrite(double, request, bucket, name, to_bucket, to_name):
    store, query = double.store, request.query
    given = request.json()
    with store.lock:
        source = store.find(bucket, name, {}, Conditions(query, "Source"), reads=False)
        Conditions(query).check(store.bucket(to_bucket).objects.get(to_name))
        size = len(source.data)
        step = double.options.rewrite
        done = size
        if step and size > step:
            what = (source.bucket, source.name, source.generation, to_bucket, to_name)
            token, before = store.rewrite_state(query.get("rewriteToken"), what)
            done = min(size, before + step)
            store.rewrites[token] = (what, done)
        document = {
            "kind": "storage#rewriteResponse", "totalBytesRewritten": str(done), "objectSize": str(size),
            "done": done == size,
        }
        if done < size:
            document["rewriteToken"] = token
        else:
            resource = given or (source.fields | {"metadata": source.metadata})
            resource.pop("crc32c", None)
            made = store.publish(to_bucket, to_name, source.data, resource, Conditions(query), source.components)
            document["resource"] = made.resource(request.base)
    return Answer(200, document)


@route("POST", r"/storage/v1/b/([^/]+)/o/([^/]+)/compose", "write")
def compose(double, request, bucket, name):
    given = request.json()
    parts = given.get("sourceObjects", [])
    if not 1 <= len(parts) <= 32:
        raise Refused(400, "invalid", "The number of source components must be between 1 and 32")
    with double.store.lock:
        sources = []
        for part in parts:
            query = {name: str(value) for name, value in part.get("objectPreconditions", {}).items()}
            sources.append(double.store.find(bucket, part["name"], query, reads=False))
        data = b"".join(source.data for source in sources)
        components = sum(source.components for source in sources)
        made = double.store.publish(
            bucket, name, data, given.get("destination", {}), Conditions(request.query), max(2, components),
        )
    return Answer(200, made.resource(request.base))


@route("GET", r"(?:/download)?/storage/v1/b/([^/]+)/o/([^/]+)", "read")
def get_object(double, request, bucket, name):
    version = double.store.find(bucket, name, request.query)
    if request.query.get("alt") == "media":
        return media(version, request)
    return Answer(200, version.resource(request.base))


@route("PATCH", r"/storage/v1/b/([^/]+)/o/([^/]+)", "write")
def patch_object(double, request, bucket, name):
    return Answer(200, double.store.patch(bucket, name, request.json(), request.query).resource(request.base))


@route("DELETE", r"/storage/v1/b/([^/]+)/o/([^/]+)", "write")
def remove_object(double, request, bucket, name):
    double.store.remove(bucket, name, request.query)
    return Answer(204)


def main():
    # Whose routes come last is asked last: the XML API's paths fit nearly everything.
    ROUTES.extend(uploads.ROUTES)
    ROUTES.extend(xml_api.ROUTES)
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--rewrite", type=int, default=0)
    parser.add_argument("--life", type=float, default=3600)
    double = Double(parser.parse_args())
    lines = [f"GCS_ENDPOINT={double.base}", "GCS_PROJECT=test-project"]
    for name in ["owner", "reader", "stranger"]:
        path = double.options.folder / f"{name}.json"
        path.write_text(json.dumps(getattr(double, name).document(f"{double.base}/token")))
        lines.append(f"GCS_{name.upper()}_KEY={path}")
    (double.options.folder / "facts.new").write_text("\n".join(lines) + "\n")
    (double.options.folder / "facts.new").rename(double.options.folder / "facts")
    double.server.serve_forever(poll_interval=60)


if __name__ == "__main__":
    sys.exit(main())
