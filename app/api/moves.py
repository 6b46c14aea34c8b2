"""Moves of a stored deal."""

from typing import Annotated

from fastapi import Body, Request, Response

from app import clock
from app.api import examples
from app.api.context import caller_of
from app.api.deals import etag
from app.api.idempotency import fingerprint, is_replayed, write
from app.api.openapi import answers, operation
from app.api.parameters import ActorId, AsOf, DealId, Roles, actor_from
from app.api.problems import Reply
from app.api.replies import MoveReply, MovesReply, json_reply
from app.api.requests import MoveDeal
from app.api.routing import respond, router
from app.i18n import render_decision
from app.services.deals import read_stored
from app.services.judging import stored_case
from app.services.moves import drawn_moves, move_deal
from app.store.database import Transaction

routes = router("deals")


@routes.post(
    "/deals/{deal_id}/moves",
    name="move_deal",
    summary="Decide, and move when allowed",
    responses=answers(
        200, MoveReply, examples.MOVE, "unknown-deal", "unknown-stage", "stage-conflict", "deal-moved", "already-there",
        "idempotency-key-reused",
    ),
    openapi_extra=operation("deals:write", idempotent=True),
)  # fmt: skip
async def move(
    request: Request, deal_id: DealId, body: Annotated[MoveDeal, Body(openapi_examples=examples.MOVE_DEAL)]
) -> Response:
    """The decision, logged; `applied` says whether the deal moved. Of two movers one wins, the other gets 409."""
    caller = caller_of(request)
    services = caller.services
    seen = await read_stored(services.database, caller.tenant_id, deal_id)
    now = clock.now()
    outcome: list[str] = []

    async def work(tx: Transaction) -> Reply:
        moved = await move_deal(
            tx, services.processes, seen, body.to,
            expected_stage=body.expected_stage, actor=body.actor, now=now, events=services.events,
        )  # fmt: skip
        compiled = await services.processes.asked(
            tx, caller.tenant_id, moved.deal.process_key, moved.deal.process_version
        )
        content = render_decision(moved.decision, compiled, caller.locale, decision_id=moved.decision_id)
        outcome.append(moved.decision.outcome)
        return json_reply({**content, "applied": moved.applied}, caller.locale, headers={"etag": etag(moved.deal)})

    mark = fingerprint("POST", request.url.path, "", request.state.body)
    reply = await write(caller, mark, work)
    if not is_replayed(reply):
        services.metrics.decided(outcome[-1], "move")
        services.outbox.wake()
    return respond(reply)


@routes.get(
    "/deals/{deal_id}/moves",
    name="preview_moves",
    summary="Look at every drawn move",
    responses=answers(200, MovesReply, examples.MOVES, "unknown-deal", "invalid-request", body=False),
    openapi_extra=operation("decide"),
)
async def look_at_moves(
    request: Request,
    deal_id: DealId,
    *,
    as_of: AsOf = None,
    actor: ActorId = None,
    role: Roles = None,
) -> Response:
    """The decision for every drawn move from where the deal stands, in one call; none is logged."""
    caller = caller_of(request)
    case = await stored_case(caller.services.database, caller.services.processes, caller.tenant_id, deal_id)
    decisions = drawn_moves(case, as_of=as_of or clock.now(), actor=actor_from(actor, role))
    items = [render_decision(one, case.compiled, caller.locale, decision_id=None) for one in decisions]
    return respond(json_reply({"stage": case.snapshot.stage, "items": items}, caller.locale))
