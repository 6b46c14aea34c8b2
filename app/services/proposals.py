"""What a user is about to enter, laid over a stored deal for one question; never stored."""

from typing import Any

from pydantic import Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from app.engine import Activity, Contact, Snapshot
from app.engine.snapshot import Fact, Name


class Proposed(Fact):
    """Fields by key (null erases); activities and contacts by id."""

    fields: dict[Name, JsonValue] = Field(default_factory=dict)
    activities: tuple[Activity, ...] = ()
    contacts: tuple[Contact, ...] = ()

    @model_validator(mode="after")
    def _one_content_per_activity(self) -> "Proposed":
        known: dict[str, Activity] = {}
        for activity in self.activities:
            if known.setdefault(activity.id, activity) != activity:
                raise PydanticCustomError("activity_repeated", "activity `{id}` twice", {"id": activity.id})
        if len(known) < len(self.activities):  # the same activity sent twice counts once
            object.__setattr__(self, "activities", tuple(known.values()))
        return self


def with_proposed(snapshot: Snapshot, proposed: Proposed | None) -> Snapshot:
    """The snapshot as it would be."""
    if proposed is None:
        return snapshot
    return snapshot.model_copy(
        update={
            "fields": {**snapshot.fields, **proposed.fields},
            "activities": _by_id(snapshot.activities, proposed.activities),
            "contacts": _by_id(snapshot.contacts, proposed.contacts),
        }
    )


def _by_id(stored: tuple[Any, ...], proposed: tuple[Any, ...]) -> tuple[Any, ...]:
    """What is proposed stands for all that is stored under its id; a contact with two roles stands there twice."""
    replaced = {one.id for one in proposed}
    return (*(one for one in stored if one.id not in replaced), *proposed)
