"""The next best activities of a deal, inline or stored."""

from datetime import datetime

from app.engine import Actor, Advice, UnknownStage, suggest
from app.services.judging import Case, unknown_stage


def advise(case: Case, *, goal: str | None, limit: int, as_of: datetime, actor: Actor | None) -> Advice:
    """What to do next. Raises UnknownStageAsked."""
    try:
        return suggest(
            case.compiled, case.snapshot, as_of=as_of, goal=goal, limit=limit, actor=actor, missing=case.missing
        )
    except UnknownStage as error:
        raise unknown_stage(error) from error
