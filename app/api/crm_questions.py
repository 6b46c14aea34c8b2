"""POST /validate-transition?connection=ID: a CRM asks with its own record or event, under its own credentials."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from pydantic_core import ErrorDetails
from starlette.types import Receive, Scope

from app import clock
from app.api.context import Services
from app.api.crm_examples import CREDENTIALS
from app.api.problems import InvalidBody, Problem, Reply
from app.api.replies import json_reply
from app.api.webhooks import encryption_key, signed_request
from app.crm.events import Malformed
from app.i18n import Locale, pick_locale, render_decision, texts
from app.services.crm_bodies import Body, read_body_of
from app.services.crm_questions import Answer, answer, known_deals, require_answer
from app.services.decision_log import Source, logged
from app.services.deliveries import genuine
from app.services.ids import new_id
from app.store.connections import StoredConnection
from app.store.database import Transaction
from app.store.decisions import LoggedDecision, insert_decision

PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "connection",
        "in": "query",
        "required": False,
        "description": f"The body is a CRM's own record or event, or a list of them. {CREDENTIALS}",
        "schema": {"type": "string"},
    },
    {
        "name": "to",
        "in": "query",
        "required": False,
        "description": "With `connection`: the stage to move to; the one that the body tells if not said.",
        "schema": {"type": "string"},
    },
    {
        "name": "dry_run",
        "in": "query",
        "required": False,
        "description": "With `connection`: `true` leaves the decision log alone.",
        "schema": {"enum": ["true", "false"]},
    },
    *(
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": "With `connection`: the secret, where the CRM can only bring it in the address.",
            "schema": {"type": "string"},
        }
        for name in ("key", "code")
    ),
]
_NAMES = frozenset(one["name"] for one in PARAMETERS)
_MOST_PARAMETERS = 10
_LONGEST = 200


class _Asked(NamedTuple):
    """What the address says."""

    connection: str
    to: str | None
    dry_run: bool


def is_asked(scope: Scope) -> bool:
    """Whether a question names a connection."""
    query: bytes = scope.get("query_string", b"")
    return query.startswith(b"connection=") or b"&connection=" in query


def refuse_parameters(scope: Scope) -> None:
    """Without a connection everything is asked in the body: a parameter that would be passed over is refused."""
    query = scope.get("query_string", b"")
    names = [one.partition("=")[0] for one in query.decode("latin-1").split("&") if one]
    if names:
        raise InvalidBody([_wrong(name[:_LONGEST], "extra_forbidden") for name in dict.fromkeys(names)])


async def fast_lane(services: Services, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Reply:
    """The decision on each deal that the body is about."""
    asked, locale, now = _asked(scope), pick_locale(headers.get("accept-language")), clock.now()
    sent = await signed_request(services, scope, receive, headers)
    connection = await genuine(services.database, asked.connection, sent, key=encryption_key(services), now=now)
    if sent.refused:
        raise Problem("body-too-large", limit=services.settings.max_body_bytes)
    try:
        body = read_body_of(connection, sent.body, now)
    except Malformed as refusal:
        raise Problem("unreadable-event", reason=reason_of(refusal, locale)) from refusal
    known = await known_deals(services.database, services.processes, connection, body.batch, hints=asked.to is not None)
    found = [answer(one, asked.to, now) for one in known]
    answers = require_answer(found, asked.to, as_record=body.as_record)
    entries, shapes = rendered(connection, answers, locale, source="crm")
    if not asked.dry_run:
        await log(services, entries)
    for one in answers:
        services.metrics.decided(one.decision.outcome, "crm")
    return json_reply(_content(body, shapes, locale), locale)


def reason_of(refusal: Malformed, locale: Locale) -> str:
    """Why a body cannot be read, in words."""
    return texts(locale).text(f"delivery.{refusal.code}", **refusal.params)


def rendered(
    connection: StoredConnection, answers: list[Answer], locale: Locale, *, source: Source
) -> tuple[list[LoggedDecision], list[dict[str, Any]]]:
    """The decisions as they are logged, and as they are answered."""
    entries, shapes = [], []
    for one in answers:
        now = clock.now()
        decision_id, deal_id = new_id(now), one.known.deal_id
        shape = render_decision(one.decision, one.compiled, locale, decision_id=decision_id)
        shapes.append({**shape, "deal_id": deal_id})
        entry = logged(
            connection.tenant_id, decision_id, one.decision, deal_id=deal_id, actor=one.known.actor, source=source,
            now=now,
        )  # fmt: skip
        entries.append(entry._replace(channel=one.known.channel, changed_by=one.known.changed_by))
    return entries, shapes


async def log(services: Services, entries: list[LoggedDecision]) -> None:
    """Write the decisions into the log, all of them or none."""

    async def work(tx: Transaction) -> None:
        for entry in entries:
            await insert_decision(tx, entry)

    if entries:
        await services.database.transaction(work)


def _content(body: Body, shapes: list[dict[str, Any]], locale: Locale) -> dict[str, Any]:
    """One decision where one thing was asked about, else all of them; what could not be used beside them."""
    if not body.listed and len(shapes) == 1 and not body.batch.faults:
        return shapes[0]
    content: dict[str, Any] = {"decisions": shapes}
    if body.batch.faults:
        content["faults"] = [
            {"event": one.place, "code": one.code, "reason": texts(locale).text(f"delivery.{one.code}", **one.params)}
            for one in body.batch.faults
        ]
    return content


def _asked(scope: Scope) -> _Asked:
    """The parameters, as strictly as those of any other operation. Raises InvalidBody."""
    query = scope.get("query_string", b"").decode("latin-1")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError as error:
        raise InvalidBody([_wrong("connection", "invalid")]) from error
    given = dict(pairs)
    wrong = [_wrong(name[:_LONGEST], "extra_forbidden") for name in given if name not in _NAMES]
    wrong += [
        _wrong(name, "invalid")
        for name in ("connection", "to")
        if name in given and not (0 < len(given[name]) <= _LONGEST and given[name].isprintable())
    ]
    if given.get("dry_run", "false") not in ("true", "false"):
        wrong.append(_wrong("dry_run", "bool_parsing"))
    if wrong:
        raise InvalidBody(wrong)
    return _Asked(given["connection"], given.get("to"), given.get("dry_run") == "true")


def _wrong(name: str, kind: str) -> ErrorDetails:
    return ErrorDetails(type=kind, loc=(name,), msg="", input=None)
