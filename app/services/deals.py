"""Deals, stored and read. A change of stage that comes this way is a move made elsewhere: stored, judged, logged."""

import hashlib
import json
from datetime import datetime
from typing import NamedTuple

from app.engine import Activity, CompiledProcess, Decision, Snapshot, StageEntry
from app.services.adherence import record_move
from app.services.data_quality import graded
from app.services.decision_log import logged
from app.services.events import Events, OurEvent, move_data
from app.services.ids import new_id
from app.services.judging import Case, judge
from app.services.processes import Processes
from app.services.refusals import DealMoved, PreconditionFailed, UnknownDeal, UnknownStageAsked
from app.services.rotting import rots_at
from app.store.activities import StoredActivity, replace_activities
from app.store.database import Database, Transaction
from app.store.deals import StoredDeal, insert_deal, read_deal, read_deal_for_update, update_deal
from app.store.insights import FieldScore, replace_fields


class Precondition(NamedTuple):
    """What If-Match and If-None-Match ask of the deal: one of some revisions, any at all, or nothing."""

    match: frozenset[int] | None = None
    none_match: frozenset[int] = frozenset()
    must_exist: bool = False
    must_not_exist: bool = False


class PutDeal(NamedTuple):
    """What storing a deal gave; `decision` when its stage changed."""

    deal: StoredDeal
    created: bool
    decision_id: str | None = None
    decision: Decision | None = None


async def read_stored(db: Database, tenant_id: str, deal_id: str) -> StoredDeal:
    """One deal."""
    row = await read_deal(db, tenant_id, deal_id)
    if row is None:
        raise UnknownDeal(deal=deal_id)
    return row


async def put_deal(
    tx: Transaction,
    processes: Processes,
    tenant_id: str,
    deal_id: str,
    snapshot: Snapshot,
    *,
    process: str,
    version: int | None,
    precondition: Precondition,
    now: datetime,
    events: Events | None = None,
) -> PutDeal:
    """Store a deal as it is elsewhere. Raises PreconditionFailed, UnknownProcess, UnknownVersion, UnknownStageAsked."""
    row = await read_deal_for_update(tx, tenant_id, deal_id)
    _check(precondition, row, deal_id)
    own = row.process_version if row is not None and row.process_key == process else None
    compiled = await processes.asked(tx, tenant_id, process, version if version is not None else own)
    if snapshot.stage not in compiled.stages:
        raise UnknownStageAsked(stage=snapshot.stage, known=list(compiled.stages), place="stage")
    old = None if row is None else Snapshot.model_validate_json(row.snapshot)
    whole = _completed(snapshot.model_copy(update={"id": deal_id}), old, now)
    deal = _row(tenant_id, deal_id, compiled, whole, old=row, now=now)
    deal = deal._replace(rots_at=rots_at(compiled, whole, row, old))
    if row is not None and _same(deal, row):
        return PutDeal(row, created=False)
    await write_deal(tx, deal, row, graded(compiled, whole, deal))
    await replace_activities(
        tx, tenant_id, deal_id, [activity_row(tenant_id, deal_id, one) for one in whole.activities]
    )
    if row is None or old is None or old.stage == whole.stage or row.process_key != process:
        return PutDeal(deal, created=row is None)
    decision_id, decision = await _judge_elsewhere(tx, compiled, old, whole, deal=deal, now=now)
    if events is not None:
        said = move_data(decision, decision_id, deal_id=deal_id, source="put", actor=None)
        await events.tell(tx, OurEvent(tenant_id, "deal.moved", deal_id, said), now)
    return PutDeal(deal, created=False, decision_id=decision_id, decision=decision)


async def _judge_elsewhere(
    tx: Transaction, compiled: CompiledProcess, old: Snapshot, new: Snapshot, *, deal: StoredDeal, now: datetime
) -> tuple[str, Decision]:
    """The move as it would have been judged just before it was made, on the facts that came with it."""
    moved_at = min(new.stage_entered_at or now, now)
    history = tuple(entry for entry in new.stage_history if entry.entered_at < moved_at)
    before = new.model_copy(
        update={"stage": old.stage, "stage_entered_at": old.stage_entered_at, "stage_history": history}
    )
    decision = judge(Case(compiled, before, stored=deal), new.stage, as_of=moved_at, actor=None)
    decision_id = new_id(now)
    entry = logged(deal.tenant_id, decision_id, decision, deal_id=deal.deal_id, actor=None, source="put", now=now)
    await record_move(tx, entry, decision, compiled, owner=deal.owner)
    return decision_id, decision


def _completed(new: Snapshot, old: Snapshot | None, now: datetime) -> Snapshot:
    """What the caller left out and we know: when the deal was made, and when it entered its stages."""
    if old is None:
        return new
    entered = new.stage_entered_at
    history = new.stage_history or (old.stage_history if new.stage == old.stage else known_way(old))
    if new.stage == old.stage:
        entered = entered or old.stage_entered_at
    else:
        entered = entered or now
        if not any(entry.stage == new.stage and entry.entered_at >= entered for entry in history):
            history = (*history, StageEntry(stage=new.stage, entered_at=entered))
    return new.model_copy(
        update={
            "stage_entered_at": entered,
            "stage_history": history,
            "created_at": new.created_at or old.created_at,
        }
    )


def known_way(snapshot: Snapshot) -> tuple[StageEntry, ...]:
    """The stages so far; the present one is added when only its time of entry was told, so that it is not forgotten."""
    entered = snapshot.stage_entered_at
    if entered is None or StageEntry(stage=snapshot.stage, entered_at=entered) in snapshot.stage_history:
        return snapshot.stage_history
    return (*snapshot.stage_history, StageEntry(stage=snapshot.stage, entered_at=entered))


def _same(deal: StoredDeal, row: StoredDeal) -> bool:
    """Whether nothing has changed: then the deal keeps its revision."""
    return (deal.snapshot, deal.process_key, deal.process_version) == (
        row.snapshot,
        row.process_key,
        row.process_version,
    )


def _check(precondition: Precondition, row: StoredDeal | None, deal_id: str) -> None:
    if row is None:
        good = not precondition.must_exist and precondition.match is None
    else:
        good = not precondition.must_not_exist and row.revision not in precondition.none_match
        good = good and (precondition.match is None or row.revision in precondition.match)
    if not good:
        raise PreconditionFailed(deal=deal_id)


def _row(
    tenant_id: str,
    deal_id: str,
    compiled: CompiledProcess,
    snapshot: Snapshot,
    *,
    old: StoredDeal | None,
    now: datetime,
) -> StoredDeal:
    return StoredDeal(
        tenant_id=tenant_id,
        deal_id=deal_id,
        process_key=compiled.key,
        process_version=compiled.version or 0,
        stage=snapshot.stage,
        owner=snapshot.owner,
        revision=1 if old is None else old.revision + 1,
        snapshot=document_of(snapshot),
        connection_id=None if old is None else old.connection_id,
        created_at=now if old is None else old.created_at,
        updated_at=now,
        missing=None if old is None else old.missing,
    )


def document_of(snapshot: Snapshot) -> str:
    """A snapshot as it is stored."""
    return snapshot.model_dump_json(by_alias=True, exclude_none=True)


def changed(row: StoredDeal, snapshot: Snapshot, now: datetime) -> StoredDeal:
    """The row after a change of the deal's facts."""
    return row._replace(
        stage=snapshot.stage,
        owner=snapshot.owner,
        revision=row.revision + 1,
        snapshot=document_of(snapshot),
        updated_at=now,
    )


async def write_deal(
    tx: Transaction, deal: StoredDeal, old: StoredDeal | None, scores: list[FieldScore] | None
) -> None:
    """Insert or overwrite, the scores of its fields with it; DealMoved when another was faster.

    Every write of a deal passes here. `scores` is None only where neither fields, owner nor process can have changed.
    """
    if old is None:
        await insert_deal(tx, deal)
    elif not await update_deal(tx, deal, expected_revision=old.revision):
        raise DealMoved(deal=deal.deal_id, stage=deal.stage)
    if scores is not None:
        await replace_fields(tx, deal.tenant_id, deal.deal_id, scores)


def activity_row(tenant_id: str, deal_id: str, activity: Activity) -> StoredActivity:
    """An activity beside the snapshot."""
    document = activity.model_dump_json(by_alias=True)
    return StoredActivity(
        tenant_id=tenant_id,
        deal_id=deal_id,
        activity_id=activity.id,
        activity=activity.activity,
        at=activity.at,
        status=activity.status,
        outcome=activity.outcome,
        direction=activity.direction,
        by_id=activity.by,
        contacts=json.dumps(activity.contacts, ensure_ascii=False),
        content_digest=hashlib.sha256(document.encode()).hexdigest(),
    )
