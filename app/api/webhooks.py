"""Webhooks: what CRMs send, taken in; and what became of it."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Request, Response
from starlette.types import Receive, Scope

from app import clock
from app.api.bodies import read_body
from app.api.context import Services, caller_of
from app.api.crm_examples import CREDENTIALS, HUBSPOT_EVENT
from app.api.openapi import answers, operation, public
from app.api.parameters import Text, iso
from app.api.problems import Problem, Reply
from app.api.replies import Shape, json_reply
from app.api.routing import respond, router
from app.crm.events import Malformed
from app.i18n import pick_locale
from app.services import delivery_report
from app.services.deliveries import BadSignature
from app.services.deliveries import Request as Signed
from app.services.deliveries import receive as take_in

routes = router("connections")
PATH = "/webhooks/{connection}"
_PREFIX = PATH.partition("{")[0]
PROVES_UP_TO = 4
"""A body of so many times the limit is taken up to check its signature, and not kept."""


class ReceivedReply(Shape):
    """The delivery is stored; `status` is `refused` when it could not be read."""

    delivery_id: str
    status: str


class EventCounts(Shape):
    """How many events became what; `settling` counts what is judged later, `judged_anew` older moves whose verdict
    is another now.
    """

    judged: int
    not_judged: int
    settling: int
    facts: int
    ignored: int
    duplicate: int
    refused: int
    judged_anew: int


class FaultReply(Shape):
    """An event that cannot be used: its place in the delivery, from 0, and why."""

    event: int
    code: str
    reason: str


class DeliveryReply(Shape):
    """What became of a delivery. `received`: it waits; then `processed`, or `refused` with a `code` and a `reason`."""

    id: str
    connection: str
    status: str
    code: str | None
    reason: str | None
    received_at: str
    processed_at: str | None
    attempts: int
    events: EventCounts | None
    decisions: list[str]
    faults: list[FaultReply] | None = None


RECEIVED = {"delivery_id": "0199c7a1-52c3-7d10-8f0e-3b0a6c0a91d2", "status": "received"}
DELIVERY: dict[str, Any] = {
    "id": RECEIVED["delivery_id"],
    "connection": "hubspot-eu",
    "status": "processed",
    "code": None,
    "reason": None,
    "received_at": "2026-11-23T10:00:00Z",
    "processed_at": "2026-11-23T10:00:00.018000Z",
    "attempts": 1,
    "events": {
        "judged": 1, "not_judged": 0, "settling": 0, "facts": 1, "ignored": 0, "duplicate": 0, "refused": 0,
        "judged_anew": 0,
    },
    "decisions": ["0199c7a1-52d5-7a00-9b1f-6f2f4f1f7b11"],
}  # fmt: skip
_SIGNED: dict[str, Any] = {
    **public(),
    "parameters": [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in (
            ("X-HubSpot-Signature-v3", "HubSpot's signature over method, address, body and timestamp."),
            ("X-HubSpot-Request-Timestamp", "When HubSpot signed, in milliseconds; at most five minutes from now."),
        )
    ],
    "requestBody": {
        "required": True,
        "description": f"What the CRM sends, to the byte. {CREDENTIALS}",
        "content": {"application/json": {"schema": {}, "example": [HUBSPOT_EVENT]}},
    },
}

_ACKNOWLEDGED: dict[str, Any] = {
    "description": "The same, in the words that this CRM wants to hear: Salesforce's acknowledgement",
    "content": {"text/xml": {"schema": {"type": "string"}}},
}


@routes.post(
    PATH,
    status_code=202,
    summary="Receive a CRM's delivery",
    responses=answers(
        202,
        ReceivedReply,
        RECEIVED,
        "unknown-connection",
        "secret-unavailable",
        "bad-signature",
        "body-too-large",
        "request-timeout",
        body=False,
    )
    | {200: _ACKNOWLEDGED},
    openapi_extra=_SIGNED,
)
async def receive_delivery(
    request: Request, connection: Annotated[str, Path(description="The id of the connection.")]
) -> Response:
    """Answered once the delivery is stored; it is worked on afterwards.

    A delivery that cannot be read, or is of another account, is stored as refused and answered with 202 all the same:
    sent again it would be just as useless, and CRMs send again for a day whatever is not answered with success.
    """
    return respond(
        await _receive(request.app.state.services, connection, request.scope, request.receive, request.headers)
    )


def connection_in(path: str) -> str | None:
    """The connection that a path delivers to; None for any other path."""
    name = path.removeprefix(_PREFIX)
    return name if name and name != path and "/" not in name else None


async def fast_lane(services: Services, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Reply:
    """The same answer without the framework's routing."""
    return await _receive(services, connection_in(scope["path"]) or "", scope, receive, headers)


async def _receive(
    services: Services, connection: str, scope: Scope, receive: Receive, headers: Mapping[str, str]
) -> Reply:
    sent = await signed_request(services, scope, receive, headers)
    key, now = encryption_key(services), clock.now()
    try:
        received = await take_in(services.database, connection, sent, key=key, now=now, events=services.events)
    except BadSignature:
        if sent.refused and not sent.body:  # the signature may be good: the body was too long to tell
            limit = services.settings.max_body_bytes
            raise Problem("body-too-large", limit=limit, headers={"connection": "close"}) from None
        raise
    if received.status == "received":
        services.deliveries.wake()
    if received.answer is not None:
        return Reply(200, received.answer.body, {"content-type": received.answer.media_type})
    content = {"delivery_id": received.delivery_id, "status": received.status}
    return json_reply(content, pick_locale(headers.get("accept-language")), status=202)


async def signed_request(services: Services, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Signed:
    """What a CRM sent, with all that it may prove itself by.

    A body that is too long is read a while on, so that its signature tells who sent it; then it is let go.
    """
    settings = services.settings
    most, refused = settings.max_body_bytes, None
    try:
        body = await read_body(headers, receive, most * PROVES_UP_TO)
    except Problem as problem:
        if problem.kind != "body-too-large":
            raise
        body, refused = b"", Malformed("body_too_large", most=most)
    if len(body) > most:
        refused = Malformed("body_too_large", most=most)
    address = called_address(scope, headers, settings.public_url)
    return Signed(scope["method"], address, headers, body, refused)


def encryption_key(services: Services) -> str | None:
    """What the secrets of connections are encrypted with."""
    key = services.settings.encryption_key
    return None if key is None else key.get_secret_value()


def called_address(scope: Scope, headers: Mapping[str, str], public_url: str | None) -> str:
    """The address as the CRM called it, since it is signed: escapes as they came; the public one where one is set."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    base = public_url or f"{scope['scheme']}://{headers.get('host', '')}"
    return base + path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")


@routes.get(
    "/deliveries/{delivery_id}",
    summary="What became of a delivery",
    responses=answers(200, DeliveryReply, DELIVERY, "unknown-delivery", "invalid-request", body=False),
    openapi_extra=operation(None),
)
async def read_delivery(request: Request, delivery_id: Annotated[Text, Path(description="Its id.")]) -> Response:
    """Its status, what its events amounted to, and the decisions made of them. The body is not shown."""
    caller = caller_of(request)
    delivery = await delivery_report.read(caller.services.database, caller.tenant_id, delivery_id)
    if delivery is None:
        raise Problem("unknown-delivery", delivery=delivery_id)
    content = delivery_report.document(delivery, caller.locale)
    times = {name: iso(content[name]) for name in ("received_at", "processed_at") if content[name] is not None}
    return respond(json_reply({**content, **times}, caller.locale))
