"""One deal of a CRM: its new events put into its record, its moves judged and logged, the stored deal brought along."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.crm.connection import ConnectionSettings
from app.crm.events import Event
from app.crm.record import Verdict, from_document, to_document
from app.crm.state import Deal, Stored, snapshot_now, tell
from app.engine import CompiledProcess, Snapshot
from app.services.adherence import record_move
from app.services.crm_judging import Judgement, judge, process_of
from app.services.data_quality import graded
from app.services.deals import document_of, write_deal
from app.services.decision_log import logged
from app.services.ids import new_id
from app.services.processes import Processes
from app.services.rotting import rots_at
from app.store.crm_records import lock_record, write_record
from app.store.database import Transaction
from app.store.deals import StoredDeal, read_deal_for_update


class Source(NamedTuple):
    """Which connection the events came by, and when they are taken in."""

    tenant_id: str
    connection_id: str
    settings: ConnectionSettings
    processes: Processes
    now: datetime


class Taken(NamedTuple):
    """What became of the events of one deal: its new decisions, with their ids."""

    judged: dict[str, Judgement]
    decision_ids: list[str]


class ProcessGone(Exception):
    """A connection names a process that was never published."""


async def take_in(tx: Transaction, source: Source, object_id: str, events: Sequence[Event]) -> Taken:
    """Take in the new events of one deal, all within the caller's transaction."""
    deal_id = f"{source.connection_id}:{object_id}"
    record = from_document(await lock_record(tx, source.tenant_id, source.connection_id, object_id))
    row = await read_deal_for_update(tx, source.tenant_id, deal_id)
    deal = tell(source.settings, record, events, _stored(row))
    processes = await _processes(tx, source, deal, row)
    now = snapshot_now(deal, deal_id, processes[deal.process].zone) if deal.process is not None else None
    complete = row is not None and row.connection_id is None
    judgements = judge(deal, now, processes, complete=complete)
    verdicts = dict(deal.record.verdicts)
    for one in judgements:
        decision_id = new_id(source.now)
        verdicts[one.event.key] = Verdict(decision_id, one.about)
        entry = logged(
            source.tenant_id,
            decision_id,
            one.decision,
            deal_id=deal_id,
            actor=one.actor,
            source="webhook",
            now=source.now,
        )
        await record_move(tx, entry, one.decision, one.compiled, owner=now.owner if now else None)
    if now is not None and deal.process is not None:
        await _store_deal(tx, source, row, deal_id=deal_id, compiled=processes[deal.process], now=now)
    kept = to_document(deal.record._replace(verdicts=verdicts))
    await write_record(tx, source.tenant_id, source.connection_id, object_id, kept)
    ids = [verdicts[one.event.key].decision_id for one in judgements]
    return Taken({one.event.key: one for one in judgements}, ids)


def _stored(row: StoredDeal | None) -> Stored | None:
    if row is None:
        return None
    return Stored(row.process_key, Snapshot.model_validate_json(row.snapshot), row.updated_at)


async def _processes(tx: Transaction, source: Source, deal: Deal, row: StoredDeal | None) -> dict[str, CompiledProcess]:
    """Every process that the deal's moves are in; the connection's first one stands for "not known"."""
    first = next(iter(source.settings.pipelines.values()))
    pinned = {pipeline.process: pipeline.version for pipeline in source.settings.pipelines.values()}
    keys = {process_of(move) for move in deal.line.moves} | {deal.process or ""}
    found: dict[str, CompiledProcess] = {}
    for key in sorted({first.process, *keys} - {""}):
        own = row.process_version if row is not None and row.process_key == key else None
        compiled = await source.processes.compiled(tx, source.tenant_id, key, pinned.get(key) or own)
        if compiled is None:
            raise ProcessGone(key)
        found[key] = compiled
    return {**found, "": found[first.process]}


async def _store_deal(
    tx: Transaction, source: Source, row: StoredDeal | None, *, deal_id: str, compiled: CompiledProcess, now: Snapshot
) -> None:
    """Store the deal as the CRM has it, even after a move that we would have refused."""
    deal = StoredDeal(
        tenant_id=source.tenant_id,
        deal_id=deal_id,
        process_key=compiled.key,
        process_version=compiled.version or 0,
        stage=now.stage,
        owner=now.owner,
        revision=row.revision + 1 if row else 1,
        snapshot=document_of(now),
        connection_id=source.connection_id,
        created_at=source.now,
        updated_at=source.now,
        rots_at=rots_at(compiled, now, row, None if row is None else Snapshot.model_validate_json(row.snapshot)),
    )
    if row is None:
        await write_deal(tx, deal, None, graded(compiled, now, deal))
    elif Snapshot.model_validate_json(row.snapshot) != now or (row.process_key, row.process_version) != deal[2:4]:
        await write_deal(tx, deal, row, graded(compiled, now, row))
