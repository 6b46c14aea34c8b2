"""Drift, counted and listed: moves made in CRMs that the process would have blocked."""

import json
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from app.api.context import caller_of
from app.api.drift_replies import DRIFT, DRIFTED, DriftedPage, DriftReply
from app.api.insights import PAGED, Day, Process, after_group, group_page
from app.api.openapi import answers, operation
from app.api.parameters import Cursor, Limit, Text, iso, page
from app.api.problems import Problem
from app.api.replies import json_reply
from app.api.routing import respond, router
from app.services import drift as counted
from app.services.adherence import period
from app.store.crm_moves import By, CrmMove, Place, Wanted

routes = router("insights")

First = Annotated[Day | None, Query(alias="from", description="The first day, in the process's timezone.")]
Last = Annotated[Day | None, Query(alias="to", description="The last day, counted in.")]
Connection = Annotated[Text | None, Query(description="Moves that came by this connection only.")]
_PLACE = 5


@routes.get(
    "/insights/drift",
    summary="Moves against the process",
    name="drift",
    responses=answers(200, DriftReply, DRIFT, *PAGED, body=False),
    openapi_extra=operation(None),
)
async def drift(
    request: Request,
    *,
    process: Process,
    by: Annotated[
        Literal["channel", "author", "requirement", "week"], Query(description="What to count by.")
    ] = "channel",
    first: First = None,
    last: Last = None,
    connection: Connection = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """Moves that people made in a CRM, and how many of them the process would have blocked.

    `judged` is the denominator: moves with complete facts, and those that are allowed whatever else is known. What was
    blocked for want of facts is `incomplete`. By requirement, a move counts under each requirement that it was asked,
    and is drift under those that blocked it.
    """
    caller = caller_of(request)
    within = period(first, last)
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, process)
    kind: By = by
    found = await counted.drift(
        caller.services.database, caller.tenant_id, Wanted(compiled.key, within, connection), kind,
        limit=limit + 1, after=after_group(cursor, counted.width_of(kind)),
    )  # fmt: skip
    content = {
        "process": compiled.key,
        "from": within.first,
        "to": within.last,
        "by": kind,
        "totals": found.totals,
        **group_page(found.groups, found.places, limit),
    }
    return respond(json_reply(content, caller.locale))


@routes.get(
    "/insights/drift/moves",
    summary="Which moves were against the process",
    name="drifted",
    responses=answers(200, DriftedPage, DRIFTED, *PAGED, body=False),
    openapi_extra=operation(None),
)
async def drifted(
    request: Request,
    *,
    process: Process,
    first: First = None,
    last: Last = None,
    connection: Connection = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """The moves behind the figures, the latest first, each with its decision and with what our answer came to."""
    caller = caller_of(request)
    within = period(first, last)
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, process)
    rows = await counted.drifted(
        caller.services.database, caller.tenant_id, Wanted(compiled.key, within, connection),
        limit=limit + 1, after=_after(cursor),
    )  # fmt: skip
    shapes = [{**counted.shape_of(row), "at": iso(row.at)} for row in rows]
    return respond(json_reply(page(shapes, [_place(row) for row in rows], limit), caller.locale))


def _place(row: CrmMove) -> str:
    place = [row.day, row.at.isoformat(), row.connection_id, row.object_id, row.event_key]
    return json.dumps(place, ensure_ascii=False)


def _after(cursor: str | None) -> Place | None:
    """The move that the page before ended with."""
    place = after_group(cursor, _PLACE)
    if place is None:
        return None
    day, at, *rest = place
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Problem("invalid-cursor", cursor=(cursor or "")[:80])
    return day, moment, rest[0], rest[1], rest[2]
