"""Who may do what: Shared Key signatures, shared access signatures and bearer tokens, as Microsoft's pages describe them.

"Authorize with Shared Key", "Create a service SAS", "Create an account SAS", "Create a user delegation SAS".
"""

import base64
import datetime
import email.utils
import hashlib
import hmac
import secrets
import time
import urllib.parse

SIGNED_FIELDS = [
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
]
SKEW = 15 * 60


class Refused(Exception):
    def __init__(self, status, code, detail="", headers=()):
        super().__init__(code)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers)


def mac(key, text):
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def moment(text):
    """A time of a SAS: a date, to the minute, to the second, or finer."""
    for form in ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%fZ"]:
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc).timestamp()
        except ValueError:
            pass
    raise Refused(403, "AuthenticationFailed", "a time cannot be read")


def order(name):
    """The service sorts header names as a dictionary would: dashes do not count, an underscore goes before digits."""
    return [(0 if c == "_" else 1 if c.isdigit() else 2, c) for c in name if c != "-"]


class Access:
    def __init__(self, account, key, tenant, client, secret, token_life):
        self.account, self.key = account, base64.b64decode(key)
        self.tenant, self.client, self.secret, self.token_life = tenant, client, secret, token_life
        self.tokens = {}
        self.delegation_keys = {}

    # What a request may do: a predicate over letters of SAS permissions.
    def check(self, request):
        authorization = request.headers.get("authorization")
        if authorization and authorization.startswith("SharedKey "):
            self.check_shared_key(request, authorization[10:])
            return Rights(None)
        if authorization and authorization.startswith("Bearer "):
            self.check_token(authorization[7:])
            if request.headers.get("x-ms-version", "") < "2017-11-09":
                raise Refused(403, "AuthenticationFailed", "tokens want a newer version")
            return Rights(None, is_token=True)
        if "sig" in request.query:
            return self.check_sas(request.query, request.resource)
        raise Refused(401, "NoAuthenticationInformation", "the request has no credentials", {
            "WWW-Authenticate": f"Bearer authorization_uri=https://login.example/{self.tenant}/oauth2/authorize "
                                "resource_id=https://storage.azure.com",
        })

    def check_shared_key(self, request, text):
        account, _, signature = text.partition(":")
        if account != self.account:
            raise Refused(403, "AuthenticationFailed", "another account")
        date = request.headers.get("x-ms-date") or request.headers.get("date")
        try:
            age = abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time())
        except (TypeError, ValueError):
            raise Refused(403, "AuthenticationFailed", "the date is missing or wrong") from None
        if age > SKEW:
            raise Refused(403, "AuthenticationFailed", "Request date header too old")
        fields = []
        for name in SIGNED_FIELDS:
            value = request.headers.get(name, "")
            if name == "content-length" and value == "0":
                value = ""
            if name == "date" and "x-ms-date" in request.headers:
                value = ""
            fields.append(value)
        own = sorted((n for n in request.headers if n.startswith("x-ms-")), key=order)
        lines = [f"{name}:{request.headers[name].strip()}\n" for name in own]
        resource = f"/{self.account}{request.path}"
        for name in sorted(request.query_lists, key=str.lower):
            resource += f"\n{name.lower()}:{','.join(sorted(request.query_lists[name]))}"
        to_sign = "\n".join([request.method, *fields]) + "\n" + "".join(lines) + resource
        if not hmac.compare_digest(mac(self.key, to_sign), signature):
            raise Refused(403, "AuthenticationFailed", f"the signature is wrong for {to_sign!r}")

    # Tokens.

    def issue(self, tenant, form):
        """The answer of the token endpoint: status and document."""
        if tenant != self.tenant:
            return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: no such tenant"}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if form.get("scope") != "https://storage.azure.com/.default":
            return 400, {"error": "invalid_scope"}
        if form.get("client_id") != self.client:
            return 400, {"error": "unauthorized_client", "error_description": "AADSTS700016: no such application"}
        if form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.time() + self.token_life
        return 200, {"token_type": "Bearer", "expires_in": self.token_life, "ext_expires_in": self.token_life,
                     "access_token": token}

    def check_token(self, token):
        if self.tokens.get(token, 0) < time.time():
            raise Refused(401, "InvalidAuthenticationInfo", "the token is unknown or has expired", {
                "WWW-Authenticate": f"Bearer authorization_uri=https://login.example/{self.tenant}/oauth2/authorize",
            })

    def delegate(self, start, expiry):
        """A user delegation key, for seven days at most."""
        begins, ends = moment(start) if start else time.time(), moment(expiry)
        if not begins < ends <= time.time() + 7 * 86400 + 60:
            raise Refused(400, "InvalidXmlNodeValue", "the times of the key")
        key = {
            "SignedOid": "11111111-2222-3333-4444-555555555555", "SignedTid": self.tenant,
            "SignedStart": start or stamp(begins), "SignedExpiry": expiry, "SignedService": "b",
            "SignedVersion": "2021-12-02", "Value": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        self.delegation_keys[(key["SignedStart"], expiry)] = key
        return key

    # Shared access signatures.

    def check_sas(self, query, resource):
        get = query.get
        now = time.time()
        version = get("sv", "")
        if version < "2018-11-09":
            raise Refused(403, "AuthenticationFailed", "signatures of so old a version are not made here")
        if get("st") and moment(get("st")) > now:
            raise Refused(403, "AuthenticationFailed", "Signature not valid in the specified time frame")
        if not get("se") or moment(get("se")) <= now:
            raise Refused(403, "AuthenticationFailed", "Signature not valid in the specified time frame")
        container, name = resource
        if get("ss"):
            fields = [self.account] + [get(n, "") for n in ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]]
            if version >= "2020-12-06":
                fields.append(get("ses", ""))
            if not hmac.compare_digest(mac(self.key, "\n".join(fields) + "\n"), get("sig")):
                raise Refused(403, "AuthenticationFailed", "the signature is wrong")
            kind = "o" if name else "c" if container else "s"
            if "b" not in get("ss") or kind not in get("srt", ""):
                raise Refused(403, "AuthorizationResourceTypeMismatch", "the signature is for something else")
            return Rights(get("sp", ""), query, is_account=True)
        kind = get("sr", "")
        if kind == "b":
            if not name:
                raise Refused(403, "AuthorizationFailure", "the signature is for one blob")
            place = f"/blob/{self.account}/{container}/{name}"
        elif kind == "c" and container:
            place = f"/blob/{self.account}/{container}"
        else:
            raise Refused(403, "AuthenticationFailed", "no such kind of signature")
        fields = [get(n, "") for n in ["sp", "st", "se"]] + [place]
        key = self.key
        if get("skoid"):
            delegated = self.delegation_keys.get((get("skt", ""), get("ske", "")))
            if delegated is None or moment(get("ske")) <= now:
                raise Refused(403, "AuthenticationFailed", "no such user delegation key")
            key = base64.b64decode(delegated["Value"])
            fields += [get(n, "") for n in ["skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"]]
            if version >= "2025-07-05":
                fields += [get("skdutid", ""), get("sduoid", "")]
        else:
            fields.append(get("si", ""))
        fields += [get(n, "") for n in ["sip", "spr", "sv", "sr"]] + [""]
        if version >= "2020-12-06":
            fields.append(get("ses", ""))
        if get("skoid") and version >= "2026-04-06":
            fields += ["", ""]
        fields += [get(n, "") for n in ["rscc", "rscd", "rsce", "rscl", "rsct"]]
        if not hmac.compare_digest(mac(key, "\n".join(fields)), get("sig")):
            raise Refused(403, "AuthenticationFailed", f"the signature is wrong for {fields!r}")
        return Rights(get("sp", ""), query)


class Rights:
    """What the credentials of a request allow; no letters mean everything."""

    def __init__(self, letters, query=None, is_account=False, is_token=False):
        self.letters, self.is_account, self.is_token = letters, is_account, is_token
        names = {"rscc": "Cache-Control", "rscd": "Content-Disposition", "rsce": "Content-Encoding",
                 "rscl": "Content-Language", "rsct": "Content-Type"}
        self.overrides = {names[n]: query[n] for n in names if query and n in query}

    def want(self, *letters):
        if self.letters is not None and not any(letter in self.letters for letter in letters):
            raise Refused(403, "AuthorizationPermissionMismatch", "the signature does not allow this")

    def want_write(self, exists):
        self.want("c", "w")
        if self.letters is not None and exists and "w" not in self.letters:
            raise Refused(403, "UnauthorizedBlobOverwrite", "the signature allows only what is new")

    def want_account(self):
        if self.letters is not None and not self.is_account:
            raise Refused(403, "AuthorizationFailure", "no signature of one container allows this")


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def split_query(text):
    """Names with every value, decoded."""
    lists = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        lists.setdefault(urllib.parse.unquote(name), []).append(urllib.parse.unquote(value))
    return lists
