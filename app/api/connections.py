"""Connections to CRM accounts: put, read, listed. A secret goes in and is never shown again."""

from typing import Annotated, Any

from fastapi import Body, Path, Query, Request, Response
from pydantic import ConfigDict, Field, SecretStr

from app import clock
from app.api.context import caller_of
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, good, operation
from app.api.parameters import Cursor, Limit, iso, page, place_of
from app.api.problems import InvalidBody, Problem, Reply
from app.api.replies import Page, json_reply
from app.api.routing import respond, router
from app.crm.hubspot import HubspotSettings
from app.services import connections
from app.store.database import Transaction

routes = router("connections")

ConnectionId = Annotated[
    str,
    Field(pattern=r"^[a-z0-9_-]+$", min_length=1, max_length=64),
    Path(description="The connection's id: it opens the ids of its deals and stands in the address of its webhook."),
]
_LONGEST_SECRET = 500


class PutConnection(HubspotSettings):
    """A connection's settings, with the secret it checks signatures with; left out, the stored one stays."""

    secret: Annotated[SecretStr | None, Field(min_length=1, max_length=_LONGEST_SECRET)] = None


class ConnectionReply(HubspotSettings):
    """A connection without its secret; `webhook` is where the CRM must send to."""

    model_config = ConfigDict(extra="allow")

    id: str
    secret_set: bool
    webhook: str
    created_at: str
    updated_at: str


class ConnectionPage(Page):
    """Connections, by id."""

    items: list[ConnectionReply]


PUT_EXAMPLE: dict[str, Any] = {
    "crm": "hubspot",
    "secret": "the client secret of the HubSpot app",
    "portal_id": 5799819,
    "pipelines": {
        "default": {
            "process": "b2b-saas",
            "stages": {"presentationscheduled": "demo_scheduled", "closedwon": "won", "closedlost": "lost"},
        }
    },
    "fields": {"amount": {"field": "amount", "type": "number"}},
    "people": {"1001": {"id": "rep-7", "roles": ["rep"]}, "9001": {"id": "rep-7", "roles": ["rep"]}},
}
EXAMPLE: dict[str, Any] = {
    "id": "hubspot-eu",
    "stage_property": "dealstage",
    "pipeline_property": "pipeline",
    "owner_property": "hubspot_owner_id",
    **{name: value for name, value in PUT_EXAMPLE.items() if name != "secret"},
    "secret_set": True,
    "webhook": "/webhooks/hubspot-eu",
    "created_at": "2026-11-23T10:00:00Z",
    "updated_at": "2026-11-23T10:00:00Z",
}


@routes.put(
    "/connections/{connection_id}",
    summary="Connect a CRM account",
    responses={
        **answers(200, ConnectionReply, EXAMPLE, "conflict", "idempotency-key-reused"),
        201: good(ConnectionReply, EXAMPLE),
    },
    openapi_extra=operation("admin", idempotent=True),
)
async def put_connection(
    request: Request,
    connection_id: ConnectionId,
    body: Annotated[PutConnection, Body(openapi_examples={"hubspot": {"value": PUT_EXAMPLE}})],
) -> Response:
    """Store a connection, new or over an older one. What its mapping names and does not exist is told all at once."""
    caller = caller_of(request)
    services = caller.services
    settings = HubspotSettings.model_construct(**{name: getattr(body, name) for name in HubspotSettings.model_fields})
    secret = None if body.secret is None else body.secret.get_secret_value()
    change = connections.Change(connection_id, settings, secret)
    key = services.settings.encryption_key
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        opened = None if key is None else key.get_secret_value()
        put = await connections.put_in(tx, services.processes, caller.tenant_id, change, key=opened, now=now)
        return json_reply(_shape(put[0]), caller.locale, status=201 if put[1] else 200)

    mark = fingerprint(request.method, request.url.path, "", request.state.body)
    try:
        return respond(await write(caller, mark, work))
    except connections.WrongConnection as wrong:
        errors = [{**one._asdict(), "msg": "", "input": None} for one in wrong.errors]
        raise InvalidBody(errors) from wrong  # type: ignore[arg-type]


@routes.get(
    "/connections/{connection_id}",
    summary="Read a connection",
    responses=answers(200, ConnectionReply, EXAMPLE, "unknown-connection", "invalid-request", body=False),
    openapi_extra=operation("admin"),
)
async def read_connection(request: Request, connection_id: ConnectionId) -> Response:
    """Its settings; of its secret only that there is one."""
    caller = caller_of(request)
    found = await connections.read(caller.services.database, caller.tenant_id, connection_id)
    if found is None:
        raise Problem("unknown-connection", connection=connection_id)
    return respond(json_reply(_shape(found), caller.locale))


@routes.get(
    "/connections",
    summary="List connections",
    responses=answers(
        200, ConnectionPage, {"items": [EXAMPLE], "next_cursor": None}, "invalid-cursor", "invalid-request", body=False
    ),
    openapi_extra=operation("admin"),
)
async def list_connections(
    request: Request, *, limit: Annotated[Limit, Query()] = 50, cursor: Cursor = None
) -> Response:
    """Connections by id."""
    caller = caller_of(request)
    after = place_of(cursor) or ""
    found = await connections.list_all(caller.services.database, caller.tenant_id)
    shown = [one for one in found if one.connection_id > after][: limit + 1]
    content = page([_shape(one) for one in shown], [one.connection_id for one in shown], limit)
    return respond(json_reply(content, caller.locale))


def _shape(connection: connections.Connection) -> dict[str, Any]:
    return {
        **connections.document(connection),
        "created_at": iso(connection.created_at),
        "updated_at": iso(connection.updated_at),
    }
