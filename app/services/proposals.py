"""What a user is about to enter, laid over a stored deal for one question; never stored."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, JsonValue

from app.engine import Activity, Contact, Snapshot
from app.engine.snapshot import Fact, Name


class Proposed(Fact):
    """Fields by key (null erases); activities and contacts by id."""

    fields: dict[Name, JsonValue] = Field(default_factory=dict)
    activities: tuple[Activity, ...] = ()
    contacts: tuple[Contact, ...] = ()


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
    merged: Mapping[str, Any] = {one.id: one for one in (*stored, *proposed)}
    return tuple(merged.values())
