"""Failures: one class for each code of the host, each of them also the built-in exception that fits.

`except FileNotFoundError` and `except coffer.NotFound` catch the same. What a caller decides by is the class, or
`error.code`, never the text.
"""

from __future__ import annotations

import errno
import io
import json
from typing import Any, Callable, ClassVar, Mapping


class CofferError(OSError):
    """A request that failed, with the code that the host gave or that the client found."""

    code: str = "internal"
    default_errno: ClassVar[int] = errno.EIO

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        storage: str | None = None,
        key: str | None = None,
        retryable: bool = False,
        maybe_applied: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(self.default_errno, detail)
        if code is not None:
            self.code = code
        self.detail = detail
        """What happened, in words."""
        self.status = status
        """The HTTP status; None for what the client found itself."""
        self.storage = storage
        """The storage that it happened in, where that is known."""
        self.key = key
        """The key that it happened to, where that is known."""
        self.retryable = retryable
        """Whether the same request may succeed later."""
        self.maybe_applied = maybe_applied
        """Whether the host may have done it nevertheless."""
        self.retry_after = retry_after
        """After how many seconds to try again, where the host said so."""

    def __str__(self) -> str:
        where = self.storage or ""
        if self.key is not None and self.key not in self.detail:
            where = f"{where}:{self.key}"
        return f"{where}: {self.detail}" if where else self.detail

    def __reduce__(self) -> tuple[Callable[..., CofferError], tuple[Any, ...]]:
        return _restore, (type(self), self.detail, dict(self.__dict__))


def _restore(kind: type[CofferError], detail: str, state: dict[str, Any]) -> CofferError:
    error = kind(detail)
    error.__dict__.update(state)
    return error


class NotFound(CofferError, FileNotFoundError):
    """There is no such object, storage or profile."""

    code, default_errno = "not_found", errno.ENOENT


class AlreadyExists(CofferError, FileExistsError):
    """The key is taken, and `on_conflict` is `error`."""

    code, default_errno = "already_exists", errno.EEXIST


class PreconditionFailed(CofferError):
    """`if_match` or `if_none_match` does not hold."""

    code, default_errno = "precondition_failed", errno.ECANCELED


class NotModified(CofferError):
    """A read's condition says that the caller has the object already."""

    code, default_errno = "not_modified", errno.EALREADY


class InvalidKey(CofferError, ValueError):
    """The key breaks the rules for keys, or its store cannot hold it."""

    code, default_errno = "invalid_key", errno.EINVAL


class InvalidArgument(CofferError, ValueError):
    """An argument is wrong; the text names it."""

    code, default_errno = "invalid_argument", errno.EINVAL


class RangeInvalid(CofferError, ValueError):
    """The range lies outside the object."""

    code, default_errno = "range_invalid", errno.EINVAL


class TooLarge(CofferError):
    """More than the storage takes."""

    code, default_errno = "too_large", errno.EFBIG


class BadType(CofferError):
    """The storage does not take this type."""

    code, default_errno = "bad_type", errno.EPERM


class ChecksumMismatch(CofferError):
    """The bytes have another digest than announced."""

    code, default_errno = "checksum_mismatch", errno.EBADMSG


class NotEmpty(CofferError):
    """What is to be removed has something in it."""

    code, default_errno = "not_empty", errno.ENOTEMPTY


class NoSpace(CofferError):
    """The store is full."""

    code, default_errno = "no_space", errno.ENOSPC


class QuotaExceeded(CofferError):
    """The store's quota is used up."""

    code, default_errno = "quota_exceeded", errno.EDQUOT


class PermissionDenied(CofferError, PermissionError):
    """No rule allows it, the storage is read-only, or the store refuses."""

    code, default_errno = "permission_denied", errno.EACCES


class Unauthenticated(CofferError, PermissionError):
    """The connection does not say who is calling."""

    code, default_errno = "unauthenticated", errno.EACCES


class Unsupported(CofferError, io.UnsupportedOperation):
    """The storage cannot do it; nothing was written."""

    code, default_errno = "unsupported", errno.ENOTSUP


class Changed(CofferError):
    """The object changed while it was read, or the source while it was copied."""

    code, default_errno = "changed", errno.ESTALE


class RateLimited(CofferError):
    """The store wants fewer requests."""

    code, default_errno = "rate_limited", errno.EBUSY


class Timeout(CofferError, TimeoutError):
    """It took too long."""

    code, default_errno = "timeout", errno.ETIMEDOUT


class Unavailable(CofferError, ConnectionError):
    """The host, the storage or its store is not there, or broke off."""

    code, default_errno = "unavailable", errno.ECONNABORTED


class BackendError(CofferError):
    """The store failed in its own words."""

    code = "backend_error"


class PluginFailed(CofferError):
    """The plugin is missing, broken, or broke its contract."""

    code = "plugin_failed"


class Corrupt(CofferError):
    """What the store keeps contradicts itself, or bytes are missing."""

    code = "corrupt"


class Cancelled(CofferError):
    """The caller went away."""

    code, default_errno = "cancelled", errno.ECANCELED


class ConfigInvalid(CofferError, ValueError):
    """The configuration, or the settings of a storage, are wrong; nothing changed."""

    code, default_errno = "config_invalid", errno.EINVAL


class Internal(CofferError):
    """The host's own fault, or something that is no host answered."""

    code = "internal"


CLASSES: tuple[tuple[type[CofferError], int], ...] = (
    (NotFound, 404),
    (AlreadyExists, 409),
    (PreconditionFailed, 412),
    (NotModified, 304),
    (InvalidKey, 400),
    (InvalidArgument, 400),
    (RangeInvalid, 416),
    (TooLarge, 413),
    (BadType, 415),
    (ChecksumMismatch, 422),
    (NotEmpty, 409),
    (NoSpace, 507),
    (QuotaExceeded, 507),
    (PermissionDenied, 403),
    (Unauthenticated, 401),
    (Unsupported, 501),
    (Changed, 409),
    (RateLimited, 429),
    (Timeout, 504),
    (Unavailable, 503),
    (BackendError, 502),
    (PluginFailed, 502),
    (Corrupt, 502),
    (Cancelled, 499),
    (ConfigInvalid, 422),
    (Internal, 500),
)
"""Each class with its HTTP status; the host's table is the model."""

_BY_CODE = {kind.code: kind for kind, _ in CLASSES}
# What a status means by itself, where no problem document says it: what is broadest comes last.
_BY_STATUS = {status: kind for kind, status in reversed(CLASSES)}
_BY_STATUS[400] = InvalidArgument


def error_from_problem(problem: Mapping[str, Any], status: int | None = None) -> CofferError:
    """The exception that a problem document (RFC 9457) tells."""
    if status is None and isinstance(problem.get("status"), int):
        status = problem["status"]
    code = problem.get("code")
    kind: type[CofferError]
    if isinstance(code, str):
        # A code that this version does not know is still told by its word.
        kind = _BY_CODE.get(code, CofferError)
    else:
        code, kind = None, _kind_of_status(status)
    detail = problem.get("detail") or problem.get("title") or f"the host answered {status} without a reason"
    wait = problem.get("retry_after")
    return kind(
        str(detail),
        code=code,
        status=status,
        storage=problem.get("storage"),
        key=problem.get("key"),
        retryable=bool(problem.get("retryable", False)),
        maybe_applied=bool(problem.get("maybe_applied", False)),
        retry_after=float(wait) if isinstance(wait, (int, float)) else None,
    )


def error_from_answer(status: int, body: bytes, retry_after: str | None = None) -> CofferError:
    """The exception that an answer of `status` with this body tells; the body may be anything."""
    try:
        problem = json.loads(body)
    except ValueError:
        # A proxy or a foreign server may answer anything: then the status alone decides.
        problem = {}
    error = error_from_problem(problem if isinstance(problem, dict) else {}, status)
    if error.retry_after is None and retry_after is not None and retry_after.isdigit():
        error.retry_after = float(retry_after)
    return error


def _kind_of_status(status: int | None) -> type[CofferError]:
    if status is None:
        return Internal
    return _BY_STATUS.get(status, InvalidArgument if 400 <= status < 500 else Internal)
