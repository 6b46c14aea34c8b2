"""A deal's fields and owner as its CRM's events tell them: now, and at a time."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from app.crm.connection import ConnectionSettings
from app.crm.convert import convert
from app.crm.events import Event
from app.crm.record import Record
from app.crm.timeline import latest
from app.engine.snapshot import Snapshot

OWNER = " owner"
"""Where the owner of before the CRM's first word stands among such values; no field's key holds a space."""


def fields_now(
    settings: ConnectionSettings, record: Record, new: Sequence[Event], base: Snapshot | None, zone: tzinfo
) -> dict[str, Any]:
    """A new event counts when none is later; what was stored through our API since the last one stays."""
    fields = dict(base.fields) if base else {}
    for name, mapping in settings.fields.items():
        final = latest(record.events, name)
        if final is not None and final in new:
            fields[mapping.field] = convert(final.value, mapping, zone)
    return fields


def fields_then(
    settings: ConnectionSettings, record: Record, at: datetime, now: Snapshot, zone: tzinfo
) -> dict[str, Any]:
    """The fields at a time. A value that was only seen later may have been there before, and counts."""
    fields = dict(now.fields)
    for name, mapping in settings.fields.items():
        final, then = latest(record.events, name), known_by(record.events, name, at)
        if final is then:
            continue
        if then is not None:
            fields[mapping.field] = convert(then.value, mapping, zone)
        elif mapping.field in record.before:
            fields[mapping.field] = record.before[mapping.field]
        else:
            fields.pop(mapping.field, None)
    return fields


def owner_now(settings: ConnectionSettings, record: Record, new: Sequence[Event], base: Snapshot | None) -> str | None:
    """Whose deal it is."""
    final = latest(record.events, settings.owner_property)
    if final is not None and final in new:
        return _person_id(settings, final)
    return base.owner if base else None


def owner_then(settings: ConnectionSettings, record: Record, at: datetime, now: Snapshot) -> str | None:
    """Whose deal it was."""
    name = settings.owner_property
    final, then = latest(record.events, name), known_by(record.events, name, at)
    if final is then:
        return now.owner
    if then is not None:
        return _person_id(settings, then)
    before: str | None = record.before.get(OWNER)
    return before


def known_by(events: Sequence[Event], name: str, at: datetime) -> Event | None:
    """What tells the value of a property at a time: its last change until then; else what its first change tells of
    before; else its value when it was first seen. INVARIANT: the events are in order.
    """
    found = latest(events, name, at)
    if found is not None:
        return found
    first = next((event for event in events if event.name == name), None)
    if first is None or first.kind == "seen":
        return first
    return first._replace(value=first.previous, by=None) if first.tells_previous else None


def _person_id(settings: ConnectionSettings, change: Event) -> str | None:
    """Who an owner is among our people; whom the mapping does not know keeps the CRM's id."""
    if change.value is None or change.value == "":
        return None
    crm_id = str(change.value)[:200]
    person = settings.people.get(crm_id)
    return person.id if person else crm_id
