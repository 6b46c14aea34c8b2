"""The decision log."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response

from app.api import examples
from app.api.context import Caller, caller_of
from app.api.openapi import answers, operation
from app.api.parameters import Cursor, Limit, Text, iso, page, place_of
from app.api.replies import DecisionPage, LoggedDecisionReply, json_reply
from app.api.routing import respond, router
from app.i18n import render_decision
from app.services.decision_log import Source, decision_of, read_logged
from app.store.decisions import LoggedDecision, list_decisions

routes = router("decisions")


@routes.get(
    "/decisions/{decision_id}",
    summary="Read a decision",
    responses=answers(200, LoggedDecisionReply, examples.LOGGED, "unknown-decision", body=False),
    openapi_extra=operation(None),
)
async def read_decision(request: Request, decision_id: Annotated[Text, Path(description="Its id.")]) -> Response:
    """A decision as it was made, in the caller's language."""
    caller = caller_of(request)
    row = await read_logged(caller.services.database, caller.tenant_id, decision_id)
    return respond(json_reply(await _shape(caller, row), caller.locale))


@routes.get(
    "/decisions",
    name="list_decisions",
    summary="List decisions",
    responses=answers(
        200,
        DecisionPage,
        {"items": [examples.LOGGED], "next_cursor": None},
        "invalid-cursor",
        "invalid-request",
        body=False,
    ),
    openapi_extra=operation(None),
)
async def decisions(
    request: Request,
    *,
    deal: Annotated[Text | None, Query(description="Of this deal only.")] = None,
    process: Annotated[Text | None, Query(description="Of this process only.")] = None,
    outcome: Annotated[
        Literal["allowed", "blocked", "not_judged"] | None, Query(description="Of this outcome only.")
    ] = None,
    source: Annotated[Source | None, Query(description="From this source only.")] = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """The decision log, newest first, refusals included."""
    caller = caller_of(request)
    rows = await list_decisions(
        caller.services.database, caller.tenant_id, limit=limit + 1,
        deal_id=deal, process_key=process, outcome=outcome, source=source, cursor=place_of(cursor),
    )  # fmt: skip
    shapes = [await _shape(caller, row) for row in rows[:limit]]
    found = page([*shapes, *rows[limit:]], [row.decision_id for row in rows], limit)
    return respond(json_reply(found, caller.locale))


async def _shape(caller: Caller, row: LoggedDecision) -> dict[str, Any]:
    services = caller.services
    compiled = await services.processes.asked(services.database, caller.tenant_id, row.process_key, row.process_version)
    content = render_decision(decision_of(row), compiled, caller.locale, decision_id=row.decision_id)
    more = {
        "deal_id": row.deal_id, "source": row.source, "actor": row.actor_id, "channel": row.channel,
        "changed_by": row.changed_by, "supersedes": row.supersedes,
    }  # fmt: skip
    return {**content, **more, "decided_at": iso(row.decided_at), "applied": row.applied}
