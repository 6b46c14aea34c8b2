"""The snapshot: a deal's facts at one instant, as a caller sends them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

Instant = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
"""An RFC 3339 time with an offset, between the years 1900 and 2999 so that no arithmetic leaves the calendar."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Fact(BaseModel):
    """Base of what callers send: immutable, strict, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_alias=True, validate_by_name=False)


class StageEntry(Fact):
    """When the deal entered a stage."""

    stage: Name
    entered_at: Instant


class Contact(Fact):
    """One of the buyer's people on the deal."""

    id: Id
    role: Name | None = None


class Activity(Fact):
    """Something a person did, or will do, with the buyer."""

    id: Id
    activity: Name
    at: Instant
    status: Literal["done", "planned"]
    outcome: Name | None = None
    direction: Literal["inbound", "outbound"] | None = None
    contacts: tuple[Id, ...] = ()
    by: Id | None = None


class Approval(Fact):
    """Someone's yes to one move."""

    role: Name
    by: Id
    from_stage: Annotated[Name, Field(alias="from")]
    to_stage: Annotated[Name, Field(alias="to")]
    at: Instant


class Actor(Fact):
    """Who moves the deal, with the roles they have."""

    id: Id
    roles: tuple[Name, ...] = ()


class Snapshot(Fact):
    """A deal's facts at one instant."""

    id: Id | None = None
    stage: Name
    stage_entered_at: Instant | None = None
    created_at: Instant | None = None
    stage_history: tuple[StageEntry, ...] = ()
    owner: Id | None = None
    fields: dict[Name, JsonValue] = {}
    contacts: tuple[Contact, ...] = ()
    activities: tuple[Activity, ...] = ()
    approvals: tuple[Approval, ...] = ()

    @model_validator(mode="after")
    def _one_content_per_activity(self) -> "Snapshot":
        known: dict[str, Any] = {}
        for activity in self.activities:
            first = known.setdefault(activity.id, activity)
            if first is not activity and first != activity:
                raise PydanticCustomError("activity_repeated", "activity `{id}` twice", {"id": activity.id})
        if len(known) < len(self.activities):  # the same activity sent twice counts once
            object.__setattr__(self, "activities", tuple(known.values()))
        return self
