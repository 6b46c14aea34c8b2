"""Deals: store, read, list."""

import json
import re
from typing import Annotated, Any

from fastapi import Body, Query, Request, Response

from app import clock
from app.api import examples
from app.api.context import Caller, caller_of
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, good, operation
from app.api.parameters import Cursor, DealId, Limit, Text, page, place_of
from app.api.problems import Reply
from app.api.replies import DealPage, DealReply, PutDealReply, json_reply
from app.api.requests import PutDeal
from app.api.routing import respond, router
from app.engine import Snapshot
from app.i18n import render_decision
from app.services.deals import Precondition, put_deal, read_stored
from app.services.refusals import InvalidRequest
from app.store.database import Transaction
from app.store.deals import StoredDeal, list_deals

routes = router("deals")

_TAG = re.compile(r'(?:^|,)\s*(?:W/)?"([0-9]{1,18})"\s*(?=,|$)', re.ASCII)
_CONDITIONS = [
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "Refuse (412) unless the deal still has this ETag; `*`: unless it exists.",
        "schema": {"type": "string"},
    },
    {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "`*`: refuse (412) if the deal exists already; an ETag: refuse if the deal has it.",
        "schema": {"type": "string"},
    },
]


def deal_shape(row: StoredDeal) -> dict[str, Any]:
    """A stored deal as it is answered."""
    return {**json.loads(row.snapshot), "id": row.deal_id, "process": row.process_key, "version": row.process_version}


def etag(row: StoredDeal) -> str:
    """The deal's revision, as an entity tag."""
    return f'"{row.revision}"'


def _put_extra() -> dict[str, Any]:
    extra = operation("deals:write", idempotent=True)
    return {**extra, "parameters": [*extra["parameters"], *_CONDITIONS]}


@routes.put(
    "/deals/{deal_id}",
    name="put_deal",
    summary="Store a deal as it is elsewhere",
    responses={
        **answers(
            200, PutDealReply, examples.DEAL_MOVED, "unknown-process", "unknown-version", "unknown-stage",
            "precondition-failed", "deal-moved", "idempotency-key-reused",
        ),
        201: good(PutDealReply, examples.DEAL_STORED),
    },
    openapi_extra=_put_extra(),
)  # fmt: skip
async def store_deal(
    request: Request, deal_id: DealId, body: Annotated[PutDeal, Body(openapi_examples=examples.PUT_DEAL)]
) -> Response:
    """Store the whole deal. Another stage than the stored one is a move made elsewhere.

    It is stored because it has happened, judged on the facts that come with it, and logged; `decision` says what the
    process thinks of it.
    """
    caller = caller_of(request)
    if body.id is not None and body.id != deal_id:
        raise InvalidRequest("id", "not_the_path", value=body.id, path=deal_id)
    snapshot = Snapshot.model_construct(**{name: getattr(body, name) for name in Snapshot.model_fields})
    services = caller.services
    precondition = _precondition(request)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        put = await put_deal(
            tx, services.processes, caller.tenant_id, deal_id, snapshot,
            process=body.process, version=body.version, precondition=precondition, now=now, events=services.events,
        )  # fmt: skip
        content = deal_shape(put.deal)
        if put.decision is not None:
            compiled = await services.processes.asked(
                tx, caller.tenant_id, put.deal.process_key, put.deal.process_version
            )
            content["decision"] = render_decision(put.decision, compiled, caller.locale, decision_id=put.decision_id)
        return json_reply(content, caller.locale, status=201 if put.created else 200, headers={"etag": etag(put.deal)})

    reply = await write(caller, _mark(request, caller), work)
    services.outbox.wake()
    return respond(reply)


def _mark(request: Request, caller: Caller) -> str:
    """The fingerprint of a request with a body."""
    conditions = "|".join(caller.headers.get(name, "") for name in ("if-match", "if-none-match"))
    return fingerprint(request.method, request.url.path, conditions, request.state.body)


def _precondition(request: Request) -> Precondition:
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match", "")
    return Precondition(
        None if match is None or match.strip() == "*" else _revisions(match),
        _revisions(none_match),
        must_exist=match is not None and match.strip() == "*",
        must_not_exist=none_match.strip() == "*",
    )


def _revisions(tags: str) -> frozenset[int]:
    """The revisions that a header names; a proxy that compresses answers makes our tags weak. Junk names none."""
    return frozenset(int(found) for found in _TAG.findall(tags))


@routes.get(
    "/deals/{deal_id}",
    summary="Read a deal",
    responses=answers(200, DealReply, examples.DEAL, "unknown-deal", body=False),
    openapi_extra=operation(None),
)
async def read_deal(request: Request, deal_id: DealId) -> Response:
    """A stored deal with its process and version; its `ETag` serves `If-Match`."""
    caller = caller_of(request)
    row = await read_stored(caller.services.database, caller.tenant_id, deal_id)
    return respond(json_reply(deal_shape(row), caller.locale, headers={"etag": etag(row)}))


@routes.get(
    "/deals",
    name="list_deals",
    summary="List deals",
    responses=answers(
        200, DealPage, {"items": [examples.DEAL], "next_cursor": None}, "invalid-cursor", "invalid-request", body=False
    ),
    openapi_extra=operation(None),
)
async def deals(
    request: Request,
    *,
    process: Annotated[Text | None, Query(description="Of this process only.")] = None,
    stage: Annotated[Text | None, Query(description="In this stage only.")] = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """Deals by id."""
    caller = caller_of(request)
    rows = await list_deals(
        caller.services.database, caller.tenant_id,
        limit=limit + 1, process_key=process, stage=stage, cursor=place_of(cursor),
    )  # fmt: skip
    found = page([deal_shape(row) for row in rows], [row.deal_id for row in rows], limit)
    return respond(json_reply(found, caller.locale))
