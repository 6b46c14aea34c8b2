"""Data quality: structured beats text beats nothing. Scored when a deal is written, counted by SQL."""

from typing import Any, NamedTuple

from app.engine import CompiledProcess, Snapshot
from app.engine.quality import data_quality
from app.services.refusals import UnknownDeal
from app.store.database import Reader
from app.store.deals import StoredDeal, read_deal
from app.store.insights import STATES, FieldScore, count_fields, read_fields


class Quality(NamedTuple):
    """One page of groups, and the sums by field behind them."""

    groups: list[dict[str, Any]]
    places: list[list[str]]
    fields: list[dict[str, Any]]


def graded(compiled: CompiledProcess, snapshot: Snapshot, deal: StoredDeal) -> list[FieldScore]:
    """The score of every declared field of a deal. Of a deal that a CRM tells of, only the fields that it told."""
    return [
        FieldScore(
            deal.tenant_id,
            deal.deal_id,
            one.field,
            compiled.key,
            snapshot.owner or "",
            one.state,
            round(one.score * 100),
        )
        for one in data_quality(compiled, snapshot, deal.updated_at).fields
        if deal.connection_id is None or one.field in snapshot.fields
    ]


async def quality_of_deal(db: Reader, tenant_id: str, deal_id: str) -> tuple[StoredDeal, dict[str, Any]]:
    """One deal: its score, and each field with its own. Raises UnknownDeal."""
    deal = await read_deal(db, tenant_id, deal_id)
    if deal is None:
        raise UnknownDeal(deal=deal_id)
    rows = await read_fields(db, tenant_id, deal_id)
    total = scored({state: sum(row.state == state for row in rows) for state in STATES}, sum(row.score for row in rows))
    fields = [{"field": row.field, "state": row.state, "score": row.score / 100} for row in rows]
    return deal, {**total, "items": fields}


async def quality_of_process(
    db: Reader, tenant_id: str, process: str, *, owner: str | None, limit: int, after: list[str] | None
) -> Quality:
    """Per field and owner, one group more than `limit`; and per field over all of them."""
    rows = await count_fields(db, tenant_id, process, owner=owner, by_owner=True, limit=limit, after=after)
    sums = await count_fields(db, tenant_id, process, owner=owner, by_owner=False)
    groups = [{"field": row[0], "owner": row[1] or None, **_scored(row[2:])} for row in rows]
    return Quality(groups, [[row[0], row[1]] for row in rows], [{"field": row[0], **_scored(row[1:])} for row in sums])


def _scored(row: tuple[int, ...]) -> dict[str, Any]:
    return scored(dict(zip(STATES, row[:-1], strict=True)), row[-1])


def scored(counts: dict[str, int], total: int) -> dict[str, Any]:
    """The mean score with its denominator, and how many values are in which state."""
    count = sum(counts.values())
    return {"score": round(total / 100 / count, 4) if count else None, "count": count, **counts}


def added(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Fields added up."""
    total = round(sum((group["score"] or 0) * group["count"] for group in groups) * 100)
    return scored({state: sum(group[state] for group in groups) for state in STATES}, total)
