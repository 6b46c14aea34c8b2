"""Connections to CRM accounts: put, read, listed. A secret goes in and is never shown again."""

from typing import Annotated, Any

from fastapi import Body, Path, Query, Request, Response
from pydantic import Field

from app import clock
from app.api.connection_shapes import EXAMPLE, PUT_EXAMPLES, ConnectionPage, ConnectionReply, PutConnection
from app.api.context import Caller, caller_of
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, good, operation
from app.api.parameters import Cursor, Limit, iso, page, place_of
from app.api.problems import InvalidBody, Problem, Reply
from app.api.replies import RemovedReply, json_reply
from app.api.routing import respond, router
from app.crm.adapters import ADAPTERS
from app.engine.values import duration
from app.i18n import Locale, texts
from app.services import connections
from app.services.connection_gaps import Gap, mapping_gaps
from app.store.database import Reader, Transaction

routes = router("connections")

ConnectionId = Annotated[
    str,
    Field(pattern=r"^[a-z0-9_-]+$", min_length=1, max_length=64),
    Path(description="The connection's id: it opens the ids of its deals and stands in the address of its webhook."),
]


@routes.put(
    "/connections/{connection_id}",
    summary="Connect a CRM account",
    responses={
        **answers(200, ConnectionReply, EXAMPLE, "connection-taken", "idempotency-key-reused"),
        201: good(ConnectionReply, EXAMPLE),
    },
    openapi_extra=operation("admin", idempotent=True),
)
async def put_connection(
    request: Request,
    connection_id: ConnectionId,
    body: Annotated[PutConnection, Body(openapi_examples=PUT_EXAMPLES)],
) -> Response:
    """Store a connection, new or over an older one. What its mapping names and does not exist is told all at once."""
    caller = caller_of(request)
    services = caller.services
    change = _change(connection_id, body.root)
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
    """Its settings and secrets are gone, its deliveries are refused from now on, what waits for it is cancelled.

    Its deals stay.
    """
    caller = caller_of(request)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        if not await connections.delete(tx, caller.tenant_id, connection_id, now):
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
    return {**_shape(connection), "warnings": [_warning(gap, caller.locale) for gap in gaps]}


def _warning(gap: Gap, locale: Locale) -> dict[str, str]:
    message = texts(locale).text(f"{'request' if gap.refused else 'gap'}.{gap.code}", **gap.params)
    return {"place": ".".join(gap.place), "code": gap.code, "message": message}


def _shape(connection: connections.Connection) -> dict[str, Any]:
    until = connection.previous_until
    return {
        **connections.document(connection),
        "previous_secret_until": None if until is None or until <= clock.now() else iso(until),
        "created_at": iso(connection.created_at),
        "updated_at": iso(connection.updated_at),
    }
