"""A deal as its CRM tells it, over what is stored about it: now, and as it was at each of its moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from app.crm.approvals import approvals_at, givers
from app.crm.changes import Changes
from app.crm.client import Told
from app.crm.connection import ConnectionSettings
from app.crm.events import Event, Fact, Group, text_of
from app.crm.known_facts import KnownFacts
from app.crm.record import HISTORY, Record
from app.crm.timeline import Entry, Move, Timeline, history_of, timeline
from app.crm.values import OWNER, Values
from app.engine.snapshot import LATEST, Activity, Approval, Contact, Snapshot

NOTHING = timedelta(0)
FROM_THE_START = timedelta(minutes=1)
"""A deal whose first stage is this near to its making was seen from its beginning."""
GROUPS: tuple[Group, ...] = ("activities", "approvals", "contacts", "fields")


class Stored(NamedTuple):
    """A deal as it is stored."""

    process: str
    snapshot: Snapshot
    updated_at: datetime


class Deal(NamedTuple):
    """One deal: its record with what is new in it, its timeline, what is stored of it so far; its fields and facts.

    `approved`: role, person and time of every approval that the CRM ever told.
    """

    settings: ConnectionSettings
    record: Record
    new: tuple[Event, ...]
    line: Timeline
    stored: Stored | None
    values: Values
    facts: KnownFacts
    approved: frozenset[tuple[str, str, datetime]]

    @property
    def process(self) -> str | None:
        """The process it is in: that of its last stage; None while no stage of any process is known."""
        if not any(entry.mapped for entry in self.line.entries):
            return None
        return next(entry.process for entry in reversed(self.line.entries) if entry.process is not None)


def tell(
    settings: ConnectionSettings,
    record: Record,
    new: Sequence[Event],
    stored: Stored | None,
    *,
    facts: Sequence[Fact] = (),
    told: Told | None = None,
) -> Deal:
    """Add to what is known of a deal: events and facts that its CRM sent, and what reading it back has told."""
    new = (*new, *told.events) if told else tuple(new)
    if stored is not None:
        if not record.events and stored.snapshot.stage_entered_at is None:
            record = record._replace(start=stored.snapshot.stage)
        record = record._replace(before={**_before(settings, record, new, stored.snapshot), **record.before})
    known = {name for event in record.events for name in (event.key, _content(event))}
    record = record.with_events(new).with_facts(facts)
    if told is not None:
        object_id = next((event.object_id for event in record.events), "")
        record = record.with_told(object_id, told)
    fresh = tuple(event for event in record.events if known.isdisjoint((event.key, _content(event))))
    # facts may come before the stage that makes it a deal of ours
    news = record.events if stored is None else fresh
    history = record.readings.get(HISTORY)
    line = timeline(
        settings, record.events, _entries(record, stored), record.own, None if history is None else history.covers
    )
    changes, known_facts = Changes(record.events), KnownFacts(record.facts)
    approved = {(one.role, one.by, one.at) for one in known_facts.ever(Approval)}
    approved.update(givers(settings, changes))
    values = Values(settings, changes, record.before)
    return Deal(settings, record, news, line, stored, values, known_facts, frozenset(approved))


def _content(event: Event) -> tuple[Any, ...]:
    """What an event tells, under whatever key."""
    return event.at, event.name or event.kind, text_of(event.value)


def snapshot_now(deal: Deal, deal_id: str, zone: tzinfo) -> Snapshot:
    """The deal's snapshot with what is new in it. INVARIANT: its process is known."""
    base = deal.stored.snapshot if deal.stored else None
    created = deal.line.created
    changes: dict[str, Any] = {
        "id": deal_id,
        "created_at": created.at if created else (base.created_at if base else None),
        "owner": deal.values.owner_now(deal.new, base),
        "fields": deal.values.fields_now(deal.new, base, zone),
        **_facts_now(deal, base),
    }
    told_of_stages = any(event.name == deal.settings.stage_property for event in deal.record.events)
    if told_of_stages or base is None:
        changes |= _standing(deal.line, len(deal.line.entries), deal.process or "")
    return base.model_copy(update=changes) if base else Snapshot(**changes)


def snapshot_before(deal: Deal, now: Snapshot, zone: tzinfo, move: Move, together: timedelta = NOTHING) -> Snapshot:
    """The deal just before one of its moves, with what was saved together with the move, within so much time.

    INVARIANT: the move can be judged.
    """
    entries = deal.line.entries[: deal.line.entries.index(move.entry)]
    at, until = move.event.at, _saved_by(move, together)
    settings, told = deal.settings, deal.values.changes
    changes = _standing(deal.line, len(entries), entries[-1].process or "")
    changes |= {
        "owner": owner_at(deal, now, move, together),
        "fields": deal.values.fields_then(until, now, zone),
        "activities": (*_others_activities(deal, now), *deal.facts.activities_at(at, until)),
        "contacts": (*_others_contacts(deal, now), *deal.facts.at(Contact, until)),
        "approvals": (
            *_others_approvals(deal, now),
            *deal.facts.at(Approval, until),
            *approvals_at(settings, told, entries, until=until, to=move.entry.stage, at_latest=at),
        ),
    }
    return now.model_copy(update=changes)


def owner_at(deal: Deal, now: Snapshot, move: Move, together: timedelta = NOTHING) -> str | None:
    """Whose deal it was at a move."""
    return deal.values.owner_then(_saved_by(move, together), now)


def _saved_by(move: Move, together: timedelta) -> datetime:
    """Until when what is saved counts as saved with a move."""
    return min(move.event.at, LATEST - together) + together


def lacking(deal: Deal, at: datetime) -> frozenset[str]:
    """The groups of facts that nobody has told whole, up to a time of the CRM: what is absent of them is unknown."""
    readings = deal.record.readings
    lacks = {group for group in GROUPS if group not in readings or readings[group].covers < at}
    return frozenset(lacks) if _every_stage_is_known(deal, at) else frozenset({*lacks, HISTORY})


def lacking_now(deal: Deal) -> frozenset[str]:
    """The same as things stand: what came after the last reading makes it old."""
    last = max((event.at for event in deal.record.events), default=None)
    return frozenset({*GROUPS, HISTORY}) if last is None else lacking(deal, last)


def _every_stage_is_known(deal: Deal, at: datetime) -> bool:
    """Whether every stage until then is. A making that was only read back says nothing of the stages since then.

    Where the CRM tells its history at all, what it has not told whole may be missing.
    """
    created = deal.line.created
    history = deal.record.readings.get(HISTORY)
    if history is not None:
        return history.covers >= at
    if created is None or not deal.record.readings:
        return created is not None
    first = next((entry for entry in deal.line.entries if entry.at is not None), None)
    return first is not None and first.at is not None and first.at - created.at <= FROM_THE_START


def _facts_now(deal: Deal, base: Snapshot | None) -> dict[str, Any]:
    """Activities, contacts and approvals: the CRM's, beside what was stored through our API."""
    record = deal.record
    if not record.facts and not deal.settings.approvals:
        return {}
    given = approvals_at(deal.settings, deal.values.changes, deal.line.entries)
    approvals = (*_others_approvals(deal, base), *deal.facts.now(Approval), *given)
    return {
        "activities": (*_others_activities(deal, base), *deal.facts.now(Activity)),
        "contacts": (*_others_contacts(deal, base), *deal.facts.now(Contact)),
        "approvals": tuple(dict.fromkeys(approvals)),
    }


def _others_activities(deal: Deal, base: Snapshot | None) -> list[Activity]:
    known = deal.facts.ids("activity")
    return [one for one in base.activities if one.id not in known] if base else []


def _others_contacts(deal: Deal, base: Snapshot | None) -> list[Contact]:
    known = deal.facts.ids("contact")
    return [one for one in base.contacts if one.id not in known] if base else []


def _others_approvals(deal: Deal, base: Snapshot | None) -> list[Approval]:
    if base is None or not base.approvals:
        return []
    return [one for one in base.approvals if (one.role, one.by, one.at) not in deal.approved]


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


def _standing(line: Timeline, count: int, process: str) -> dict[str, Any]:
    """Where a deal stands after so many entries, and how it came there."""
    last = line.entries[count - 1]
    return {"stage": last.stage, "stage_entered_at": last.at, "stage_history": history_of(line, process, count)}
