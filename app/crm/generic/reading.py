"""Generic deliveries, read by where the settings say that everything stands."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.crm.events import Batch, Event, EventKind, Fact, Fault, Malformed
from app.crm.generic.facts import activities, contacts
from app.crm.generic.pointer import MISSING, resolve
from app.crm.generic.settings import GenericSettings, Happening
from app.crm.generic.values import identifier, moment, shown
from app.safe_json import UnsafeJson, read_json

MOST_EVENTS = 100
MOST_TOLD = 10_000
"""Events that all items of a delivery may come to, one for each property: more hold up everybody else."""
_WITH_VALUES: frozenset[Happening] = frozenset({"created", "changed", "restored"})


def read(body: bytes, settings: GenericSettings) -> Batch:
    """The events and facts of a delivery, whose items tell their own time."""
    return _read(body, settings, None)


def read_at(body: bytes, settings: GenericSettings, received_at: datetime) -> Batch:
    """The same; what tells no time of its own happened when it arrived."""
    return _read(body, settings, received_at)


def record(content: Any, settings: GenericSettings, now: datetime) -> tuple[Event, ...]:
    """A deal as it is at this moment, whatever else the delivery says; first of all, that it is there."""
    if not isinstance(content, dict):
        raise Malformed("event_not_an_object")
    object_id = identifier(content, settings.deliveries.id)
    there = _event(content, settings, (object_id, "seen", now, None, None), None)
    return there, *(one._replace(kind="seen") for one in _values(content, settings, object_id, now, None))


def _read(body: bytes, settings: GenericSettings, received_at: datetime | None) -> Batch:
    try:
        listed = _items(read_json(body), settings)
    except UnsafeJson as error:
        raise Malformed(error.code, **error.params) from error
    if len(listed) > MOST_EVENTS:
        raise Malformed("delivery_too_many_events", found=len(listed), most=MOST_EVENTS)
    events: list[Event] = []
    facts: list[Fact] = []
    faults: list[Fault] = []
    ignored = 0
    for place, item in enumerate(listed):
        try:
            told = _item(item, settings, received_at)
        except Malformed as error:
            faults.append(Fault(place, error.code, error.params))
        else:
            events += told[0]
            facts += told[1]
            ignored += not any(told)
        if len(events) > MOST_TOLD:
            raise Malformed("delivery_too_many_events", found=len(events), most=MOST_TOLD)
    if len(faults) == len(listed) > 0:
        raise Malformed(faults[0].code, **faults[0].params, place=faults[0].place)
    return Batch(tuple(events), ignored, tuple(faults), tuple(facts))


def _items(content: Any, settings: GenericSettings) -> list[Any]:
    pointer = settings.deliveries.items
    found = content if pointer is None else resolve(content, pointer)
    if found is MISSING:
        raise Malformed("event_field_missing", field=pointer)
    return found if isinstance(found, list) else [found]


def _item(item: Any, settings: GenericSettings, received_at: datetime | None) -> tuple[list[Event], list[Fact]]:
    """What one item tells; nothing where it is nothing to us."""
    if not isinstance(item, dict):
        raise Malformed("event_not_an_object")
    pointers = settings.deliveries
    kind = _kind(item, settings)
    if kind is None:
        return [], []
    object_id = identifier(item, pointers.id)
    at = received_at if pointers.at is None else moment(resolve(item, pointers.at), pointers, pointers.at)
    if at is None:
        raise Malformed("event_field_missing", field="at")
    event_id = None if pointers.event_id is None else identifier(item, pointers.event_id)
    events = []
    if kind != "changed":
        value = identifier(item, pointers.merged_into or "/merged_into") if kind == "merged" else None
        events.append(_event(item, settings, (object_id, kind, at, None, value), event_id))
    if kind not in _WITH_VALUES:
        return events, []
    events += _values(item, settings, object_id, at, event_id)
    return events, [*activities(item, settings, object_id, at), *contacts(item, settings, object_id, at)]


def _kind(item: dict[str, Any], settings: GenericSettings) -> Happening | None:
    pointer = settings.deliveries.kind
    if pointer is None:
        return "changed"
    word = resolve(item, pointer)
    if word is MISSING:
        raise Malformed("event_field_missing", field=pointer)
    return settings.deliveries.kinds.get(word) if isinstance(word, str) else None


def _values(
    item: dict[str, Any], settings: GenericSettings, object_id: str, at: datetime, event_id: str | None
) -> Iterator[Event]:
    """Every property that concerns us and that the item holds."""
    ids = (settings.stage_property, settings.pipeline_property, settings.owner_property)
    for name in sorted(settings.followed):
        value = resolve(item, name)
        if value is MISSING or (value is None and name == settings.stage_property):
            continue
        if isinstance(value, dict | list):
            raise Malformed("event_field_wrong", field=name, found=shown(value))
        if name in ids and value is not None:
            value = identifier(item, name)
        yield _event(item, settings, (object_id, "changed", at, name, value), event_id)


def _event(
    item: dict[str, Any],
    settings: GenericSettings,
    told: tuple[str, EventKind, datetime, str | None, Any],
    event_id: str | None,
) -> Event:
    """One event: its copies say the same, under the sender's own id for it, or at the same time."""
    object_id, kind, at, name, value = told
    pointers = settings.deliveries
    said = [object_id, kind, name, value, at.isoformat() if event_id is None else event_id]
    key = hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()
    previous = resolve(item, pointers.previous_stage) if name == settings.stage_property else MISSING
    known = isinstance(previous, str | int) and not isinstance(previous, bool)
    return Event(
        key, object_id, kind, at, name, value,
        by=_word(item, pointers.changed_by), channel=_word(item, pointers.channel),
        previous=str(previous) if known else None, tells_previous=known,
    )  # fmt: skip


def _word(item: dict[str, Any], pointer: str | None) -> str | None:
    """A short text that only describes: anything else is as good as none."""
    value = resolve(item, pointer)
    return None if isinstance(value, bool) or not isinstance(value, str | int) or value == "" else str(value)[:200]
