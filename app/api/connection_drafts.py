"""Before a connection goes live: a mapping drafted from the CRM's own configuration, a delivery tried out."""

import json
from typing import Annotated, Any

from fastapi import Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app import clock
from app.api import examples
from app.api.connection_shapes import Credentials
from app.api.connections import ConnectionId
from app.api.context import Caller, caller_of
from app.api.crm_examples import HUBSPOT_EVENT
from app.api.crm_questions import reason_of
from app.api.openapi import answers, operation
from app.api.parameters import iso
from app.api.problems import Problem
from app.api.replies import DecisionReply, Shape, json_reply
from app.api.routing import respond, router
from app.crm.connection import ApiUrl
from app.crm.events import Malformed
from app.i18n import render_decision, texts
from app.services.connection_draft import Asked, CrmUnreachable, Reading, draft
from app.services.connection_trial import trial
from app.services.outbox_report import sentence
from app.store.connections import StoredConnection, read_connection

routes = router("connections")
_SETTINGS = ("api_url", "accounts_url", "token_url", "oauth_url", "stage_property")
"""What of a connection's settings its CRM's configuration is read by."""


class DraftAsked(BaseModel):
    """What is to be mapped. Either the CRM's configuration, pasted, or credentials that it can be read with.

    With a `connection` that is stored, its mapping is added to, and what it leaves out is listed.
    """

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    crm: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """The kind of CRM; that of the `connection`, where one is named."""
    connection: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """A stored connection: its mapping stands and is added to, under its own credentials where no `access` is given."""
    process: Annotated[str, Field(min_length=1, max_length=200)]
    """The process that is to judge the deals."""
    version: Annotated[int, Field(ge=1)] | None = None
    configuration: dict[str, JsonValue] | None = None
    """The CRM's own configuration, pasted: one part for each call of its API, as that answers it."""
    access: Credentials | None = None
    """Credentials that the configuration can be read with. They are not stored."""
    api_url: ApiUrl | None = None
    accounts_url: ApiUrl | None = None
    token_url: ApiUrl | None = None
    oauth_url: ApiUrl | None = None
    stage_property: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class LeftReply(Shape):
    """Something nobody could guess: where it stands in the settings, and what the CRM or the process calls it."""

    place: str
    label: str


class DraftReply(Shape):
    """Settings to complete and put, and what is left to map."""

    settings: dict[str, Any]
    left: list[LeftReply]


class TryAsked(BaseModel):
    """A delivery as the CRM would send it: JSON as it is, anything else as text."""

    model_config = ConfigDict(extra="forbid", strict=True)

    delivery: Annotated[JsonValue, Field(description="The body: JSON, or text for XML.")]


class TriedEvent(Shape):
    """What the delivery tells of a deal."""

    deal_id: str
    kind: str
    at: str
    name: str | None
    value: Any
    changed_by: str | None
    channel: str | None


class TryReply(Shape):
    """What a delivery would do: what it tells, the decisions that would be made, where each deal would stand.

    `read_back` are the deals of which only reading them can tell; `gap`: so for deals that it does not name.
    """

    events: list[TriedEvent]
    facts: int
    ignored: int
    read_back: list[str]
    gap: bool
    stages: dict[str, str | None]
    decisions: list[DecisionReply]
    faults: list[dict[str, Any]]


DRAFT: dict[str, Any] = {
    "settings": {
        "crm": "pipedrive",
        "company_id": "12345678",
        "pipelines": {"1": {"process": "b2b-saas", "stages": {"3": "demo_scheduled", "won": "won"}}},
        "fields": {"value": {"field": "amount", "type": "number"}},
        "people": {"77": {"id": "ana-rossi"}},
    },
    "left": [{"place": "pipelines.1.stages.4", "label": "Haggling"}],
}
ASKED = {
    "crm": "pipedrive",
    "process": "b2b-saas",
    "configuration": {
        "pipelines": [{"id": 1, "name": "Sales"}],
        "stages": [{"id": 3, "name": "Demo scheduled", "pipeline_id": 1}],
    },
}
TRIED: dict[str, Any] = {
    "events": [
        {"deal_id": "pd:42", "kind": "changed", "at": "2026-11-23T10:00:00Z", "name": "stage_id", "value": "4",
         "changed_by": "77", "channel": "app"}
    ],
    "facts": 0,
    "ignored": 0,
    "read_back": [],
    "gap": False,
    "stages": {"pd:42": "demo_completed"},
    "decisions": [examples.DECISION],
    "faults": [],
}  # fmt: skip


@routes.post(
    "/connection-drafts",
    summary="Draft a mapping",
    responses=answers(
        200,
        DraftReply,
        DRAFT,
        "unknown-process",
        "unknown-version",
        "unknown-connection",
        "crm-unreachable",
        "secret-unavailable",
    ),
    openapi_extra=operation("admin"),
)
async def draft_connection(
    request: Request, body: Annotated[DraftAsked, Body(openapi_examples={"pasted": {"value": ASKED}})]
) -> Response:
    """Stages, fields, choices and people that are called alike are mapped; the rest is listed. Nothing is stored."""
    caller = caller_of(request)
    services = caller.services
    access = None if body.access is None else {name: one.get_secret_value() for name, one in body.access.items()}
    settings = {name: value for name in _SETTINGS if (value := getattr(body, name)) is not None}
    stored = None if body.connection is None else await _stored(caller, body.connection)
    asked = Asked(body.crm, body.process, body.version, body.configuration, access, settings, stored)
    key = services.settings.encryption_key
    reading = Reading(services.database, services.http, None if key is None else key.get_secret_value())
    try:
        found = await draft(reading, services.processes, caller.tenant_id, asked)
    except CrmUnreachable as error:
        raise Problem("crm-unreachable", reason=sentence(error.code, error.reason_params, caller.locale)) from error
    return respond(json_reply({"settings": found.settings, "left": found.left}, caller.locale))


async def _stored(caller: Caller, connection_id: str) -> StoredConnection:
    found = await read_connection(caller.services.database, caller.tenant_id, connection_id)
    if found is None:
        raise Problem("unknown-connection", connection=connection_id)
    return found


@routes.post(
    "/connections/{connection_id}/try",
    summary="Try a delivery out",
    responses=answers(200, TryReply, TRIED, "unknown-connection", "unreadable-event"),
    openapi_extra=operation("admin"),
)
async def try_delivery(
    request: Request,
    connection_id: ConnectionId,
    body: Annotated[TryAsked, Body(openapi_examples={"an event": {"value": {"delivery": [HUBSPOT_EVENT]}}})],
) -> Response:
    """What a pasted delivery would do, without doing it: its signature is not asked for, and nothing of it stays."""
    caller = caller_of(request)
    services = caller.services
    connection = await _stored(caller, connection_id)
    text = body.delivery if isinstance(body.delivery, str) else json.dumps(body.delivery, ensure_ascii=False)
    try:
        found = await trial(services.database, services.processes, connection, text.encode(), clock.now())
    except Malformed as refusal:
        raise Problem("unreadable-event", reason=reason_of(refusal, caller.locale)) from refusal
    batch, locale = found.batch, caller.locale
    events = [
        {"deal_id": f"{connection_id}:{one.object_id}", "kind": one.kind, "at": iso(one.at), "name": one.name,
         "value": one.value, "changed_by": one.by, "channel": one.channel}
        for one in batch.events
    ]  # fmt: skip
    decisions = [
        {**render_decision(one.decision, one.compiled, locale, decision_id=""), "deal_id": deal_id}
        for deal_id, judged in found.judged.items()
        for one in judged
    ]
    faults = [
        {"event": one.place, "code": one.code, "reason": texts(locale).text(f"delivery.{one.code}", **one.params)}
        for one in batch.faults
    ]
    read_back = [f"{connection_id}:{one}" for one in batch.hints]
    content = {"events": events, "facts": len(batch.facts), "ignored": batch.ignored, "read_back": read_back,
               "gap": batch.gap, "stages": found.stages, "decisions": decisions, "faults": faults}  # fmt: skip
    return respond(json_reply(content, locale))
