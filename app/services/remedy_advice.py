"""A refused move as things are now: what still stands in its way, and the cheapest step that would make it allowed."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from app.crm.state import NOTHING, Deal, snapshot_before
from app.crm.timeline import Move
from app.engine import Advice, Decision, Snapshot, UnknownStage, decide, suggest
from app.services.crm_judging import Judgement

_MOST_DAYS = 3650


class FirstStep(NamedTuple):
    """Advice whose first suggestion is what to do, and the day by which."""

    advice: Advice
    due: date


def still_refused(deal: Deal, now: Snapshot, judgement: Judgement, move: Move, at: datetime) -> Decision | None:
    """The verdict on a refused move if it were made at `at`, with the facts that the deal has by then; None where that
    would be allowed: its people have put it right.
    """
    decision = judgement.decision
    try:
        decision = decide(
            judgement.compiled,
            _stood(deal, now, judgement, move, at),
            move.entry.stage,
            as_of=at,
            actor=judgement.actor,
            missing=frozenset(decision.missing),
        )
    except UnknownStage:
        return decision
    return decision if decision.outcome == "blocked" else None


def first_step(deal: Deal, now: Snapshot, judgement: Judgement, move: Move, at: datetime) -> FirstStep | None:
    """The first suggestion for a deal that stands where it stood before the move, with the facts that it has now."""
    compiled, snapshot = judgement.compiled, _stood(deal, now, judgement, move, at)
    for goal in (move.entry.stage, None):
        try:
            advice = suggest(compiled, snapshot, as_of=at, goal=goal, limit=1)
        except UnknownStage:
            continue
        if advice.suggestions:
            days = min(advice.suggestions[0].lead_time_days, _MOST_DAYS)
            return FirstStep(advice, at.astimezone(compiled.zone).date() + timedelta(days=days))
    return None


def _stood(deal: Deal, now: Snapshot, judgement: Judgement, move: Move, at: datetime) -> Snapshot:
    """The deal with its facts of now, where it stood before the move. Who has approved since approves this move."""
    since = max(at - move.event.at, NOTHING)
    before = snapshot_before(deal, now, judgement.compiled.zone, move, since)
    stood = ("stage", "stage_entered_at", "stage_history", "approvals")
    return now.model_copy(update={name: getattr(before, name) for name in stood})
