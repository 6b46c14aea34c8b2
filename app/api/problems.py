"""Every error as problem+json (RFC 9457): one table from exception to type and status, one way to write it."""

from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

from app import logs
from app.i18n import Locale, render_file_problem, render_problem, render_request_error, texts
from app.safe_json import UnsafeJson
from app.services.refusals import InvalidProcessFile, InvalidRequest, Refused
from app.store.database import Conflict, DatabaseDown, Unstorable

_LOG = logs.get_logger(__name__)
TYPES = "/problems/"
"""Where the problem types are explained: `/problems/unknown-deal` is a page of this server."""

STATUS = {
    "unauthorized": 401,
    "forbidden": 403,
    "not-found": 404,
    "unknown-process": 404,
    "unknown-version": 404,
    "unknown-deal": 404,
    "unknown-activity": 404,
    "unknown-decision": 404,
    "unknown-connection": 404,
    "unknown-delivery": 404,
    "unknown-starter": 404,
    "unknown-endpoint": 404,
    "unknown-outbox-item": 404,
    "unknown-sync": 404,
    "method-not-allowed": 405,
    "not-acceptable": 406,
    "request-timeout": 408,
    "activity-conflict": 409,
    "stage-conflict": 409,
    "deal-moved": 409,
    "already-there": 409,
    "conflict": 409,
    "idempotency-in-progress": 409,
    "connection-without-access": 409,
    "connection-taken": 409,
    "move-vetoed": 409,
    "outbox-item-waits": 409,
    "outbox-item-over": 409,
    "precondition-failed": 412,
    "body-too-large": 413,
    "unsupported-media-type": 415,
    "unknown-stage": 422,
    "malformed-json": 422,
    "invalid-request": 422,
    "invalid-process-file": 422,
    "invalid-cursor": 422,
    "both-deal-forms": 422,
    "unreadable-event": 422,
    "idempotency-key-reused": 422,
    "crm-unreachable": 424,
    "bad-signature": 401,
    "internal-error": 500,
    "veto-failed": 500,
    "database-unavailable": 503,
    "secret-unavailable": 503,
}
"""Problem type -> HTTP status."""


class Reply(NamedTuple):
    """A whole answer, ready to be sent."""

    status: int
    body: bytes
    headers: dict[str, str]


class Problem(Exception):
    """A request that the edge itself refuses. `kind` is the problem's type; `extra` stands in the answer beside it."""

    def __init__(
        self, kind: str, *, headers: dict[str, str] | None = None, extra: dict[str, Any] | None = None, **params: Any
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.headers = headers or {}
        self.extra = extra or {}
        self.params = params


class InvalidBody(Exception):
    """A body whose values are wrong; every one of them."""

    def __init__(self, errors: list[ErrorDetails]) -> None:
        super().__init__(f"{len(errors)} wrong values")
        self.errors = errors

    @classmethod
    def of(cls, error: ValidationError, tag: str | None = None) -> "InvalidBody":
        """The errors of pydantic, without the caller's values. `tag` is the field that told which of several models."""
        errors = error.errors(include_url=False, include_input=False)
        return cls(errors if tag is None else [_untagged(one, tag) for one in errors])


def _untagged(error: ErrorDetails, tag: str) -> ErrorDetails:
    """An error of one of several models, placed where the caller wrote it: without the model's name."""
    if error["type"] == "union_tag_not_found":
        return {**error, "type": "missing", "loc": (tag,)}
    if error["type"] == "union_tag_invalid":
        return {**error, "type": "literal_error", "loc": (tag,), "ctx": {"expected": error["ctx"]["expected_tags"]}}
    return {**error, "loc": error["loc"][1:]}


def problem_reply(error: Exception, locale: Locale) -> Reply:
    """The answer to an exception. What is not in the table is our own failure: logged, and answered 500."""
    if isinstance(error, Problem):
        return _reply(error.kind, locale, error.params, headers=error.headers, **error.extra)
    if isinstance(error, InvalidBody):
        errors = [render_request_error(one, locale) for one in error.errors]
        return _reply("invalid-request", locale, {"count": len(errors)}, errors=errors)
    if isinstance(error, Refused):
        return _refused(error, locale)
    if isinstance(error, UnsafeJson):
        params = {"error" if name == "problem" else name: value for name, value in error.params.items()}
        message = texts(locale).text(f"request.{error.code}", **params)
        return _reply(
            "malformed-json",
            locale,
            {"reason": message},
            errors=[{"place": "", "code": error.code, "message": message}],
        )
    for known, kind in _OTHERS:
        if isinstance(error, known):
            headers = {}
            if kind == "database-unavailable":
                _LOG.warning("database_unavailable", reason=str(error))
                headers = {"retry-after": "1"}
            return _reply(kind, locale, {"path": "-"}, headers=headers)
    _LOG.exception("request_failed")
    return _reply("internal-error", locale, {"request_id": logs.request_id.get() or "-"})


_OTHERS: tuple[tuple[type[Exception], str], ...] = (
    (DatabaseDown, "database-unavailable"),
    (Conflict, "conflict"),
    (Unstorable, "not-found"),
)


def _refused(error: Refused, locale: Locale) -> Reply:
    extra: dict[str, Any] = {}
    if isinstance(error, InvalidProcessFile):
        extra["errors"] = [render_file_problem(problem, locale) for problem in error.problems]
    elif isinstance(error, InvalidRequest):
        message = texts(locale).text(f"request.{error.code}", **error.text_params)
        extra["errors"] = [{"place": error.place, "code": error.code, "message": message}]
    if "known" in error.params:
        extra["known"] = error.params["known"]
    if "place" in error.params:
        extra["place"] = error.params["place"]
    return _reply(error.kind, locale, error.params, **extra)


def _reply(
    kind: str, locale: Locale, params: dict[str, Any], *, headers: dict[str, str] | None = None, **extra: Any
) -> Reply:
    status = STATUS[kind]
    body: dict[str, Any] = {"type": TYPES + kind, **render_problem(kind, locale, **params), "status": status}
    request = logs.request_id.get()
    if request is not None:
        body["instance"] = f"urn:request:{request}"
    content = {
        "content-type": "application/problem+json",
        "content-language": locale,
        "vary": "accept-language",
        "cache-control": "no-store",
        **(headers or {}),
    }
    return Reply(status, to_json({**body, **extra}), content)
