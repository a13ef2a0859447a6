"""The XML API, as far as signed URLs and readers of what is public need it."""

from media import media
from objects import Conditions, Refused
from routing import route
from uploads import digests
from wire import Answer

ROUTES = []


@route("GET HEAD PUT DELETE", r"/([a-z0-9][^/]*)/(.+)", routes=ROUTES)
def xml_object(double, request, bucket, name):
    may = "read" if request.method in ("GET", "HEAD") else "write"
    if "X-Goog-Signature" in request.query:
        account = double.identities.signed_url(request.method, request.target, request.headers)
        if may not in account.may:
            raise Refused(403, "AccessDenied", "Access denied.")
    else:
        double.admit(request, may, [bucket])
    query = {name: request.query[name] for name in ["generation"] if name in request.query}
    for header, condition in [("x-goog-if-generation-match", "ifGenerationMatch"),
                              ("x-goog-if-metageneration-match", "ifMetagenerationMatch")]:
        if header in request.headers:
            query[condition] = request.headers[header]
    if may == "read":
        version = double.store.find(bucket, name, query)
        answer = media(
            version, request, request.query.get("response-content-type"),
            request.query.get("response-content-disposition"),
        )
        answer.headers["ETag"] = f'"{version.etag}"'
        for key, value in version.metadata.items():
            if key.isascii() and value.isascii() and value.isprintable():
                answer.headers[f"x-goog-meta-{key}"] = value
        return answer
    if request.method == "DELETE":
        double.store.remove(bucket, name, query)
        return Answer(204)
    data = request.body()
    bounds = request.headers.get("x-goog-content-length-range")
    if bounds and not int(bounds.split(",")[0]) <= len(data) <= int(bounds.split(",")[1]):
        raise Refused(400, "EntityTooLarge", "Your proposed upload is outside the allowed range.")
    names = [("content-type", "contentType"), ("content-encoding", "contentEncoding"), ("cache-control", "cacheControl"),
             ("content-disposition", "contentDisposition"), ("content-language", "contentLanguage")]
    resource = {member: request.headers[header] for header, member in names if header in request.headers}
    resource["metadata"] = {
        header.removeprefix("x-goog-meta-"): value for header, value in request.headers.items()
        if header.startswith("x-goog-meta-")
    }
    made = double.store.publish(bucket, name, data, resource | digests(request), Conditions(query))
    return Answer(200, b"", {"ETag": f'"{made.etag}"', "X-Goog-Generation": made.generation})
