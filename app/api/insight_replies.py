"""What the insights answer, as models for the OpenAPI document, with a worked example of each."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.replies import Page, ProcessRef, Shape


class Counts(Shape):
    """How often something was asked, and what became of it."""

    activated: Annotated[int, Field(description="Met, waived and missed together: the denominator.")]
    met: int
    waived: int
    missed: int
    unknown: Annotated[int, Field(description="Could not be judged: no actor was told, a value could not be read.")]
    refused: Annotated[int, Field(description="Moves that were tried here and not made because of it.")]
    deviation: Annotated[float | None, Field(description="Missed of activated; null when nothing was asked.")]


class RuleCounts(Counts):
    """A house rule, or `drawn`: that a move is one the process draws."""

    rule: str


class GroupCounts(Counts):
    """One group; of `by` only what was asked for is there."""

    requirement: str | None = None
    rule: str | None = None
    source: Annotated[str | None, Field(alias="from")] = None
    to: str | None = None
    owner: str | None = None
    week: Annotated[str | None, Field(description="ISO week, in the process's timezone.")] = None


class MovesCounted(Shape):
    """The moves themselves."""

    total: Annotated[int, Field(description="Moves that happened.")]
    drawn: int
    undrawn: Annotated[int, Field(description="Moves that happened though nothing draws them.")]
    refused: Annotated[int, Field(description="Undrawn moves that were tried here and not made.")]


class AdherenceReply(Page):
    """How a process is kept."""

    process: str
    first: Annotated[str | None, Field(alias="from")]
    last: Annotated[str | None, Field(alias="to")]
    moves: MovesCounted
    totals: Annotated[Counts, Field(description="All requirements added up.")]
    rules: list[RuleCounts]
    items: list[GroupCounts]


class Score(Shape):
    """A mean score with its denominator, and how many values are in which state."""

    score: float | None
    count: int
    structured: int
    text: int
    blank: int
    missing: int
    invalid: int


class FieldQuality(Score):
    """One field over all deals."""

    field: str


class FieldOwnerQuality(FieldQuality):
    """One field in the deals of one owner."""

    owner: str | None


class DataQualityReply(Page):
    """How fields are filled."""

    process: str
    overall: Score
    fields: list[FieldQuality]
    items: list[FieldOwnerQuality]


class FieldState(Shape):
    """One field of one deal."""

    field: str
    state: Literal["structured", "text", "blank", "missing", "invalid"]
    score: float


class DealQualityReply(Score):
    """How the fields of a deal are filled."""

    deal: str
    process: str
    version: int
    owner: str | None
    items: list[FieldState]


class JourneyStage(Shape):
    """A stage of the seller."""

    stage: str
    name: str
    kind: Literal["open", "won", "lost"]


class JourneyStep(Shape):
    """A step of the buyer, and the stages that serve it."""

    step: str
    name: str
    stages: list[JourneyStage]


class BuyerJourneyReply(Shape):
    """The path of the buyer."""

    process: ProcessRef
    steps: list[JourneyStep]
    stages_without_step: list[JourneyStage]


def _counts(met: int, missed: int, unknown: int = 0, refused: int = 0) -> dict[str, Any]:
    asked = met + missed
    return {
        "activated": asked, "met": met, "waived": 0, "missed": missed, "unknown": unknown, "refused": refused,
        "deviation": round(missed / asked, 4) if asked else None,
    }  # fmt: skip


ADHERENCE = {
    "process": "b2b-saas",
    "from": "2026-10-01",
    "to": None,
    "moves": {"total": 50, "drawn": 48, "undrawn": 2, "refused": 5},
    "totals": _counts(90, 10, 3, 12),
    "rules": [{"rule": "drawn", **_counts(48, 2, 0, 5)}],
    "items": [
        {
            "requirement": "demo-held", "rule": None, "from": "demo_scheduled", "to": "demo_completed",
            "owner": "rep-7", "week": "2026-W47", **_counts(3, 1, 0, 2),
        }
    ],
    "next_cursor": None,
}  # fmt: skip
_FIELD = {"score": 0.75, "count": 4, "structured": 3, "text": 0, "blank": 0, "missing": 1, "invalid": 0}
DATA_QUALITY = {
    "process": "b2b-saas",
    "overall": _FIELD,
    "fields": [{"field": "budget", **_FIELD}],
    "items": [{"field": "budget", "owner": "rep-7", **_FIELD}],
    "next_cursor": None,
}
DEAL_QUALITY = {
    "deal": "D-17", "process": "b2b-saas", "version": 3, "owner": "rep-7",
    "score": 0.5, "count": 2, "structured": 1, "text": 0, "blank": 0, "missing": 1, "invalid": 0,
    "items": [
        {"field": "budget", "state": "structured", "score": 1.0},
        {"field": "next_step", "state": "missing", "score": 0.0},
    ],
}  # fmt: skip
JOURNEY = {
    "process": {"key": "run", "version": 1, "digest": "sha256:4f0c"},
    "steps": [
        {
            "step": "solution_evaluation", "name": "Solution evaluation",
            "stages": [{"stage": "solution_evaluation", "name": "Solution evaluation", "kind": "open"}],
        }
    ],
    "stages_without_step": [{"stage": "lost", "name": "No purchase", "kind": "lost"}],
}  # fmt: skip
