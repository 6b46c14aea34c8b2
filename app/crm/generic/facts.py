"""Activities and contacts of a generic delivery, in the words of a snapshot."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.crm.connection import ActivityMapping, person_of
from app.crm.events import Fact, Malformed
from app.crm.generic.pointer import MISSING, resolve
from app.crm.generic.settings import ActivityPointers, GenericSettings
from app.crm.generic.values import identifier, moment, shown

MOST_FACTS = 500
_DIRECTIONS = ("inbound", "outbound")
_STANDINGS = ("done", "planned")
_LONGEST_WORD = 200


def activities(item: dict[str, Any], settings: GenericSettings, object_id: str, at: datetime) -> Iterator[Fact]:
    """Every activity of a type that is mapped."""
    pointers = settings.deliveries.activities
    if pointers is None:
        return
    for one in _listed(item, pointers.items):
        mapping = settings.activities.get(_word(one, pointers.type) or "")
        if mapping is None:
            continue
        activity_id = identifier(one, pointers.id)
        changed = resolve(one, pointers.changed_at)
        told_at = at if changed is MISSING else moment(changed, settings.deliveries, pointers.changed_at or "")
        yield Fact(object_id, "activity", activity_id, told_at, _activity(one, mapping, settings, pointers))


def contacts(item: dict[str, Any], settings: GenericSettings, object_id: str, at: datetime) -> Iterator[Fact]:
    """Every contact, with its role where the mapping knows it."""
    pointers = settings.deliveries.contacts
    if pointers is None:
        return
    for one in _listed(item, pointers.items):
        contact_id = identifier(one, pointers.id)
        role = settings.contact_roles.get(_word(one, pointers.role) or "")
        yield Fact(object_id, "contact", contact_id, at, {"id": contact_id, "role": role})


def _activity(
    one: dict[str, Any], mapping: ActivityMapping, settings: GenericSettings, pointers: ActivityPointers
) -> dict[str, Any] | None:
    word = _word(one, pointers.status)
    status = pointers.statuses.get(word or "", word)
    if status == "gone":
        return None
    if status not in _STANDINGS:
        raise Malformed("event_field_wrong", field=pointers.status, found=shown(word))
    outcome, direction, by = (_word(one, where) for where in (pointers.outcome, pointers.direction, pointers.by))
    person = person_of(settings, by)
    found: dict[str, Any] = {
        "id": identifier(one, pointers.id),
        "activity": mapping.activity,
        "at": moment(resolve(one, pointers.at), settings.deliveries, pointers.at).isoformat(),
        "status": status,
        "outcome": mapping.outcomes.get(outcome or "", outcome),
        "direction": direction if direction in _DIRECTIONS else mapping.direction,
        "contacts": _people(one, pointers.contacts),
        "by": person.id if person else by,
    }
    return {name: value for name, value in found.items() if value is not None}


def _people(one: dict[str, Any], pointer: str | None) -> list[str]:
    """The ids of contacts, one or a list of them."""
    found = resolve(one, pointer)
    if found is MISSING or found is None:
        return []
    listed = found if isinstance(found, list) else [found]
    return [identifier(contact, "") for contact in listed[:MOST_FACTS]]


def _listed(item: dict[str, Any], pointer: str) -> list[dict[str, Any]]:
    found = resolve(item, pointer)
    if found is MISSING or found is None:
        return []
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_FACTS:
        raise Malformed("delivery_too_many_facts", found=len(listed), most=MOST_FACTS)
    if not all(isinstance(one, dict) for one in listed):
        raise Malformed("event_field_wrong", field=pointer, found=shown(found))
    return listed


def _word(one: dict[str, Any], pointer: str | None) -> str | None:
    """A short text, as CRMs write types and results; a number counts as its digits, anything else as nothing."""
    value = resolve(one, pointer)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)[:_LONGEST_WORD]
