"""A requirement as it stands in `enter`, `exit` or `requires`: a condition with an id, a mode and what goes with it."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from app.engine.conditions import (
    ActivityCondition,
    AllCondition,
    AnyCondition,
    ApprovalCondition,
    ContactCondition,
    DataQualityCondition,
    DealAgeCondition,
    FieldCondition,
    MoverCondition,
    Nested,
    NotCondition,
    StageAgeCondition,
    kind_discriminator,
)
from app.engine.values import Day, Key, Part, Text

Severity = Literal["block", "warn", "info"]
ModeName = Literal["observe", "warn", "enforce"]


class DatedMode(Part):
    """A mode that changes by the calendar: each takes effect at 00:00 of its date, process time; `observe` before."""

    observe: Day | None = None
    warn: Day | None = None
    enforce: Day | None = None

    @model_validator(mode="after")
    def _dates_differ(self) -> "DatedMode":
        dates = [day for day in (self.observe, self.warn, self.enforce) if day is not None]
        if not dates:
            raise PydanticCustomError("no_date", "name at least one mode with its date")
        if len(set(dates)) < len(dates):
            raise PydanticCustomError("same_date", "two modes begin on the same date")
        return self


def _mode_kind(value: Any) -> str:
    return "requirement:dated" if isinstance(value, dict | DatedMode) else "requirement:mode"


Mode = Annotated[
    Annotated[ModeName, Tag("requirement:mode")] | Annotated[DatedMode, Tag("requirement:dated")],
    Discriminator(_mode_kind),
]


class Requirement(Part):
    """What a requirement carries at the top, whatever its kind."""

    id: Key
    mode: Mode = "enforce"
    when: Nested | None = None
    say: Text | None = None
    waivable_by: list[Key] = []
    relaxed_for: list[Key] = []


class ActivityRequirement(Requirement, ActivityCondition):
    """Top-level `activity`."""

    id: Key


class FieldRequirement(Requirement, FieldCondition):
    """Top-level `field`."""

    id: Key


class ContactRequirement(Requirement, ContactCondition):
    """Top-level `contact`."""

    id: Key


class StageAgeRequirement(Requirement, StageAgeCondition):
    """Top-level `stage_age`."""

    id: Key


class DealAgeRequirement(Requirement, DealAgeCondition):
    """Top-level `deal_age`."""

    id: Key


class ApprovalRequirement(Requirement, ApprovalCondition):
    """Top-level `approval`."""

    id: Key


class MoverRequirement(Requirement, MoverCondition):
    """Top-level `mover`."""

    id: Key


class DataQualityRequirement(Requirement, DataQualityCondition):
    """Top-level `data_quality`."""

    id: Key


class AnyRequirement(Requirement, AnyCondition):
    """Top-level `any`."""

    id: Key


class AllRequirement(Requirement, AllCondition):
    """Top-level `all`."""

    id: Key


class NotRequirement(Requirement, NotCondition):
    """Top-level `not`."""

    id: Key


_Top = (
    Annotated[ActivityRequirement, Tag("requirement:activity")]
    | Annotated[FieldRequirement, Tag("requirement:field")]
    | Annotated[ContactRequirement, Tag("requirement:contact")]
    | Annotated[StageAgeRequirement, Tag("requirement:stage_age")]
    | Annotated[DealAgeRequirement, Tag("requirement:deal_age")]
    | Annotated[ApprovalRequirement, Tag("requirement:approval")]
    | Annotated[MoverRequirement, Tag("requirement:mover")]
    | Annotated[DataQualityRequirement, Tag("requirement:data_quality")]
    | Annotated[AnyRequirement, Tag("requirement:any")]
    | Annotated[AllRequirement, Tag("requirement:all")]
    | Annotated[NotRequirement, Tag("requirement:not")]
)
Top = Annotated[_Top, kind_discriminator()]
"""A requirement as it stands in `enter`, `exit` or `requires`."""
