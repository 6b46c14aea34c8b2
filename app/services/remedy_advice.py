"""What to do first about a refused move: the cheapest step that would make it allowed, and by when."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from app.crm.state import Deal, snapshot_before
from app.crm.timeline import Move
from app.engine import Advice, Snapshot, UnknownStage, suggest
from app.services.crm_judging import Judgement

_MOST_DAYS = 3650


class FirstStep(NamedTuple):
    """Advice whose first suggestion is what to do, and the day by which."""

    advice: Advice
    due: date


def first_step(deal: Deal, now: Snapshot, judgement: Judgement, move: Move, at: datetime) -> FirstStep | None:
    """The first suggestion for a deal that stands where it stood before the move, with the facts that it has now."""
    compiled = judgement.compiled
    before = snapshot_before(deal, now, compiled.zone, move)
    stood = {"stage": before.stage, "stage_entered_at": before.stage_entered_at, "stage_history": before.stage_history}
    snapshot = now.model_copy(update=stood)
    for goal in (move.entry.stage, None):
        try:
            advice = suggest(compiled, snapshot, as_of=at, goal=goal, limit=1)
        except UnknownStage:
            continue
        if advice.suggestions:
            days = min(advice.suggestions[0].lead_time_days, _MOST_DAYS)
            return FirstStep(advice, at.astimezone(compiled.zone).date() + timedelta(days=days))
    return None
