"""One deal of a CRM: what is new put into its record, its moves judged and logged, the stored deal brought along.

What came by a delivery is stored at once, and judged when it has settled: after the connection's `settle`, read back
where the CRM can be asked. Where it cannot, and nothing is to settle, it is judged at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.crm.client import Told
from app.crm.connection import ConnectionSettings
from app.crm.events import Event, Fact
from app.crm.record import Record, from_document, to_document
from app.crm.state import Deal, Stored, lacking_now, snapshot_now, tell
from app.engine import CompiledProcess, Snapshot
from app.engine.values import duration
from app.services.clients import has_access
from app.services.connection_settings import settings_of
from app.services.crm_judging import Judgement, Rules, judge, process_of
from app.services.data_quality import graded
from app.services.deals import activity_row, document_of, write_deal
from app.services.events import Events
from app.services.processes import Processes
from app.services.rotting import rots_at
from app.services.verdicts import Keeper, keep
from app.store.activities import replace_activities
from app.store.connections import StoredConnection
from app.store.crm_records import StoredRecord, lock_record, write_record
from app.store.database import Transaction
from app.store.deals import StoredDeal, read_deal_for_update

SETTLE = timedelta(seconds=60)
"""How long what came may settle where a CRM can be asked and the connection does not say."""
MOST_SETTLES = 5
"""While more and more comes, it is judged after so many times that long."""


class Source(NamedTuple):
    """Which connection something came by, and when it is taken in."""

    tenant_id: str
    connection_id: str
    settings: ConnectionSettings
    processes: Processes
    now: datetime
    has_access: bool = False
    since: datetime | None = None
    events: Events | None = None

    @property
    def settle(self) -> timedelta:
        """How long what came may settle."""
        said = self.settings.settle
        return duration(said) if said is not None else SETTLE if self.has_access else timedelta(0)

    @property
    def judges_at_once(self) -> bool:
        """Whether there is nothing to wait for: no settling, and nobody to ask."""
        return not self.has_access and not self.settle


class News(NamedTuple):
    """What is new of one deal. `hinted`: something happened that only reading it back can tell.

    `settled` judges it now, with `told` where it was read back. `lease` is the `judge_at` under which that was asked
    for: when something else has come since, it waits for that to settle too.
    """

    events: Sequence[Event] = ()
    facts: Sequence[Fact] = ()
    hinted: bool = False
    told: Told | None = None
    settled: bool = False
    lease: datetime | None = None


class Taken(NamedTuple):
    """What became of one deal: its new decisions by the identity of their event, with their ids; whether it settles.

    `found` are the judgements of all its moves, old ones too.
    """

    judged: dict[str, Judgement]
    decision_ids: list[str]
    settling: bool
    deal: Deal
    snapshot: Snapshot | None = None
    found: Sequence[Judgement] = ()


class ProcessGone(Exception):
    """A connection names a process that was never published."""


def source_of(
    connection: StoredConnection, processes: Processes, now: datetime, events: Events | None = None
) -> Source:
    """A connection as a source."""
    return Source(
        connection.tenant_id,
        connection.connection_id,
        settings_of(connection),
        processes,
        now,
        has_access(connection),
        connection.created_at,
        events,
    )


async def take_in(tx: Transaction, source: Source, object_id: str, news: News) -> Taken:
    """Take in what is new of one deal, all within the caller's transaction."""
    deal_id = f"{source.connection_id}:{object_id}"
    stored = await lock_record(tx, source.tenant_id, source.connection_id, object_id)
    row = await read_deal_for_update(tx, source.tenant_id, deal_id)
    record = from_document(stored.document)
    deal = tell(source.settings, record, news.events, _stored(row), facts=news.facts, told=news.told)
    rules = await _rules(tx, source, deal, row)
    now = snapshot_now(deal, deal_id, rules.of(deal.process).zone) if deal.process is not None else None
    if now is not None and deal.process is not None:
        await _store_deal(tx, source, row, deal=deal, compiled=rules.of(deal.process), now=now)
    if _overtaken(stored, record, news) or not (news.settled or source.judges_at_once):
        await write_record(tx, _waiting(source, stored, deal.record, news))
        return Taken({}, [], True, deal, now)
    complete = row is not None and row.connection_id is None
    found = judge(deal, now, rules, complete=complete, together=source.settle)
    kept = await keep(tx, _keeper(source, object_id, complete=complete), deal, found, rules)
    judged = deal.record._replace(verdicts=kept.verdicts, waiting_since=None)
    judge_at = None if stored.judge_at == news.lease else stored.judge_at
    await write_record(tx, stored._replace(document=to_document(judged), judge_at=judge_at, attempts=0))
    ids = [kept.verdicts[key].decision_id for key in kept.new]
    return Taken(kept.new, ids, False, deal._replace(record=judged), now, found)


def _overtaken(stored: StoredRecord, record: Record, news: News) -> bool:
    """Whether something has come that is to settle first, and will be judged then."""
    if news.lease is not None:
        return stored.judge_at != news.lease
    return record.waiting_since is not None and stored.judge_at is not None


def _waiting(source: Source, stored: StoredRecord, record: Record, news: News) -> StoredRecord:
    """The record as it waits: from its last news on, but not for ever while more comes."""
    if news.settled or not (news.events or news.facts or news.hinted):
        return stored._replace(document=to_document(record))
    since = record.waiting_since or source.now
    judge_at = min(source.now + source.settle, since + MOST_SETTLES * source.settle)
    document = to_document(record._replace(waiting_since=since))
    return stored._replace(document=document, judge_at=max(judge_at, source.now), attempts=0)


def _keeper(source: Source, object_id: str, *, complete: bool) -> Keeper:
    return Keeper(
        source.tenant_id,
        source.connection_id,
        object_id,
        source.settings,
        source.now,
        source.events,
        source.since if source.has_access else None,
        duration(source.settings.grace),
        facts_have_times=not complete,
    )


def _stored(row: StoredDeal | None) -> Stored | None:
    if row is None:
        return None
    return Stored(row.process_key, Snapshot.model_validate_json(row.snapshot), row.updated_at)


async def _rules(tx: Transaction, source: Source, deal: Deal, row: StoredDeal | None) -> Rules:
    """Every process that the deal's moves are in; the connection's first one stands for "not known"."""
    first = next(iter(source.settings.pipelines.values()))
    pinned = {pipeline.process: pipeline.version for pipeline in source.settings.pipelines.values()}
    keys = {process_of(move) for move in deal.line.moves} | {deal.process or ""}
    current: dict[str, CompiledProcess] = {}
    older: dict[tuple[str, int], CompiledProcess] = {}
    for key in sorted({first.process, *keys} - {""}):
        own = row.process_version if row is not None and row.process_key == key else None
        compiled = await source.processes.compiled(tx, source.tenant_id, key, pinned.get(key) or own)
        if compiled is None:
            raise ProcessGone(key)
        current[key] = compiled
        for version in {one.version for one in deal.record.verdicts.values()} - {None, compiled.version}:
            before = await source.processes.compiled(tx, source.tenant_id, key, version)
            if before is not None and version is not None:
                older[key, version] = before
    return Rules(current, older, current[first.process])


async def _store_deal(
    tx: Transaction,
    source: Source,
    row: StoredDeal | None,
    *,
    deal: Deal,
    compiled: CompiledProcess,
    now: Snapshot,
) -> None:
    """Store the deal as the CRM has it, even after a move that we would have refused. What is gone rots no more."""
    before = None if row is None else Snapshot.model_validate_json(row.snapshot)
    restored = any(event.kind == "restored" for event in deal.new)
    stay = (None, None) if restored else (row, before)
    kept_here = row is not None and row.connection_id is None
    new = StoredDeal(
        tenant_id=source.tenant_id,
        deal_id=now.id or "",
        process_key=compiled.key,
        process_version=compiled.version or 0,
        stage=now.stage,
        owner=now.owner,
        revision=row.revision + 1 if row else 1,
        snapshot=document_of(now),
        connection_id=source.connection_id,
        created_at=source.now,
        updated_at=source.now,
        rots_at=None if deal.line.gone else rots_at(compiled, now, *stay),
        missing=None if kept_here else " ".join(sorted(lacking_now(deal))),
    )
    if row is not None and before == now and _beside(row) == _beside(new):
        return
    await write_deal(tx, new, row, graded(compiled, now, row or new))
    if now.activities != (before.activities if before else ()):
        rows = [activity_row(new.tenant_id, new.deal_id, one) for one in now.activities]
        await replace_activities(tx, new.tenant_id, new.deal_id, rows)


def _beside(row: StoredDeal) -> tuple[object, ...]:
    """What a deal's row holds beside its snapshot."""
    return row.process_key, row.process_version, row.rots_at, row.missing
