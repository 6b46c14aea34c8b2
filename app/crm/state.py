"""A deal as its CRM's events tell it, over what is stored about it: now, and as it was at each of its moves."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from app.crm.connection import ConnectionSettings
from app.crm.convert import convert
from app.crm.events import Event
from app.crm.record import Record
from app.crm.timeline import Entry, Move, Timeline, history_of, latest, timeline
from app.engine.snapshot import Snapshot

OWNER = " owner"
"""Where the owner of before the CRM's first word stands among such values; no field's key holds a space."""


class Stored(NamedTuple):
    """A deal as it is stored."""

    process: str
    snapshot: Snapshot
    updated_at: datetime


class Deal(NamedTuple):
    """One deal: its record with the new events in it, its timeline, and what is stored of it so far."""

    settings: ConnectionSettings
    record: Record
    new: tuple[Event, ...]
    line: Timeline
    stored: Stored | None

    @property
    def process(self) -> str | None:
        """The process it is in: that of its last stage; None while no stage of any process is known."""
        if not any(entry.mapped for entry in self.line.entries):
            return None
        return next(entry.process for entry in reversed(self.line.entries) if entry.process is not None)


def tell(settings: ConnectionSettings, record: Record, new: Sequence[Event], stored: Stored | None) -> Deal:
    """Add new events to what is known of a deal."""
    if stored is not None:
        if not record.events and stored.snapshot.stage_entered_at is None:
            record = record._replace(start=stored.snapshot.stage)
        record = record._replace(before={**record.before, **_before(settings, record, new, stored.snapshot)})
    record = record.with_events(new)
    news = (
        record.events if stored is None else tuple(new)
    )  # facts may come before the stage that makes it a deal of ours
    return Deal(settings, record, news, timeline(settings, record.events, _entries(record, stored)), stored)


def snapshot_now(deal: Deal, deal_id: str, zone: tzinfo) -> Snapshot:
    """The deal's snapshot with the new events in it. INVARIANT: its process is known."""
    base = deal.stored.snapshot if deal.stored else None
    created = deal.line.created
    changes: dict[str, Any] = {
        "id": deal_id,
        "created_at": created.at if created else (base.created_at if base else None),
        "owner": _owner_now(deal, base),
        "fields": _fields_now(deal, base, zone),
    }
    told_of_stages = any(event.name == deal.settings.stage_property for event in deal.record.events)
    if told_of_stages or base is None:
        changes |= _standing(deal.line.entries, deal.process or "")
    return base.model_copy(update=changes) if base else Snapshot(**changes)


def snapshot_before(deal: Deal, now: Snapshot, zone: tzinfo, move: Move) -> Snapshot:
    """The deal just before one of its moves. INVARIANT: the move can be judged."""
    entries = deal.line.entries[: deal.line.entries.index(move.entry)]
    changes = _standing(entries, entries[-1].process or "")
    changes |= {"owner": _owner_then(deal, now, move.event.at), "fields": _fields_then(deal, now, zone, move.event.at)}
    return now.model_copy(update=changes)


def _before(settings: ConnectionSettings, record: Record, new: Sequence[Event], snapshot: Snapshot) -> dict[str, Any]:
    """The values of what the CRM tells for the first time, as they stood in the stored deal."""
    first_told = {event.name for event in new} - {event.name for event in record.events}
    fields = [mapping.field for name, mapping in settings.fields.items() if name in first_told]
    before = {field: snapshot.fields[field] for field in fields if field in snapshot.fields}
    if settings.owner_property in first_told and snapshot.owner is not None:
        before[OWNER] = snapshot.owner
    return before


def _entries(record: Record, stored: Stored | None) -> list[Entry]:
    """The entries that the stored deal knows; those that events made are among them, and told apart later."""
    if stored is None:
        return []
    snapshot, process = stored.snapshot, stored.process
    entries = [Entry(process, record.start, None)] if record.start is not None else []
    entries += [Entry(process, entry.stage, entry.entered_at) for entry in snapshot.stage_history]
    if snapshot.stage_entered_at is not None:
        entries.append(Entry(process, snapshot.stage, snapshot.stage_entered_at))
    elif snapshot.stage != record.start:
        entries.append(Entry(process, snapshot.stage, stored.updated_at))
    return entries


def _standing(entries: Sequence[Entry], process: str) -> dict[str, Any]:
    """Where a deal stands after these entries, and how it came there."""
    last = entries[-1]
    return {"stage": last.stage, "stage_entered_at": last.at, "stage_history": tuple(history_of(entries, process))}


def _fields_now(deal: Deal, base: Snapshot | None, zone: tzinfo) -> dict[str, Any]:
    """A new event counts when none is later; what was stored through our API since the last one stays."""
    fields = dict(base.fields) if base else {}
    for name, mapping in deal.settings.fields.items():
        final = latest(deal.record.events, name)
        if final is not None and final in deal.new:
            fields[mapping.field] = convert(final.value, mapping, zone)
    return fields


def _fields_then(deal: Deal, now: Snapshot, zone: tzinfo, at: datetime) -> dict[str, Any]:
    fields = dict(now.fields)
    for name, mapping in deal.settings.fields.items():
        final, then = latest(deal.record.events, name), latest(deal.record.events, name, at)
        if final is then:
            continue
        if then is not None:
            fields[mapping.field] = convert(then.value, mapping, zone)
        elif mapping.field in deal.record.before:
            fields[mapping.field] = deal.record.before[mapping.field]
        else:
            fields.pop(mapping.field, None)
    return fields


def _owner_now(deal: Deal, base: Snapshot | None) -> str | None:
    final = latest(deal.record.events, deal.settings.owner_property)
    if final is not None and final in deal.new:
        return _person_id(deal.settings, final)
    return base.owner if base else None


def _owner_then(deal: Deal, now: Snapshot, at: datetime) -> str | None:
    name = deal.settings.owner_property
    final, then = latest(deal.record.events, name), latest(deal.record.events, name, at)
    if final is then:
        return now.owner
    if then is not None:
        return _person_id(deal.settings, then)
    before: str | None = deal.record.before.get(OWNER)
    return before


def _person_id(settings: ConnectionSettings, change: Event) -> str | None:
    """Who an owner is among our people; whom the mapping does not know keeps the CRM's id."""
    if change.value is None or change.value == "":
        return None
    crm_id = str(change.value)[:200]
    person = settings.people.get(crm_id)
    return person.id if person else crm_id
