"""Calls, meetings and tasks of Zoho in the words of a snapshot."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.connection import ActivityMapping
from app.crm.events import Fact
from app.crm.reading import id_or_none, time_or_none
from app.crm.zoho.events import named
from app.crm.zoho.settings import ZohoSettings


class Module(NamedTuple):
    """Where a kind of activity keeps its time, and what tells that it has taken place."""

    at: tuple[str, ...]
    status: str | None = None
    done: frozenset[str] = frozenset()
    direction: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are read of it."""
        return (*self.at, *(one for one in (self.status, self.direction) if one is not None))


MODULES = {
    "Calls": Module(("Call_Start_Time",), "Outbound_Call_Status", frozenset({"Completed"}), "Call_Type"),
    "Events": Module(("Start_DateTime",)),
    "Tasks": Module(("Closed_Time", "Due_Date"), "Status", frozenset({"Completed"})),
}
_DIRECTIONS = {"Inbound": "inbound", "Missed": "inbound", "Outbound": "outbound"}


def activity_fact(
    module: str, data: Mapping[str, Any], settings: ZohoSettings, deal: str, now: datetime
) -> Fact | None:
    """An activity as a fact; None for one without an id or a time."""
    activity_id, shape = id_or_none(data.get("id")), MODULES[module]
    at = next((found for name in shape.at if (found := time_or_none(data.get(name))) is not None), None)
    if activity_id is None or at is None:
        return None
    mapping = _mapping(module, data, settings)
    owner = id_or_none(named(data.get("Owner")))
    person = settings.people.get(owner) if owner else None
    contact = id_or_none(named(data.get("Who_Id")))
    value: dict[str, Any] = {
        "id": activity_id,
        "activity": mapping.activity if mapping else module,
        "at": at.isoformat(),
        "status": "done" if _is_done(module, data, at, now) else "planned",
        "contacts": [contact] if contact else [],
    }
    result = data.get(settings.outcome_property) if settings.outcome_property else None
    if mapping and result is not None and str(result) in mapping.outcomes:
        value["outcome"] = mapping.outcomes[str(result)]
    direction = (mapping.direction if mapping else None) or _DIRECTIONS.get(str(data.get("Call_Type")))
    if direction:
        value["direction"] = direction
    if owner:
        value["by"] = person.id if person else owner
    return Fact(deal, "activity", activity_id, time_or_none(data.get("Modified_Time")) or now, value)


def _mapping(module: str, data: Mapping[str, Any], settings: ZohoSettings) -> ActivityMapping | None:
    """By the value of the field that tells the type, where one is named; else by the module."""
    kind = data.get(settings.activity_type_property) if settings.activity_type_property else None
    return settings.activities.get(str(kind)) or settings.activities.get(module)


def _is_done(module: str, data: Mapping[str, Any], at: datetime, now: datetime) -> bool:
    """By its status; without one, a call or a meeting that lies behind us is done."""
    shape = MODULES[module]
    status = data.get(shape.status) if shape.status else None
    return status in shape.done if isinstance(status, str) and status else at <= now and module != "Tasks"
