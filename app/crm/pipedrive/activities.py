"""Activities of Pipedrive in the words of a snapshot."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.crm.events import Fact
from app.crm.pipedrive.settings import PipedriveSettings
from app.crm.reading import id_or_none, objects_in, time_or_none


def activity_fact(
    data: Mapping[str, Any], settings: PipedriveSettings, *, deal: str, at: datetime, gone: bool = False
) -> Fact | None:
    """An activity as a fact; None for one that cannot be told from another, or has no time."""
    activity_id = id_or_none(data.get("id"))
    if activity_id is None:
        return None
    if gone:
        return Fact(deal, "activity", activity_id, at, None)
    kind = str(data.get("type") or "other")[:200]
    mapping = settings.activities.get(kind)
    done = data.get("done") in (True, 1, "1", "true")
    when = _done_at(data, at) if done else _due(data)
    if when is None:
        return None
    owner = id_or_none(data.get("owner_id") or data.get("user_id"))
    person = settings.people.get(owner) if owner else None
    value: dict[str, Any] = {
        "id": activity_id,
        "activity": mapping.activity if mapping else kind,
        "at": when.isoformat(),
        "status": "done" if done else "planned",
        "contacts": contacts_of(data),
    }
    result = data.get(settings.outcome_property) if settings.outcome_property else None
    if mapping and result is not None and str(result) in mapping.outcomes:
        value["outcome"] = mapping.outcomes[str(result)]
    if mapping and mapping.direction:
        value["direction"] = mapping.direction
    if owner:
        value["by"] = person.id if person else owner
    return Fact(deal, "activity", activity_id, at, value)


def contacts_of(data: Mapping[str, Any]) -> list[str]:
    """The people who took part: those whom the activity names, and those who were invited and did not decline."""
    invited = [one for one in objects_in(data.get("attendees")) if one.get("status") != "declined"]
    people = [one.get("person_id") for one in (*objects_in(data.get("participants")), *invited)]
    found = [id_or_none(one) for one in (*people, data.get("person_id"))]
    return list(dict.fromkeys(one for one in found if one is not None))


def _done_at(data: Mapping[str, Any], at: datetime) -> datetime:
    """When it took place: when it was due, unless it was done before that; else when it was ticked off."""
    marked = time_or_none(data.get("marked_as_done_time")) or at
    due = _due(data)
    return min(due, marked) if due is not None and data.get("due_time") else marked


def _due(data: Mapping[str, Any]) -> datetime | None:
    day, clock = data.get("due_date"), data.get("due_time")
    if not isinstance(day, str) or not day:
        return None
    text = f"{day}T{clock}" if isinstance(clock, str) and clock else day
    found = time_or_none(text)
    return found.astimezone(UTC) if found else None
