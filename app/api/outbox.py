"""The outbox: what is to leave, what has left, and what could not; replayed and cancelled by hand."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from pydantic import Field, JsonValue

from app import clock
from app.api.context import Caller, caller_of
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, operation
from app.api.parameters import Cursor, Limit, Text, page, place_of, shown
from app.api.problems import Reply
from app.api.replies import Page, Shape, json_reply
from app.api.routing import respond, router
from app.services import outbox_report
from app.store.database import Transaction
from app.store.outbox import StoredItem, list_items

routes = router("outbox")

ItemId = Annotated[Text, Path(description="The item's id; of an event it is also its `webhook-id`.")]
Status = Literal["waiting", "done", "dead", "cancelled"]


class ItemReply(Shape):
    """Something that is to leave, or has left, or could not."""

    id: str
    target: Annotated[str, Field(description="`connection:ID` or `endpoint:ID`.")]
    about: Annotated[str, Field(description="What it is about. Of one target, all about the same leaves in order.")]
    kind: Annotated[str, Field(description="`event` or `remedy`.")]
    status: Status
    in_progress: Annotated[bool, Field(description="Whether somebody is at it at this moment.")]
    attempts: int
    next_attempt_at: Annotated[str | None, Field(description="Null when it does not wait, or is in progress.")]
    code: Annotated[str | None, Field(description="Why it failed last, or is over.")]
    reason: str | None
    created_at: str
    finished_at: str | None


class WholeItemReply(ItemReply):
    """An item with what it carries."""

    payload: JsonValue


class ItemPage(Page):
    """Items, newest first."""

    items: list[ItemReply]


EXAMPLE: dict[str, Any] = {
    "id": "019ab0c2-6f00-7a3e-8d11-2f5c9e0b7a10",
    "target": "endpoint:crm-team",
    "about": "D-17",
    "kind": "event",
    "status": "dead",
    "in_progress": False,
    "attempts": 10,
    "next_attempt_at": None,
    "code": "endpoint_status",
    "reason": "the endpoint answered 500",
    "created_at": "2026-11-23T10:00:00Z",
    "finished_at": "2026-11-27T12:31:40Z",
}
PAYLOAD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "019ab0c2-6eff-7c21-9b0a-66d2f1a4c803",
    "source": "https://stagerail.example.com",
    "type": "deal.moved",
    "subject": "D-17",
    "time": "2026-11-23T10:00:00.000Z",
    "datacontenttype": "application/json",
    "data": {"deal": "D-17", "from": "demo_scheduled", "to": "demo_completed", "outcome": "allowed"},
}
WHOLE = {**EXAMPLE, "payload": PAYLOAD}
AGAIN = {
    **WHOLE, "status": "waiting", "attempts": 0, "next_attempt_at": "2026-11-28T08:00:00Z", "code": None,
    "reason": None, "finished_at": None,
}  # fmt: skip
CANCELLED = {**WHOLE, "status": "cancelled", "attempts": 0, "code": "cancelled", "reason": "cancelled by hand"}


@routes.get(
    "/outbox",
    name="list_outbox",
    summary="List what is to leave",
    responses=answers(
        200, ItemPage, {"items": [EXAMPLE], "next_cursor": None}, "invalid-cursor", "invalid-request", body=False
    ),
    openapi_extra=operation("admin"),
)
async def outbox(
    request: Request,
    *,
    status: Annotated[Status | None, Query(description="Of this status only; `dead` could not be done.")] = None,
    target: Annotated[Text | None, Query(description="Of this target only: `connection:ID` or `endpoint:ID`.")] = None,
    kind: Annotated[Text | None, Query(description="Of this kind only: `event` or `remedy`.")] = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """Items, newest first, without what they carry. Kept for 30 days once done or cancelled, once dead for 90."""
    caller = caller_of(request)
    rows = await list_items(
        caller.services.database, caller.tenant_id, limit=limit + 1,
        status=status, target_id=target, kind=kind, cursor=place_of(cursor),
    )  # fmt: skip
    shapes = [_shape(row, caller) for row in rows]
    return respond(json_reply(page(shapes, [row.item_id for row in rows], limit), caller.locale))


@routes.get(
    "/outbox/{item_id}",
    name="read_outbox_item",
    summary="Read an item",
    responses=answers(200, WholeItemReply, WHOLE, "unknown-outbox-item", "invalid-request", body=False),
    openapi_extra=operation("admin"),
)
async def read(request: Request, item_id: ItemId) -> Response:
    """An item with what it carries."""
    caller = caller_of(request)
    item = await outbox_report.read(caller.services.database, caller.tenant_id, item_id)
    return respond(json_reply(_whole(item, caller), caller.locale))


@routes.post(
    "/outbox/{item_id}/replay",
    name="replay_outbox_item",
    summary="Do an item again",
    responses=answers(
        200, WholeItemReply, AGAIN, "unknown-outbox-item", "outbox-item-waits", "idempotency-key-reused", body=False
    ),
    openapi_extra=operation("admin", idempotent=True),
)
async def replay(request: Request, item_id: ItemId) -> Response:
    """Whatever became of it, it waits again, from its first attempt. An event keeps its id and its body."""
    caller = caller_of(request)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        item = await outbox_report.replay(tx, caller.tenant_id, item_id, now)
        return json_reply(_whole(item, caller), caller.locale)

    reply = await write(caller, fingerprint("POST", request.url.path, "", b""), work)
    caller.services.outbox.wake()
    return respond(reply)


@routes.post(
    "/outbox/{item_id}/cancel",
    name="cancel_outbox_item",
    summary="Cancel an item",
    responses=answers(
        200, WholeItemReply, CANCELLED, "unknown-outbox-item", "outbox-item-over", "idempotency-key-reused", body=False
    ),
    openapi_extra=operation("admin", idempotent=True),
)
async def cancel(request: Request, item_id: ItemId) -> Response:
    """It is never done. What somebody is at, at this very moment, cannot be cancelled."""
    caller = caller_of(request)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        item = await outbox_report.cancel(tx, caller.tenant_id, item_id, now)
        return json_reply(_whole(item, caller), caller.locale)

    return respond(await write(caller, fingerprint("POST", request.url.path, "", b""), work))


def _shape(item: StoredItem, caller: Caller) -> dict[str, Any]:
    return shown(outbox_report.document(item, caller.locale, clock.now()))


def _whole(item: StoredItem, caller: Caller) -> dict[str, Any]:
    return {**_shape(item, caller), "payload": outbox_report.payload(item)}
