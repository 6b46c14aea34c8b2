"""Problems in words: of a process file, of a request's values, and of a whole request (the `type` of problem+json)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import ErrorDetails

from app.engine.errors import FileProblem
from app.i18n.texts import Catalogue, Locale, texts
from app.i18n.words import Word, noun

Shape = dict[str, Any]

PROBLEM_TYPES = (
    "unauthorized", "forbidden", "not-found", "unknown-process", "unknown-version", "unknown-deal", "unknown-stage",
    "unknown-decision", "unknown-connection", "unknown-delivery", "unknown-activity", "method-not-allowed",
    "body-too-large", "unsupported-media-type", "not-acceptable", "malformed-json", "invalid-request",
    "invalid-process-file", "conflict", "activity-conflict", "stage-conflict", "deal-moved", "already-there",
    "precondition-failed", "idempotency-key-reused", "idempotency-in-progress", "bad-signature",
    "database-unavailable", "secret-unavailable", "request-timeout", "internal-error", "invalid-cursor",
    "both-deal-forms", "unknown-starter", "unknown-endpoint", "unknown-outbox-item", "outbox-item-waits",
    "outbox-item-over", "unreadable-event", "unknown-sync", "connection-without-access", "connection-taken",
    "move-vetoed", "veto-failed", "crm-unreachable",
)  # fmt: skip
"""The last part of every `type`; each has `problem.TYPE.title` and `problem.TYPE.detail`."""

_MOST_NAMES = 20
_QUOTED = re.compile(r"'([^']*)'")


def render_problem(kind: str, locale: Locale, **params: Any) -> dict[str, str]:
    """Title and detail of a problem type. A list among the params is written `a`, `b`."""
    catalogue = texts(locale)
    ready = {name: _names(value) if isinstance(value, list | tuple) else value for name, value in params.items()}
    return {
        "title": catalogue.text(f"problem.{kind}.title"),
        "detail": catalogue.text(f"problem.{kind}.detail", **ready),
    }


def render_file_problem(problem: FileProblem, locale: Locale) -> Shape:
    """One problem of a process file, with its place."""
    catalogue = texts(locale)
    code = problem.code
    if code == "out_of_range":
        code += _bounds(problem.params)
    # `only_for` names types as they are written in the file; elsewhere they are told in words.
    params = problem.params if code == "only_for" else _file_params(problem.params, catalogue)
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": catalogue.text(f"file.{code}", **params),
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
    }


def _bounds(params: Mapping[str, Any]) -> str:
    if params.get("least") is not None and params.get("most") is not None:
        return ".between"
    return ".least" if params.get("least") is not None else ".most"


def _file_params(params: Mapping[str, Any], catalogue: Catalogue) -> Shape:
    """The params of a file problem as words: what is known, what was meant, where it stood first."""
    words: Shape = {}
    for name, value in params.items():
        words[name] = _names(value) if isinstance(value, list | tuple) else _WORDS.get(name, _as_is)(value, catalogue)
    words["hint"] = _hint(params, catalogue)
    words["first"] = catalogue.text("file.first_at", **params) if _has_place(params) else ""
    found = params.get("found")
    if isinstance(found, list):
        words["count"] = len(found)
        words["given"] = catalogue.text("file.given", found=_names(found)) if found else ""
    return words


def _has_place(params: Mapping[str, Any]) -> bool:
    return bool(params.get("line"))


def _hint(params: Mapping[str, Any], catalogue: Catalogue) -> str:
    if params.get("near"):
        return catalogue.text("file.near", near=params["near"])
    known = params.get("known")
    return catalogue.text("file.known", known=_names(known)) if known else ""


def _names(names: Sequence[Any]) -> str:
    """`a`, `b`: cut short where there are very many."""
    said = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES])
    return f"{said}, …" if len(names) > _MOST_NAMES else said


def _as_is(value: Any, _catalogue: Catalogue) -> Any:
    return value


def _word(section: str) -> Callable[[Any, Catalogue], Any]:
    def of(value: Any, catalogue: Catalogue) -> Any:
        code = f"file.{section}.{value}"
        return catalogue.text(code) if isinstance(value, str) and catalogue.has(code) else value

    return of


def _what(value: Any, catalogue: Catalogue) -> Word:
    return noun(catalogue.text(f"file.what.{value}"), catalogue.locale)


def _type(value: Any, catalogue: Catalogue) -> Any:
    code = f"type.{value}"
    return catalogue.text(code) if catalogue.has(code) else value


_WORDS: dict[str, Callable[[Any, Catalogue], Any]] = {
    "expected": _word("type"),
    "found": _word("type"),
    "what": _what,
    "unit": _word("unit"),
    "because": _word("because"),
    "type": _type,
}


def render_request_error(error: ErrorDetails, locale: Locale) -> dict[str, str]:
    """One wrong value of a request: where it stands, by our code, in words."""
    catalogue = texts(locale)
    kind = error["type"] if catalogue.has(f"request.{error['type']}") else "invalid"
    context = {name: _context(value) for name, value in error.get("ctx", {}).items()}
    if "expected" in context:  # pydantic joins them in English: 'done' or 'planned'
        context["expected"] = _names(_QUOTED.findall(str(context["expected"])))
    return {"place": place(error["loc"]), "code": kind, "message": catalogue.text(f"request.{kind}", **context)}


def place(location: Sequence[int | str]) -> str:
    """`deal.activities[0].at`."""
    said = ""
    for step in location:
        if isinstance(step, int):
            said += f"[{step}]"
        elif step == "[key]":  # the name itself is wrong, and stands there already
            continue
        else:
            said += f".{step}" if said else str(step)
    return said


def _context(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
