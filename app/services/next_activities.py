"""The next best activities of a deal, inline or stored."""

from datetime import datetime

from app.engine import Actor, Advice, UnknownStage, decide_unknown_stage, suggest
from app.services.judging import Case, unknown_stage


def advise(case: Case, *, goal: str | None, limit: int, as_of: datetime, actor: Actor | None) -> Advice:
    """What to do next. A stored deal in a stage its version lacks is going nowhere. Raises UnknownStageAsked."""
    try:
        return suggest(
            case.compiled, case.snapshot, as_of=as_of, goal=goal, limit=limit, actor=actor, missing=case.missing
        )
    except UnknownStage as error:
        if error.place == "from" and case.stored is not None:
            return _lost_track(case, goal, as_of)
        raise unknown_stage(error) from error


def _lost_track(case: Case, goal: str | None, as_of: datetime) -> Advice:
    """No plan leads anywhere from a stage that is not on the map; the finding says so."""
    compiled = case.compiled
    won = [stage.key for stage in compiled.process.stages if stage.kind == "won"]
    wanted = goal or [*won, compiled.process.stages[-1].key][0]
    if wanted not in compiled.stages:
        raise unknown_stage(UnknownStage(wanted, tuple(compiled.stages), "goal"))
    decision = decide_unknown_stage(compiled, case.snapshot, wanted, as_of=as_of, missing=case.missing)
    head = (compiled.key, compiled.version, compiled.digest, case.snapshot.stage, wanted, as_of)
    return Advice(*head, None, (), decision.findings)
