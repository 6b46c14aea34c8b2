"""Connections to CRM accounts: put, read, listed. A secret goes in and is never shown again."""

from typing import Annotated, Any, Union

from fastapi import Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from app import clock
from app.api.context import Caller, caller_of
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, good, operation
from app.api.parameters import Cursor, Limit, iso, page, place_of
from app.api.problems import InvalidBody, Problem, Reply
from app.api.replies import Page, RemovedReply, Shape, json_reply
from app.api.routing import respond, router
from app.crm.adapters import ADAPTERS
from app.crm.connection import ConnectionSettings
from app.engine.values import Duration, duration
from app.i18n import texts
from app.services import connections
from app.services.connection_gaps import mapping_gaps
from app.store.database import Reader, Transaction

routes = router("connections")

ConnectionId = Annotated[
    str,
    Field(pattern=r"^[a-z0-9_-]+$", min_length=1, max_length=64),
    Path(description="The connection's id: it opens the ids of its deals and stands in the address of its webhook."),
]
_LONGEST_SECRET = 500
_LONGEST_CREDENTIAL = 8_000
_MOST_CREDENTIALS = 20
_Credentials = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")],
        Annotated[SecretStr, Field(min_length=1, max_length=_LONGEST_CREDENTIAL)],
    ],
    Field(max_length=_MOST_CREDENTIALS),
]


class PutSecrets(BaseModel):
    """What goes in with a connection's settings and never comes out again; left out, what is stored stays."""

    secret: Annotated[
        SecretStr | None,
        Field(min_length=1, max_length=_LONGEST_SECRET, description="What deliveries prove themselves with."),
    ] = None
    secret_overlap: Annotated[
        Duration, Field(description="How long the secret before goes on being accepted beside a new one.")
    ] = "24h"  # noqa: S105 - a time
    access: Annotated[
        _Credentials | None, Field(description="Credentials for the CRM's API, by name; null takes them away.")
    ] = None


def _put_model(kind: str, settings: type[ConnectionSettings]) -> type[ConnectionSettings]:
    """The settings of one CRM with what is secret beside them."""
    name = f"Put{kind.capitalize()}Connection"
    doc = f"A connection to {kind}: its settings, and the secrets that are never shown again."
    return type(name, (PutSecrets, settings), {"__doc__": doc, "__module__": __name__})


def _one_of(models: list[type[BaseModel]]) -> Any:
    return Annotated[Union[tuple(models)], Field(discriminator="crm")] if len(models) > 1 else models[0]  # noqa: UP007


_MODELS = {kind: _put_model(kind, adapter.settings) for kind, adapter in ADAPTERS.items()}
PutConnection = _one_of(list(_MODELS.values()))


class GapReply(Shape):
    """Something that the mapping leaves out."""

    place: str
    code: str
    message: str


class ConnectionReply(ConnectionSettings):
    """A connection without its secrets; `webhook` is where the CRM must send to. Its CRM's own settings come along.

    `warnings`, on one connection, list what the mapping leaves out.
    """

    model_config = ConfigDict(extra="allow")

    id: str
    secret_set: bool
    previous_secret_until: str | None
    access_set: bool
    webhook: str
    created_at: str
    updated_at: str
    warnings: list[GapReply] | None = None


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
    "previous_secret_until": None,
    "access_set": False,
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
    body: Annotated[PutConnection, Body(openapi_examples={"hubspot": {"value": PUT_EXAMPLE}})],  # type: ignore[valid-type]
) -> Response:
    """Store a connection, new or over an older one. What its mapping names and does not exist is told all at once."""
    caller = caller_of(request)
    services = caller.services
    change = _change(connection_id, body)
    key = services.settings.encryption_key
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        opened = None if key is None else key.get_secret_value()
        put = await connections.put_in(tx, services.processes, caller.tenant_id, change, key=opened, now=now)
        shape = await _with_warnings(tx, caller, put[0])
        return json_reply(shape, caller.locale, status=201 if put[1] else 200)

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
    return respond(json_reply(await _with_warnings(caller.services.database, caller, found), caller.locale))


@routes.delete(
    "/connections/{connection_id}",
    summary="Forget a connection",
    responses=answers(
        200,
        RemovedReply,
        {"id": "hubspot-eu", "removed": True},
        "unknown-connection",
        "invalid-request",
        "idempotency-key-reused",
        body=False,
    ),
    openapi_extra=operation("admin", idempotent=True),
)
async def delete_connection(request: Request, connection_id: ConnectionId) -> Response:
    """Its settings and secrets are gone, and its deliveries are refused from now on. Its deals stay."""
    caller = caller_of(request)

    async def work(tx: Transaction) -> Reply:
        if not await connections.delete(tx, caller.tenant_id, connection_id):
            raise Problem("unknown-connection", connection=connection_id)
        return json_reply({"id": connection_id, "removed": True}, caller.locale)

    return respond(await write(caller, fingerprint(request.method, request.url.path, "", b""), work))


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


def _change(connection_id: str, body: Any) -> connections.Change:
    model = ADAPTERS[body.crm].settings
    settings = model.model_construct(**{name: getattr(body, name) for name in model.model_fields})
    given: dict[str, Any] = {"overlap": duration(body.secret_overlap)}
    if "access" in body.model_fields_set:
        access = body.access
        given["access"] = None if access is None else {name: one.get_secret_value() for name, one in access.items()}
    secret = None if body.secret is None else body.secret.get_secret_value()
    return connections.Change(connection_id, settings, secret, **given)


async def _with_warnings(db: Reader, caller: Caller, connection: connections.Connection) -> dict[str, Any]:
    gaps = await mapping_gaps(
        db, caller.services.processes, caller.tenant_id, connection.connection_id, connection.settings
    )
    catalogue = texts(caller.locale)
    warnings = [
        {"place": ".".join(gap.place), "code": gap.code, "message": catalogue.text(f"gap.{gap.code}", **gap.params)}
        for gap in gaps
    ]
    return {**_shape(connection), "warnings": warnings}


def _shape(connection: connections.Connection) -> dict[str, Any]:
    until = connection.previous_until
    return {
        **connections.document(connection),
        "previous_secret_until": None if until is None else iso(until),
        "created_at": iso(connection.created_at),
        "updated_at": iso(connection.updated_at),
    }
