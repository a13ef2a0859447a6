"""Who asks: tokens for assertions signed by RS256, and V4 signatures of URLs, both by Google's documentation."""

import base64
import datetime
import hashlib
import json
import secrets
import threading
import time
import urllib.parse

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from objects import Refused

SCOPES = {
    "https://www.googleapis.com/auth/devstorage.full_control", "https://www.googleapis.com/auth/devstorage.read_write",
    "https://www.googleapis.com/auth/devstorage.read_only", "https://www.googleapis.com/auth/cloud-platform",
}


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Account:
    """A service account and its key."""

    def __init__(self, email, project, may):
        self.email, self.project, self.may = email, project, may
        self.key = rsa.generate_private_key(65537, 2048)
        self.key_id = secrets.token_hex(20)

    def document(self, token_uri):
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        )
        return {
            "type": "service_account", "project_id": self.project, "private_key_id": self.key_id,
            "private_key": pem.decode(), "client_email": self.email, "client_id": "1", "token_uri": token_uri,
        }

    def signs(self, signature, message):
        try:
            self.key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            return True
        except InvalidSignature:
            return False

    def sign(self, message):
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


class Identities:
    def __init__(self, accounts, token_uri, life):
        self.accounts = {account.email: account for account in accounts}
        self.token_uri, self.life = token_uri, life
        self.lock = threading.Lock()
        self.tokens = {}
        self.issued = 0
        self.refresh = {}

    # Tokens.

    def issue(self, account):
        token = "ya29." + secrets.token_urlsafe(40)
        with self.lock:
            self.tokens[token] = (account, time.monotonic() + self.life)
            self.issued += 1
        return {"access_token": token, "expires_in": int(self.life), "token_type": "Bearer"}

    def exchange(self, form):
        kind = form.get("grant_type")
        if kind == "refresh_token":
            account = self.refresh.get((form.get("client_id"), form.get("client_secret"), form.get("refresh_token")))
            if account is None:
                return 400, {"error": "invalid_grant", "error_description": "Bad Request"}
            return 200, self.issue(account)
        if kind != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return 400, {"error": "unsupported_grant_type", "error_description": f"Invalid grant_type: {kind}"}
        account, reason = self.judge(form.get("assertion", ""))
        if account is None:
            return 400, {"error": "invalid_grant", "error_description": reason}
        return 200, self.issue(account)

    def judge(self, assertion):
        """The account that signed an assertion, or why there is none (RFC 7519, RFC 7523)."""
        parts = assertion.split(".")
        if len(parts) != 3:
            return None, "Invalid JWT"
        try:
            head, claims = (json.loads(decode(part)) for part in parts[:2])
            signature = decode(parts[2])
        except ValueError:
            return None, "Invalid JWT"
        account = self.accounts.get(claims.get("iss"))
        if account is None:
            return None, "Invalid grant: account not found"
        if head.get("alg") != "RS256" or head.get("kid") != account.key_id:
            return None, "Invalid JWT: wrong algorithm or key"
        if not account.signs(signature, f"{parts[0]}.{parts[1]}".encode()):
            return None, "Invalid JWT Signature."
        now = time.time()
        # Google's own library always names Google's own token service.
        if claims.get("aud") not in (self.token_uri, "https://oauth2.googleapis.com/token"):
            return None, "Invalid JWT: wrong audience"
        issued, end = claims.get("iat", 0), claims.get("exp", 0)
        if not (issued - 300 <= now <= end) or end - issued > 3600:
            return None, "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        if not set(claims.get("scope", "").split()) & SCOPES:
            return None, "Invalid OAuth scope"
        return account, None

    def bearer(self, field):
        """The account of a header `Authorization`, or a refusal."""
        if not field:
            raise Refused(401, "required", "Anonymous caller does not have storage access.")
        kind, _, token = field.partition(" ")
        with self.lock:
            found = self.tokens.get(token) if kind == "Bearer" else None
        if found is None or time.monotonic() > found[1]:
            raise Refused(401, "authError", "Invalid Credentials")
        return found[0]

    def withdraw(self):
        """Forgets every token, as if they had ended early."""
        with self.lock:
            self.tokens.clear()

    # URLs.

    def signed_url(self, method, target, headers):
        """The account that signed this request; a refusal where it is not what was signed (V4)."""
        path, _, query = target.partition("?")
        pairs = [pair.partition("=")[::2] for pair in query.split("&")]
        values = {urllib.parse.unquote(name): urllib.parse.unquote(value) for name, value in pairs}
        for name in ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"]:
            if f"X-Goog-{name}" not in values:
                raise Refused(400, "AuthenticationRequired", f"X-Goog-{name} is missing")
        if values["X-Goog-Algorithm"] != "GOOG4-RSA-SHA256":
            raise Refused(400, "InvalidArgument", "Invalid argument: algorithm")
        email, _, scope = values["X-Goog-Credential"].partition("/")
        date = values["X-Goog-Date"]
        if scope != f"{date[:8]}/auto/storage/goog4_request":
            raise Refused(400, "InvalidArgument", "Invalid argument: scope")
        try:
            begin = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
            life = int(values["X-Goog-Expires"])
        except ValueError:
            raise Refused(400, "InvalidArgument", "Invalid argument: date") from None
        if not 1 <= life <= 604800:
            raise Refused(400, "InvalidArgument", "Invalid argument: expires")
        if not begin - 900 <= time.time() < begin + life:
            raise Refused(400, "ExpiredToken", "Invalid argument: the URL has expired")
        names = values["X-Goog-SignedHeaders"].split(";")
        if names != sorted(names) or "host" not in names:
            raise Refused(400, "InvalidArgument", "Invalid argument: signed headers")
        lines = [method, path]
        kept = sorted(
            (urllib.parse.quote(urllib.parse.unquote(name), safe="-._~"),
             urllib.parse.quote(urllib.parse.unquote(value), safe="-._~"))
            for name, value in pairs if name != "X-Goog-Signature"
        )
        lines.append("&".join(f"{name}={value}" for name, value in kept))
        for name in names:
            value = headers.get(name)
            if value is None:
                raise Refused(400, "MalformedSecurityHeader", f"Header {name} was signed and is missing")
            lines.append(f"{name}:{' '.join(value.split())}")
        for name in headers:
            if name.startswith("x-goog-") and name not in names:
                raise Refused(400, "MalformedSecurityHeader", f"Header {name} was not signed")
        lines += ["", ";".join(names), "UNSIGNED-PAYLOAD"]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        message = f"GOOG4-RSA-SHA256\n{date}\n{scope}\n{digest}"
        account = self.accounts.get(email)
        try:
            signature = bytes.fromhex(values["X-Goog-Signature"])
        except ValueError:
            signature = b""
        if account is None or not account.signs(signature, message.encode()):
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
        return account
