"""Endpoints: who is told of our events. A secret is ours; it is shown when it is made, and never again."""

from typing import Annotated, Any, Literal

from fastapi import Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app import clock
from app.api.context import Caller, caller_of
from app.api.idempotency import fingerprint, is_replayed, write
from app.api.openapi import answers, good, operation
from app.api.parameters import Cursor, Limit, page, place_of, shown
from app.api.problems import Reply
from app.api.replies import Page, RemovedReply, Shape, json_reply
from app.api.routing import respond, router
from app.outbox.addresses import allowed_of
from app.services import endpoints
from app.services.events import EventType
from app.store.database import Transaction
from app.store.endpoints import list_endpoints as stored_endpoints

routes = router("outbox")

EndpointId = Annotated[
    str,
    Field(pattern=r"^[a-z0-9_-]+$", min_length=1, max_length=64),
    Path(description="The endpoint's id, of your choice."),
]


class PutEndpoint(BaseModel):
    """Where events are sent, and which."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(min_length=1, max_length=1000, description="Where to send them, by POST.")]
    events: Annotated[
        list[EventType | Literal["*"]], Field(min_length=1, max_length=50, description="Types of events; `*`: all.")
    ] = ["*"]
    paused: Annotated[
        bool, Field(description="While paused it is told of nothing new; what waits is sent when it goes on.")
    ] = False


class EndpointReply(Shape):
    """An endpoint."""

    id: str
    url: str
    events: list[str]
    paused: bool
    secret: Annotated[
        str | None,
        Field(description="What `webhook-signature` is made with. Only in the answer that made it; null ever after."),
    ]
    previous_secret_until: Annotated[
        str | None, Field(description="Until when the secret before signs along; null when there is none.")
    ]
    created_at: str
    updated_at: str


class EndpointPage(Page):
    """Endpoints, by id."""

    items: list[EndpointReply]


PUT_EXAMPLE = {"url": "https://crm-team.example.com/stagerail", "events": ["deal.moved", "deal.rotting"]}
KNOWN: dict[str, Any] = {
    "id": "crm-team",
    **PUT_EXAMPLE,
    "paused": False,
    "secret": None,
    "previous_secret_until": None,
    "created_at": "2026-11-23T10:00:00Z",
    "updated_at": "2026-11-23T10:00:00Z",
}
MADE = {**KNOWN, "secret": "whsec_c2hvd24gb25jZSwgYW5kIG5ldmVyIGFnYWluIDstKSA="}
ROTATED = {**MADE, "previous_secret_until": "2026-11-24T10:00:00Z"}


@routes.put(
    "/endpoints/{endpoint_id}",
    summary="Be told of events",
    responses={
        **answers(200, EndpointReply, KNOWN, "idempotency-key-reused"),
        201: good(EndpointReply, MADE),
    },
    openapi_extra=operation("admin", idempotent=True),
)
async def put_endpoint(
    request: Request,
    endpoint_id: EndpointId,
    body: Annotated[PutEndpoint, Body(openapi_examples={"two types": {"value": PUT_EXAMPLE}})],
) -> Response:
    """Store an endpoint. A new one gets its secret in this answer, and only here: an answer given again lacks it."""
    caller = caller_of(request)
    services = caller.services
    endpoints.check_url(body.url, allowed_of(services.settings.outgoing_allow))
    change = endpoints.Change(endpoint_id, body.url, body.events, body.paused)
    now = clock.now()

    async def work(tx: Transaction) -> endpoints.Put:
        return await endpoints.put(tx, services.events, caller.tenant_id, change, key=_key(caller), now=now)

    reply = await _write(caller, request, work)
    services.events.forget(caller.tenant_id)
    services.outbox.wake()
    return respond(reply)


@routes.post(
    "/endpoints/{endpoint_id}/rotate",
    name="rotate_endpoint",
    summary="Give an endpoint a new secret",
    responses=answers(200, EndpointReply, ROTATED, "unknown-endpoint", "idempotency-key-reused", body=False),
    openapi_extra=operation("admin", idempotent=True),
)
async def rotate(request: Request, endpoint_id: EndpointId) -> Response:
    """The new secret, shown once. For a day both sign: a receiver may go over to the new one at any time until then."""
    caller = caller_of(request)
    now = clock.now()

    async def work(tx: Transaction) -> endpoints.Put:
        return await endpoints.rotate(tx, caller.tenant_id, endpoint_id, key=_key(caller), now=now)

    return respond(await _write(caller, request, work))


@routes.get(
    "/endpoints/{endpoint_id}",
    summary="Read an endpoint",
    responses=answers(200, EndpointReply, KNOWN, "unknown-endpoint", "invalid-request", body=False),
    openapi_extra=operation("admin"),
)
async def read_endpoint(request: Request, endpoint_id: EndpointId) -> Response:
    """An endpoint, without its secret."""
    caller = caller_of(request)
    found = await endpoints.read(caller.services.database, caller.tenant_id, endpoint_id)
    return respond(json_reply(_shape(endpoints.Put(found, created=False, secret=None)), caller.locale))


@routes.get(
    "/endpoints",
    summary="List endpoints",
    responses=answers(
        200, EndpointPage, {"items": [KNOWN], "next_cursor": None}, "invalid-cursor", "invalid-request", body=False
    ),
    openapi_extra=operation("admin"),
)
async def list_endpoints(request: Request, *, limit: Annotated[Limit, Query()] = 50, cursor: Cursor = None) -> Response:
    """Endpoints by id."""
    caller = caller_of(request)
    rows = await stored_endpoints(caller.services.database, caller.tenant_id, limit=limit + 1, cursor=place_of(cursor))
    shapes = [_shape(endpoints.Put(row, created=False, secret=None)) for row in rows]
    return respond(json_reply(page(shapes, [row.endpoint_id for row in rows], limit), caller.locale))


@routes.delete(
    "/endpoints/{endpoint_id}",
    summary="Take an endpoint away",
    responses=answers(
        200, RemovedReply, {"id": "crm-team", "removed": True}, "unknown-endpoint", "invalid-request",
        "idempotency-key-reused", body=False,
    ),
    openapi_extra=operation("admin", idempotent=True),
)  # fmt: skip
async def delete_endpoint(request: Request, endpoint_id: EndpointId) -> Response:
    """It is told of nothing more; what waits for it is cancelled."""
    caller = caller_of(request)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        await endpoints.remove(tx, caller.services.events, caller.tenant_id, endpoint_id, now)
        return json_reply({"id": endpoint_id, "removed": True}, caller.locale)

    reply = await write(caller, fingerprint("DELETE", request.url.path, "", b""), work)
    caller.services.events.forget(caller.tenant_id)
    return respond(reply)


async def _write(caller: Caller, request: Request, change: Any) -> Reply:
    """Carry out a change. The answer that is kept for an Idempotency-Key has no secret in it."""
    made: list[endpoints.Put] = []

    async def work(tx: Transaction) -> Reply:
        put = await change(tx)
        made.append(put)
        return json_reply(_shape(put._replace(secret=None)), caller.locale, status=201 if put.created else 200)

    mark = fingerprint(request.method, request.url.path, "", getattr(request.state, "body", b""))
    reply = await write(caller, mark, work)
    if is_replayed(reply):
        return reply
    return json_reply(_shape(made[-1]), caller.locale, status=reply.status)


def _shape(put: endpoints.Put) -> dict[str, Any]:
    return {**shown(endpoints.document(put.endpoint, clock.now())), "secret": put.secret}


def _key(caller: Caller) -> str | None:
    key = caller.services.settings.encryption_key
    return None if key is None else key.get_secret_value()
