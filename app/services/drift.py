"""Drift: of the moves made in CRMs that could be judged, how many the process would have blocked; and which."""

import json
from typing import Any, NamedTuple

from app.store.crm_moves import VERDICTS, By, CrmMove, Place, Wanted, count_moves, list_drift
from app.store.database import Reader


class Drift(NamedTuple):
    """One page of groups with their places, and all of them together."""

    groups: list[dict[str, Any]]
    places: list[list[str]]
    totals: dict[str, Any]


async def drift(db: Reader, tenant_id: str, wanted: Wanted, by: By, *, limit: int, after: list[str] | None) -> Drift:
    """One group more than `limit`, to know whether there is another page."""
    rows = await count_moves(db, tenant_id, wanted, by=by, limit=limit, after=after or ())
    (totals,) = await count_moves(db, tenant_id, wanted, by=None)
    width = width_of(by)
    return Drift([_group(row, by) for row in rows], [list(row[:width]) for row in rows], _counts(totals))


async def drifted(db: Reader, tenant_id: str, wanted: Wanted, *, limit: int, after: Place | None) -> list[CrmMove]:
    """The moves that are drift, the latest first."""
    return await list_drift(db, tenant_id, wanted, limit=limit, after=after)


def width_of(by: By) -> int:
    """How many values name a group."""
    return 2 if by == "requirement" else 1


def shape_of(move: CrmMove) -> dict[str, Any]:
    """A move that is drift, in JSON: what it was, and what our answer to it came to."""
    remedied = json.loads(move.remedied) if move.remedied else None
    return {
        "deal": f"{move.connection_id}:{move.object_id}",
        "connection": move.connection_id,
        "from": move.from_stage,
        "to": move.to_stage,
        "at": move.at,
        "channel": move.channel or None,
        "author": move.author or None,
        "decision_id": move.decision_id,
        "remedied": remedied,
    }


def _group(row: tuple[Any, ...], by: By) -> dict[str, Any]:
    if by == "requirement":
        kind, name = row[:2]
        named = {"requirement": name if kind == "requirement" else None, "rule": name if kind == "rule" else None}
        return named | _counts(row[2:])
    return {by: row[0] or None} | _counts(row[1:])


def _counts(row: tuple[Any, ...]) -> dict[str, Any]:
    """`judged` is the denominator: what was surely right or surely wrong."""
    found = dict(zip(VERDICTS, row, strict=True))
    judged = found["allowed"] + found["drift"]
    share = round(found["drift"] / judged, 4) if judged else None
    return {
        "judged": judged,
        "drift": found["drift"],
        "share": share,
        "incomplete": found["blocked_incomplete"],
        "not_judged": found["not_judged"],
        "own": found["own"],
    }
