"""HubSpot's meetings, calls, e-mails and tasks as activities of a deal. Pure: the objects come in, facts go out."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from app.crm.connection import ActivityMapping
from app.crm.events import Fact
from app.crm.hubspot.settings import HubspotSettings
from app.crm.hubspot.words import id_of, moment

MARKER = "[stagerail:"
"""Opens the marker in what we have written ourselves: our own tasks are nobody's activities."""
MODIFIED = "hs_lastmodifieddate"
Status = Literal["done", "planned", "by_time", "gone"]
Direction = Literal["inbound", "outbound"]

DISPOSITIONS = {
    "9d9162e7-6cf3-4944-bf63-4dff82258764": "Busy",
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": "Connected",
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff": "Left live message",
    "b2cf5968-551e-4856-9783-52b3da59a7d0": "Left voicemail",
    "73a0d17f-1163-4015-bdd5-ec830791da20": "No answer",
    "17b47fee-58de-441e-a44c-c6300d46f273": "Wrong number",
}
"""The outcomes of calls that every account has; those that an account adds are mapped by their id."""


class Kind(NamedTuple):
    """One of HubSpot's kinds of activity: where its types, outcomes and times stand, and what its states mean."""

    types: tuple[str, ...]
    outcomes: tuple[str, ...]
    state: str
    states: Mapping[str, Status]
    times: tuple[str, ...]
    directions: Mapping[str, Direction] = {}
    others: tuple[str, ...] = ()

    @property
    def properties(self) -> list[str]:
        """What is to be read of it."""
        own = (*self.types, *self.outcomes, self.state, *self.times, *self.others)
        return list(dict.fromkeys((*own, "hs_timestamp", MODIFIED, "hubspot_owner_id")))


def _all(status: Status, *states: str) -> dict[str, Status]:
    return dict.fromkeys(states, status)


KINDS: dict[str, Kind] = {
    "meetings": Kind(
        ("hs_activity_type",),
        ("hs_meeting_outcome",),
        "hs_meeting_outcome",
        {"SCHEDULED": "planned", "RESCHEDULED": "planned", "COMPLETED": "done", "NO_SHOW": "done", "CANCELED": "gone"},
        ("hs_meeting_start_time",),
    ),
    "calls": Kind(
        ("hs_activity_type", "hs_call_disposition"),
        ("hs_call_disposition", "hs_call_status"),
        "hs_call_status",
        {
            **_all("done", "COMPLETED", "BUSY", "NO_ANSWER"),
            **_all("gone", "FAILED", "CANCELED", "MISSED"),
            **_all("planned", "QUEUED", "RINGING", "CONNECTING", "CALLING_CRM_USER", "IN_PROGRESS"),
        },
        (),
        {"INBOUND": "inbound", "OUTBOUND": "outbound"},
        ("hs_call_direction",),
    ),
    "emails": Kind(
        (),
        ("hs_email_status",),
        "hs_email_status",
        {"SENT": "done", "SCHEDULED": "planned", "SENDING": "planned", "BOUNCED": "gone", "FAILED": "gone"},
        (),
        {"EMAIL": "outbound", "FORWARDED_EMAIL": "outbound", "INCOMING_EMAIL": "inbound"},
        ("hs_email_direction",),
    ),
    "tasks": Kind(
        ("hs_task_type",),
        ("hs_task_status",),
        "hs_task_status",
        {"COMPLETED": "done", **_all("planned", "NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED")},
        ("hs_task_completion_date",),
        {},
        ("hs_task_body",),
    ),
}


def activity(
    kind: str,
    found: Mapping[str, Any],
    *,
    contacts: Iterable[str],
    object_id: str,
    settings: HubspotSettings,
    now: datetime,
) -> Fact | None:
    """The fact that an object of HubSpot's is; None for what is not mapped, cannot be read, or is our own.

    What says no outcome was done once its time has passed. That moment then is the time of the fact: HubSpot tells of
    no change.
    """
    properties = found.get("properties")
    own_id = id_of(found.get("id"))
    if own_id is None or not isinstance(properties, dict) or MARKER in str(properties.get("hs_task_body")):
        return None
    about = KINDS[kind]
    mapping = _mapping(kind, about, properties, settings)
    at = next((one for name in (*about.times, "hs_timestamp") if (one := moment(properties.get(name)))), None)
    if mapping is None or at is None:
        return None
    changed_at = moment(properties.get(MODIFIED)) or moment(found.get("updatedAt")) or at
    outcome = _outcome(about, properties, mapping)
    status = _status(about, properties, outcome)
    if status == "by_time":
        status = "done" if at <= now else "planned"
        changed_at = max(changed_at, at) if status == "done" else changed_at
    name = f"{kind}:{own_id}"
    if status == "gone":
        return Fact(object_id, "activity", name, changed_at, None)
    owner = id_of(properties.get("hubspot_owner_id"))
    person = settings.people.get(owner) if owner else None
    value: dict[str, Any] = {"id": name, "activity": mapping.activity, "at": at.isoformat(), "status": status}
    more = {
        "outcome": outcome,
        "direction": mapping.direction or _direction(about, properties),
        "contacts": sorted(set(contacts)),
        "by": person.id if person else owner,
    }
    return Fact(object_id, "activity", name, changed_at, value | {key: said for key, said in more.items() if said})


def _mapping(kind: str, about: Kind, properties: dict[str, Any], settings: HubspotSettings) -> ActivityMapping | None:
    """By the narrowest name that is mapped: its own type before what it is."""
    named = [name for one in about.types for name in _names(properties.get(one))]
    return next((settings.activities[name] for name in (*named, kind) if name in settings.activities), None)


def _outcome(about: Kind, properties: dict[str, Any], mapping: ActivityMapping) -> str | None:
    named = [name for one in about.outcomes for name in _names(properties.get(one))]
    return next((mapping.outcomes[name] for name in named if name in mapping.outcomes), None)


def _status(about: Kind, properties: dict[str, Any], outcome: str | None) -> Status:
    """A state that is not known is judged by its time; one whose outcome is mapped counts, even if called off."""
    status = about.states.get(str(properties.get(about.state) or ""), "by_time")
    return "done" if status == "gone" and outcome is not None else status


def _direction(about: Kind, properties: dict[str, Any]) -> Direction | None:
    return next(
        (about.directions[found] for found in _texts(properties, about.others) if found in about.directions), None
    )


def _names(value: Any) -> list[str]:
    """What a type or an outcome may be mapped by: as it is, and the name of a call's outcome."""
    return (
        [value, *([DISPOSITIONS[value]] if value in DISPOSITIONS else [])] if isinstance(value, str) and value else []
    )


def _texts(properties: dict[str, Any], names: Iterable[str]) -> list[str]:
    return [value for name in names if isinstance(value := properties.get(name), str)]
