"""Moves of a stored deal: decided and, when allowed, made in the same transaction; or only looked at, all at once."""

from datetime import datetime
from typing import NamedTuple

from app.engine import Actor, Decision, Snapshot, StageEntry
from app.services.adherence import record_move
from app.services.deals import changed, known_way, write_deal
from app.services.decision_log import logged
from app.services.events import Events, OurEvent, move_data
from app.services.ids import new_id
from app.services.judging import Case, case_of, judge
from app.services.processes import Processes
from app.services.refusals import AlreadyThere, DealMoved, StageConflict, UnknownDeal
from app.services.rotting import rots_at
from app.store.database import Transaction
from app.store.deals import StoredDeal, read_deal_for_update


class Moved(NamedTuple):
    """The decision on a move; the deal after it."""

    decision_id: str
    decision: Decision
    applied: bool
    deal: StoredDeal


async def move_deal(
    tx: Transaction,
    processes: Processes,
    seen: StoredDeal,
    to: str,
    *,
    expected_stage: str | None,
    actor: Actor | None,
    now: datetime,
    events: Events | None = None,
) -> Moved:
    """Decide and move. `seen` is the deal as it was when the request came: whoever changes it first wins.

    Raises DealMoved, StageConflict, AlreadyThere, UnknownStageAsked.
    """
    row = await read_deal_for_update(tx, seen.tenant_id, seen.deal_id)
    if row is None:
        raise UnknownDeal(deal=seen.deal_id)
    if row.stage != seen.stage:
        raise DealMoved(deal=seen.deal_id, stage=row.stage)
    if expected_stage is not None and row.stage != expected_stage:
        raise StageConflict(expected=expected_stage, stage=row.stage)
    case = await case_of(tx, processes, row)
    if to == row.stage and to in case.compiled.stages and not case.compiled.graph.draws(to, to):
        raise AlreadyThere(deal=row.deal_id, stage=to)
    decision = judge(case, to, as_of=now, actor=actor)
    applied = decision.outcome == "allowed"
    decision_id = new_id(now)
    entry = logged(
        row.tenant_id, decision_id, decision, deal_id=row.deal_id, actor=actor, source="move", now=now, applied=applied
    )
    await record_move(tx, entry, decision, case.compiled, owner=row.owner)
    if events is not None:
        said = move_data(
            decision, decision_id, deal_id=row.deal_id, source="move", actor=None if actor is None else actor.id
        )
        told = OurEvent(row.tenant_id, "deal.moved" if applied else "deal.move.refused", row.deal_id, said)
        await events.tell(tx, told, now)
    if not applied:
        return Moved(decision_id, decision, applied=False, deal=row)
    moved = _in_stage(case, to, now)
    deal = changed(row, moved, now)._replace(rots_at=rots_at(case.compiled, moved, row, case.snapshot))
    await write_deal(tx, deal, row, None)
    return Moved(decision_id, decision, applied=True, deal=deal)


def _in_stage(case: Case, to: str, now: datetime) -> Snapshot:
    """The deal after the move. The machine makes a drawn one; one that a policy lets pass is made as it is."""
    snapshot = case.snapshot
    graph = case.compiled.graph
    stage = graph.move(snapshot.stage, to, blocked=False) if graph.draws(snapshot.stage, to) else to
    history = (*known_way(snapshot), StageEntry(stage=stage, entered_at=now))
    return snapshot.model_copy(update={"stage": stage, "stage_entered_at": now, "stage_history": history})


def drawn_moves(case: Case, *, as_of: datetime, actor: Actor | None) -> list[Decision]:
    """The decision for every drawn move from where the deal stands; none is logged."""
    stage = case.snapshot.stage
    if stage not in case.compiled.stages:
        return []
    return [judge(case, to, as_of=as_of, actor=actor) for to in case.compiled.graph.destinations(stage)]
