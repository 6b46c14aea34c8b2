"""Activities and connections of Dynamics, in the words of a snapshot."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.crm.dynamics.settings import DynamicsSettings
from app.crm.dynamics.values import attributes, column, guid_of, moment, plain, reference_of, text_of
from app.crm.events import Fact

MARKER = "[stagerail:"
"""Opens the marker in what we have written ourselves: our own tasks are nobody's activities."""
TABLES = ("phonecall", "appointment", "email", "task")
COLUMNS = ("subject", "description", "statecode", "statuscode", "scheduledstart", "scheduledend", "actualend",
           "modifiedon")  # fmt: skip
"""What every kind has."""
WITH_DIRECTION = frozenset({"phonecall", "email"})
_DONE, _CANCELLED = "1", "2"
_PARTIES = ("to", "from", "cc", "requiredattendees", "optionalattendees", "customers", "partners")


def activity_fact(
    table: str,
    data: Mapping[str, Any],
    settings: DynamicsSettings,
    *,
    deal: str,
    activity_id: str,
    at: datetime,
    contacts: Iterable[str] = (),
) -> Fact | None:
    """An activity as a fact; None for what has no time, or is our own. What was cancelled is gone."""
    if MARKER in f"{data.get('subject')}{data.get('description')}":
        return None
    state = text_of(data.get("statecode"))
    if state == _CANCELLED:
        return Fact(deal, "activity", activity_id, at, None)
    done = state == _DONE
    when = _done_at(table, data, at) if done else _due(table, data)
    if when is None:
        return None
    names = [text_of(column(data, settings.activity_type_property)) if settings.activity_type_property else None, table]
    mapping = next((settings.activities[one] for one in names if one in settings.activities), None)
    owner = guid_of(plain(column(data, "ownerid")))
    person = settings.people.get(owner) if owner else None
    result = text_of(column(data, settings.outcome_property)) if settings.outcome_property else None
    outgoing = plain(data.get("directioncode"))
    direction = {True: "outbound", False: "inbound"}.get(outgoing) if isinstance(outgoing, bool) else None
    more = {
        "outcome": mapping.outcomes.get(result) if mapping and result else None,
        "direction": (mapping.direction if mapping else None) or direction,
        "contacts": sorted(set(contacts)),
        "by": person.id if person else owner,
    }
    value: dict[str, Any] = {"id": activity_id, "activity": mapping.activity if mapping else table}
    value |= {"at": when.isoformat(), "status": "done" if done else "planned"}
    return Fact(deal, "activity", activity_id, at, value | {name: said for name, said in more.items() if said})


def contacts_of(data: Mapping[str, Any]) -> list[str]:
    """The contacts among the parties of an activity, as a plugin writes them."""
    found = []
    for name in _PARTIES:
        parties = data.get(name)
        listed = parties.get("Entities") if isinstance(parties, dict) else parties
        for one in listed if isinstance(listed, list) else []:
            party = reference_of(attributes(one).get("partyid"))
            found += [party.id] if party is not None and party.table == "contact" else []
    return found


def contact_fact(
    settings: DynamicsSettings, *, deal: str, connection: str, contact: str, roles: Iterable[str | None], at: datetime
) -> Fact:
    """A connection between an opportunity and a contact; its role goes by the first name of it that is mapped."""
    role = next((settings.contact_roles[one] for one in roles if one in settings.contact_roles), None)
    return Fact(deal, "contact", connection, at, {"id": contact, **({"role": role} if role else {})})


def _done_at(table: str, data: Mapping[str, Any], at: datetime) -> datetime:
    """An appointment takes place when it was for, anything else when it was ended."""
    ended = moment(plain(data.get("actualend"))) or at
    starts = moment(plain(data.get("scheduledstart"))) if table == "appointment" else None
    return ended if starts is None else min(starts, ended)


def _due(table: str, data: Mapping[str, Any]) -> datetime | None:
    names = ("scheduledstart", "scheduledend") if table == "appointment" else ("scheduledend", "scheduledstart")
    return next((found for name in names if (found := moment(plain(data.get(name)))) is not None), None)
