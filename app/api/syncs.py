"""Rebuilding deals from their CRM: asked for, and watched."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from app import clock
from app.api.connections import ConnectionId
from app.api.context import Caller, caller_of
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, operation
from app.api.parameters import Text, only_text, shown
from app.api.problems import Problem, Reply
from app.api.replies import Shape, json_reply
from app.api.routing import respond, router
from app.crm.adapters import ADAPTERS
from app.engine.snapshot import EARLIEST, LATEST
from app.services import sync
from app.services.clients import has_access
from app.store.connections import read_connection
from app.store.database import Transaction
from app.store.syncs import StoredSync

routes = router("connections")

SyncId = Annotated[Text, Path(description="The sync's id.")]


class BeginSync(BaseModel):
    """What to rebuild: one deal, or all that have changed since; all of them where neither is said."""

    model_config = ConfigDict(extra="forbid")

    deal: Annotated[Text | None, Field(description="The CRM's own id of one deal.")] = None
    changed_since: Annotated[
        Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), BeforeValidator(only_text)] | None,
        Field(description="RFC 3339 with an offset."),
    ] = None


class SyncReply(Shape):
    """How far a sync has come."""

    id: str
    connection: str
    deal: str | None
    changed_since: str | None
    status: Literal["running", "done", "failed"]
    done: Annotated[int, Field(description="Deals read and taken in.")]
    failed: Annotated[int, Field(description="Deals that could not be read; the rest went on.")]
    total: Annotated[int | None, Field(description="How many there are, where the CRM tells.")]
    code: Annotated[str | None, Field(description="Why the last deal, or the whole, failed.")]
    reason: str | None
    started_at: str
    updated_at: str
    finished_at: str | None


EXAMPLE: dict[str, Any] = {
    "id": "019ab0c2-7000-7b11-9f3c-0d4e8a2b6c11",
    "connection": "hubspot-eu",
    "deal": None,
    "changed_since": "2026-11-01T00:00:00Z",
    "status": "running",
    "done": 120,
    "failed": 0,
    "total": 870,
    "code": None,
    "reason": None,
    "started_at": "2026-11-23T10:00:00Z",
    "updated_at": "2026-11-23T10:00:41Z",
    "finished_at": None,
}
BEGUN = {**EXAMPLE, "done": 0, "total": None, "updated_at": EXAMPLE["started_at"]}


@routes.post(
    "/connections/{connection_id}/syncs",
    status_code=202,
    name="begin_sync",
    summary="Rebuild deals from their CRM",
    responses=answers(
        202, SyncReply, BEGUN, "unknown-connection", "connection-without-access", "idempotency-key-reused"
    ),
    openapi_extra=operation("admin", idempotent=True),
)
async def begin_sync(
    request: Request,
    connection_id: ConnectionId,
    body: Annotated[
        BeginSync, Body(openapi_examples={"a month": {"value": {"changed_since": "2026-11-01T00:00:00Z"}}})
    ],
) -> Response:
    """Every deal is read from the CRM as it stands there, and taken in. It goes on by itself; ask how far it is."""
    caller = caller_of(request)
    services = caller.services
    connection = await read_connection(services.database, caller.tenant_id, connection_id)
    if connection is None:
        raise Problem("unknown-connection", connection=connection_id)
    if not has_access(connection):
        raise sync.NoAccess(connection=connection_id)
    deal = None if body.deal is None else ADAPTERS[connection.kind].deal_id(body.deal)
    asked = sync.Asked(connection_id, deal, body.changed_since)
    now: datetime = clock.now()

    async def work(tx: Transaction) -> Reply:
        begun = await sync.begin(tx, caller.tenant_id, asked, now)
        return json_reply(_shape(begun, caller), caller.locale, status=202)

    reply = await write(caller, fingerprint("POST", request.url.path, "", request.state.body), work)
    services.syncs.wake()
    return respond(reply)


@routes.get(
    "/connections/{connection_id}/syncs/{sync_id}",
    name="read_sync",
    summary="Watch a sync",
    responses=answers(200, SyncReply, EXAMPLE, "unknown-sync", "invalid-request", body=False),
    openapi_extra=operation("admin"),
)
async def read_sync(request: Request, connection_id: ConnectionId, sync_id: SyncId) -> Response:
    """How far it has come. Kept for a week after its end."""
    caller = caller_of(request)
    found = await sync.read(caller.services.database, caller.tenant_id, connection_id, sync_id)
    return respond(json_reply(_shape(found, caller), caller.locale))


def _shape(found: StoredSync, caller: Caller) -> dict[str, Any]:
    return shown(sync.document(found, caller.locale))
