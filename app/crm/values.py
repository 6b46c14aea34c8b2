"""A deal's fields and owner as its CRM's events tell them: now, and at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from app.crm.changes import Changes
from app.crm.connection import ConnectionSettings
from app.crm.convert import convert
from app.crm.events import Event
from app.engine.snapshot import Snapshot

OWNER = " owner"
"""Where the owner of before the CRM's first word stands among such values; no field's key holds a space."""


class Values(NamedTuple):
    """What a CRM tells of a deal's fields and its owner; `before` is what they were before it told of them."""

    settings: ConnectionSettings
    changes: Changes
    before: Mapping[str, Any]

    def fields_now(self, new: Sequence[Event], base: Snapshot | None, zone: tzinfo) -> dict[str, Any]:
        """A new event counts when none is later; what was stored through our API since the last one stays."""
        fields = dict(base.fields) if base else {}
        keys = {event.key for event in new}
        for name, mapping in self.settings.fields.items():
            final = self.changes.latest(name)
            if final is not None and final.key in keys:
                fields[mapping.field] = convert(final.value, mapping, zone)
        return fields

    def fields_then(self, at: datetime, now: Snapshot, zone: tzinfo) -> dict[str, Any]:
        """The fields at a time. A value that was only seen later may have been there before, and counts."""
        fields = dict(now.fields)
        for name, mapping in self.settings.fields.items():
            final, then = self.changes.latest(name), self.changes.known_by(name, at)
            if final is then:
                continue
            if then is not None:
                fields[mapping.field] = convert(then.value, mapping, zone)
            elif mapping.field in self.before:
                fields[mapping.field] = self.before[mapping.field]
            else:
                fields.pop(mapping.field, None)
        return fields

    def owner_now(self, new: Sequence[Event], base: Snapshot | None) -> str | None:
        """Whose deal it is."""
        final = self.changes.latest(self.settings.owner_property)
        if final is not None and any(event.key == final.key for event in new):
            return _person_id(self.settings, final)
        return base.owner if base else None

    def owner_then(self, at: datetime, now: Snapshot) -> str | None:
        """Whose deal it was."""
        name = self.settings.owner_property
        final, then = self.changes.latest(name), self.changes.known_by(name, at)
        if final is then:
            return now.owner
        if then is not None:
            return _person_id(self.settings, then)
        before: str | None = self.before.get(OWNER)
        return before


def _person_id(settings: ConnectionSettings, change: Event) -> str | None:
    """Who an owner is among our people; whom the mapping does not know keeps the CRM's id."""
    if change.value is None or change.value == "":
        return None
    crm_id = str(change.value)[:200]
    person = settings.people.get(crm_id)
    return person.id if person else crm_id
