"""What goes wrong in Libcloud and beneath it, in the words of the plugin's interface.

No message holds a secret: answers of providers and URLs, which hold signatures, are not passed on.
"""

import errno
import re

LONGEST = 700
BY_STATUS = {
    400: "invalid_argument", 401: "unauthenticated", 403: "permission_denied", 404: "not_found", 408: "timeout",
    409: "already_exists", 412: "precondition_failed", 413: "too_large", 416: "range_invalid", 429: "rate_limited",
    500: "unavailable", 502: "unavailable", 503: "unavailable", 504: "timeout", 507: "quota_exceeded",
}
BY_NAME = {
    "ObjectDoesNotExistError": "not_found",
    "ContainerDoesNotExistError": "not_found",
    "ContainerAlreadyExistsError": "already_exists",
    "ContainerIsNotEmptyError": "not_empty",
    "InvalidContainerNameError": "invalid_argument",
    "ObjectHashMismatchError": "backend_error",
    "RateLimitReachedError": "rate_limited",
    "ServiceUnavailableError": "unavailable",
    "MalformedResponseError": "corrupt",
    "NotImplementedError": "unsupported",
}
BY_ERRNO = {
    errno.ENOSPC: "no_space", errno.EDQUOT: "quota_exceeded", errno.EFBIG: "too_large",
    errno.EACCES: "permission_denied", errno.EPERM: "permission_denied", errno.EROFS: "permission_denied",
    errno.ENOENT: "not_found", errno.ENOTDIR: "already_exists", errno.EISDIR: "already_exists",
    errno.EEXIST: "already_exists", errno.ENAMETOOLONG: "invalid_key", errno.EILSEQ: "invalid_key",
}
RETRYABLE = {"unavailable", "timeout", "rate_limited", "changed"}
# The codes of S3 that say who is wrong, and not what is forbidden.
STRANGERS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure"}


class Failure(Exception):
    """A failure that is told as it stands."""

    def __init__(self, code, message, retryable=None):
        super().__init__(message)
        self.code, self.message = code, message
        self.retryable = code in RETRYABLE if retryable is None else retryable


def told(error, doing, secrets=()):
    """The frame that tells the plugin of an error."""
    failure = error if isinstance(error, Failure) else translated(error, doing)
    answer = {
        "error": failure.code,
        "message": tidy(failure.message, secrets),
        "retryable": failure.retryable,
        "maybe": not isinstance(error, Failure) and failure.code in {"unavailable", "timeout", "backend_error"},
    }
    # Libcloud takes what `Retry-After` says for seconds, and it may be text.
    wait = getattr(error, "retry_after", None)
    if str(wait or "").isdigit():
        answer["wait"] = min(int(wait), 3600) * 1000
    return answer


def translated(error, doing):
    names = [kind.__name__ for kind in type(error).__mro__]
    chain = "/".join(kind.__module__.split(".")[0] for kind in type(error).__mro__)
    if "InvalidCredsError" in names:
        return refused(error, doing)
    for name in names:
        if name in BY_NAME:
            return Failure(BY_NAME[name], f"{doing}: {sentence(name)}", retryable(BY_NAME[name], name))
    if "requests" in chain or "urllib3" in chain or "http" in chain:
        return disconnected(error, names, doing)
    status = status_of(error)
    if status:
        code = BY_STATUS.get(status, "unavailable" if status >= 500 else "backend_error")
        return Failure(code, f"{doing}: the provider answers {status}")
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"{doing}: the provider is silent")
    if isinstance(error, ConnectionError):
        return Failure("unavailable", f"{doing}: {strerror(error)}")
    if isinstance(error, OSError) and error.errno:
        return Failure(BY_ERRNO.get(error.errno, "backend_error"), f"{doing}: {strerror(error)}")
    text = getattr(error, "value", None) or str(error)
    return Failure("backend_error", f"{doing}: {type(error).__name__}: {text}")


def retryable(code, name):
    return code in RETRYABLE or name == "ObjectHashMismatchError"


def refused(error, doing):
    """Wrong keys, or right ones that may not: the providers that say which say it in the answer's code."""
    found = re.search(r"<Code>(\w+)</Code>", str(getattr(error, "value", "")))
    if found and found.group(1) not in STRANGERS:
        return Failure("permission_denied", f"{doing}: the provider forbids it: {found.group(1)}")
    why = f": {found.group(1)}" if found else ""
    return Failure("unauthenticated", f"{doing}: the provider refuses the key or the secret{why}")


def disconnected(error, names, doing):
    """Errors of `requests` and `urllib3`, whose own texts hold URLs."""
    if "SSLError" in names:
        return Failure("unavailable", f"{doing}: the provider's certificate is refused", retryable=False)
    if any("Timeout" in name for name in names):
        return Failure("timeout", f"{doing}: the provider is silent")
    beneath = error
    seen = set()
    while beneath is not None and id(beneath) not in seen:
        seen.add(id(beneath))
        if isinstance(beneath, OSError) and beneath.errno and beneath.strerror:
            return Failure("unavailable", f"{doing}: {beneath.strerror.lower()}")
        inner = [one for one in beneath.args if isinstance(one, BaseException)]
        beneath = getattr(beneath, "reason", None) if isinstance(getattr(beneath, "reason", None), BaseException) else (
            inner[0] if inner else beneath.__cause__ or beneath.__context__)
    if any(name in names for name in ("ConnectionError", "ChunkedEncodingError", "ProtocolError", "HTTPException")):
        return Failure("unavailable", f"{doing}: the connection to the provider broke")
    return Failure("backend_error", f"{doing}: {type(error).__name__}")


def status_of(error):
    for name in ("http_code", "code", "status_code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 300 <= value <= 599:
            return value
    found = re.search(r"[Ss]tatus[ _]code[:=]? ?(\d{3})", str(getattr(error, "value", "") or error))
    return int(found.group(1)) if found else None


def sentence(name):
    """The name of an error as words: `ContainerIsNotEmptyError` is `container is not empty`."""
    return re.sub(r"(?<!^)([A-Z])", r" \1", name.replace("Error", "")).lower()


def strerror(error):
    return (error.strerror or type(error).__name__).lower()


def tidy(text, secrets):
    text = re.sub(r"\s+", " ", str(text)).strip().rstrip(".")
    text = re.sub(r"\?\S+=\S+", "?...", text)
    text = re.sub(r"//[^/@\s]+@", "//***@", text)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."
