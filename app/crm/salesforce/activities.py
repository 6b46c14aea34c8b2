"""Tasks, events and contact roles of Salesforce, in the words of a snapshot."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from app.crm.connection import ActivityMapping
from app.crm.events import Fact
from app.crm.reading import time_or_none
from app.crm.salesforce.ids import CONTACT, OPPORTUNITY, id_in
from app.crm.salesforce.settings import SalesforceSettings
from app.crm.salesforce.words import modified_at, text_of

MARKER = "[stagerail:"
"""Opens the marker in what we have written ourselves: our own tasks are nobody's activities."""
FIELDS: dict[str, tuple[str, ...]] = {
    "Task": ("Type", "TaskSubtype", "Subject", "Description", "Status", "IsClosed", "ActivityDate", "CompletedDateTime",
             "CallType"),
    "Event": ("Type", "EventSubtype", "Subject", "StartDateTime", "ActivityDateTime", "EndDateTime", "ActivityDate"),
}  # fmt: skip
"""What is to be read of each kind, beside whose it is and when it was changed."""
_YES = ("true", "1")
_DIRECTIONS = {"inbound": "inbound", "outbound": "outbound"}


def deal_of(data: Mapping[str, Any]) -> str | None:
    """The opportunity that a task or event is about."""
    what = id_in(data.get("WhatId"))
    return what if what is not None and what.startswith(OPPORTUNITY) else None


def activity_fact(
    kind: str, data: Mapping[str, Any], settings: SalesforceSettings, *, deal: str, now: datetime | None = None
) -> Fact | None:
    """A task or an event as a fact; None for what cannot be told from another, has no time, or is our own.

    An event of the calendar has no word for having taken place: it has, once it is over. That moment then is the time
    of the fact, since Salesforce tells of no change. Without `now` the record is taken at the time that it is of.
    """
    own_id, changed_at = id_in(data.get("Id")), modified_at(data)
    if own_id is None or changed_at is None or MARKER in f"{data.get('Subject')}{data.get('Description')}":
        return None
    if _is_true(data.get("IsDeleted")):
        return Fact(deal, "activity", own_id, changed_at, None)
    timed = _task(data, settings, changed_at) if kind == "Task" else _event(data, now or changed_at)
    if timed is None:
        return None
    at, status, since = timed
    mapping = next((settings.activities[one] for one in _names(kind, data) if one in settings.activities), None)
    who, owner = id_in(data.get("WhoId")), id_in(data.get("OwnerId"))
    person = settings.people.get(owner) if owner else None
    more = {
        "outcome": _outcome(data, mapping, settings),
        "direction": (mapping.direction if mapping else None)
        or _DIRECTIONS.get(str(data.get("CallType")).lower()),
        "contacts": [who] if who is not None and who.startswith(CONTACT) else None,
        "by": person.id if person else owner,
    }  # fmt: skip
    value: dict[str, Any] = {"id": own_id, "activity": mapping.activity if mapping else _names(kind, data)[0]}
    value |= {"at": at.isoformat(), "status": status} | {name: said for name, said in more.items() if said}
    return Fact(deal, "activity", own_id, max(changed_at, since or changed_at), value)


def contact_fact(data: Mapping[str, Any], settings: SalesforceSettings, *, deal: str) -> Fact | None:
    """A contact role: one fact for each, since a contact may have several."""
    own_id, contact, changed_at = id_in(data.get("Id")), id_in(data.get("ContactId")), modified_at(data)
    if own_id is None or contact is None or changed_at is None:
        return None
    if _is_true(data.get("IsDeleted")):
        return Fact(deal, "contact", own_id, changed_at, None)
    role = settings.contact_roles.get(str(data.get("Role")))
    return Fact(deal, "contact", own_id, changed_at, {"id": contact, **({"role": role} if role else {})})


def _task(
    data: Mapping[str, Any], settings: SalesforceSettings, changed_at: datetime
) -> tuple[datetime, str, None] | None:
    """Done: when it was ticked off, or on the day it was for, if that was before. Planned: by the end of its day."""
    day = _end_of_day(data.get("ActivityDate"))
    closed = data.get("IsClosed")
    if _is_true(closed) or (closed is None and data.get("Status") in settings.done_statuses):
        ticked = time_or_none(data.get("CompletedDateTime")) or changed_at
        return min(ticked, day or ticked), "done", None
    return None if day is None else (day, "planned", None)


def _event(data: Mapping[str, Any], now: datetime) -> tuple[datetime, str, datetime | None] | None:
    starts = [time_or_none(data.get(name)) for name in ("StartDateTime", "ActivityDateTime", "ActivityDate")]
    start = next((one for one in starts if one is not None), None)
    if start is None:
        return None
    end = time_or_none(data.get("EndDateTime")) or start
    return (start, "done", end) if end <= now else (start, "planned", None)


def _end_of_day(value: Any) -> datetime | None:
    """Salesforce writes a day without a time; CDC writes it as midnight."""
    found = time_or_none(value)
    if found is None:
        return None
    return datetime.combine(found.date(), time(), UTC) + timedelta(hours=23, minutes=59, seconds=59)


def _names(kind: str, data: Mapping[str, Any]) -> list[str]:
    """What an activity may be mapped by, the narrowest first."""
    named = [text_of(data.get(name)) for name in ("Type", f"{kind}Subtype")]
    return [*(one[:200] for one in named if one), kind]


def _outcome(data: Mapping[str, Any], mapping: ActivityMapping | None, settings: SalesforceSettings) -> str | None:
    said = text_of(data.get(settings.outcome_property)) if settings.outcome_property else None
    return mapping.outcomes.get(said) if mapping and said else None


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in _YES
