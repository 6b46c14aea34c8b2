"""Deals that stay too long in one stage: when that will be, and telling it once for each stay."""

from datetime import datetime
from typing import Any

from app.engine import CompiledProcess, Snapshot, instant
from app.engine.values import duration
from app.services.events import Events, OurEvent
from app.store.database import Database, Transaction
from app.store.deals import StoredDeal, take_rotten

_AT_ONCE = 100


def rots_at(
    compiled: CompiledProcess, deal: Snapshot, old: StoredDeal | None, before: Snapshot | None
) -> datetime | None:
    """When the deal will have stayed too long in its stage. The same stay keeps what was found, told or not."""
    if old is not None and before is not None:
        stay = (old.process_key, before.stage, before.stage_entered_at)
        if stay == (compiled.key, deal.stage, deal.stage_entered_at):
            return old.rots_at
    stage = compiled.stages.get(deal.stage)
    if stage is None or stage.kind != "open" or stage.rots_after is None or deal.stage_entered_at is None:
        return None
    try:
        return deal.stage_entered_at + duration(stage.rots_after)
    except OverflowError:  # after the year 9999
        return None


async def tell_rotten(db: Database, events: Events, now: datetime) -> None:
    """Tell of every deal that has stayed too long since the last pass, a hundred in each transaction."""

    async def work(tx: Transaction) -> int:
        found = await take_rotten(tx, now, _AT_ONCE)
        for deal in found:
            await events.tell(tx, OurEvent(deal.tenant_id, "deal.rotting", deal.deal_id, _data(deal)), now)
        return len(found)

    while await db.transaction(work) == _AT_ONCE:
        pass


def _data(deal: StoredDeal) -> dict[str, Any]:
    snapshot = Snapshot.model_validate_json(deal.snapshot)
    return {
        "deal": deal.deal_id,
        "process": {"key": deal.process_key, "version": deal.process_version},
        "stage": deal.stage,
        "owner": deal.owner,
        "stage_entered_at": _told(snapshot.stage_entered_at),
        "rots_at": _told(deal.rots_at),
    }


def _told(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
