"""A Zoho deal read back whole: its stage history, what was done for it, and who is on it."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.crm.client import ClientError, Told
from app.crm.events import Event, Fact, Group
from app.crm.reading import Rounds, id_or_none, oldest_first, time_or_none
from app.crm.zoho.activities import MODULES, activity_fact
from app.crm.zoho.api import Api, listed
from app.crm.zoho.events import DEALS, changes, is_record_id, make_event, named
from app.crm.zoho.settings import ZohoSettings

_UNREAD = frozenset({"client_forbidden", "client_refused", "client_not_found", "client_endless"})
_NEAR = timedelta(minutes=1)


async def read_deal(api: Api, settings: ZohoSettings, object_id: str, now: datetime) -> Told:
    """All that Zoho holds of a deal. What may not be read is not complete, and takes nothing else with it."""
    data = await deal_of(api, object_id)
    if data is None:
        return Told((), (), frozenset(), now, "deleted")
    made = time_or_none(data.get("Created_Time")) or now
    seen = time_or_none(data.get("Modified_Time")) or now
    history = await _history(api, settings, object_id, data.get(settings.stage_property))
    events = [make_event(object_id, "created", made), *history, *changes(settings, object_id, data, seen, "seen")]
    facts: list[Fact] = []
    complete: set[Group] = {"fields"}
    if _is_whole(history, made, data.get(settings.stage_property)):
        complete.add("stage_history")
    if settings.approvals:
        complete.add("approvals")
    if await _gather(facts, _activities(api, settings, object_id, now)) and settings.activities:
        complete.add("activities")
    if await _gather(facts, _contacts(api, settings, object_id, now)) and settings.contact_roles:
        complete.add("contacts")
    return Told(tuple(events), tuple(facts), frozenset(complete), now)


async def deal_of(api: Api, object_id: str) -> dict[str, Any] | None:
    """The deal as it stands; None when it is gone. An id that is none of Zoho's is nobody's."""
    if not is_record_id(object_id):
        return None
    try:
        answer = await api.get(f"/{DEALS}/{object_id}", missing=True)
    except ClientError as error:
        if error.code == "client_refused" and error.params.get("said") == "INVALID_DATA":
            return None  # so it calls an id that is no record's any more
        raise
    return next(iter(listed(answer)), None)


async def _history(api: Api, settings: ZohoSettings, object_id: str, stage: Any) -> list[Event]:
    """Each stage with the time at which the deal came to be in it; nothing where that may not be read."""
    fields = "Stage,Modified_Time,Modified_By"
    try:
        entries = [one async for one in api.pages(f"/{DEALS}/{object_id}/Stage_History", fields=fields)]
    except ClientError as error:
        if error.again or error.code not in _UNREAD:
            raise
        return []
    return list(stage_history(entries, settings, object_id, stage))


def stage_history(entries: list[dict[str, Any]], settings: ZohoSettings, object_id: str, stage: Any) -> Iterator[Event]:
    """The events of a stage history: each stage when the deal came to be in it, after the one before.

    Where it is all of one second, it ends in the stage that the deal is in now.
    """
    timed = [(time_or_none(one.get("Modified_Time")), one) for one in entries if isinstance(one.get("Stage"), str)]
    ordered = oldest_first([(at, one) for at, one in timed if at is not None])
    if ordered and ordered[0][0] == ordered[-1][0] and ordered[-1][1]["Stage"] != stage:
        ordered.reverse()
    before: str | None = None
    rounds = Rounds()
    for second, one in ordered:
        by = id_or_none(named(one.get("Modified_By")))
        at, _ = rounds.place(second, before, one["Stage"])
        event = make_event(object_id, "changed", at, settings.stage_property, one["Stage"], by=by)
        yield event._replace(previous=before, tells_previous=before is not None)
        before = one["Stage"]


def _is_whole(history: list[Event], made: datetime, stage: Any) -> bool:
    """Whether the history reaches from the deal's making to where it stands."""
    return bool(history) and history[0].at - made <= _NEAR and history[-1].value == stage


async def _activities(api: Api, settings: ZohoSettings, object_id: str, now: datetime) -> AsyncIterator[Fact]:
    """Calls, meetings and tasks, open and closed ones: Zoho keeps them in lists of their own, whose names it tells."""
    asked = (settings.outcome_property, settings.activity_type_property)
    for name, module in await activity_lists(api):
        shape = MODULES[module]
        own = ("id", "Owner", "Who_Id", "Modified_Time", *shape.fields, *(one for one in asked if one is not None))
        fields = ",".join(dict.fromkeys(own))
        async for one in api.pages(f"/{DEALS}/{object_id}/{name}", fields=fields):
            fact = activity_fact(module, one, settings, object_id, now)
            if fact is not None:
                yield fact


async def activity_lists(api: Api) -> list[tuple[str, str]]:
    """The related lists of deals that hold activities, each with its module; every module has one at least."""
    answer = await api.get("/settings/related_lists", module=DEALS)
    found = []
    for one in listed(answer, "related_lists"):
        module = one.get("module")
        of = module.get("api_name") if isinstance(module, dict) else None
        name = one.get("api_name")
        if not (isinstance(of, str) and isinstance(name, str)):
            continue
        if of in MODULES and name.replace("_", "").isalnum() and name.isascii():
            found.append((name, of))
    lacking = MODULES.keys() - {module for _, module in found}
    if lacking:
        raise ClientError("client_refused", again=False, status=200, said=f"no related list of {min(lacking)}")
    return found


async def _contacts(api: Api, settings: ZohoSettings, object_id: str, now: datetime) -> AsyncIterator[Fact]:
    async for one in api.pages(f"/{DEALS}/{object_id}/Contact_Roles", fields="id,Contact_Role"):
        contact = id_or_none(one.get("id"))
        if contact is not None:
            yield Fact(object_id, "contact", contact, now, _contact(contact, one.get("Contact_Role"), settings))


def _contact(contact: str, role: Any, settings: ZohoSettings) -> dict[str, Any]:
    label = role.get("name") if isinstance(role, Mapping) else role
    mapped = settings.contact_roles.get(str(label))
    return {"id": contact} if mapped is None else {"id": contact, "role": mapped}


async def _gather(facts: list[Fact], reading: AsyncIterator[Fact]) -> bool:
    """Add what a reading finds; False where Zoho does not let us read it, or there is too much of it."""
    try:
        facts += [fact async for fact in reading]
    except ClientError as error:
        if error.again or error.code not in _UNREAD:
            raise
        return False
    return True
