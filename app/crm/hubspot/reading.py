"""A HubSpot deal read back whole: its versions, its activities, its contacts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.crm.client import ClientError, Told
from app.crm.events import Fact, Group
from app.crm.hubspot.activities import KINDS, activity
from app.crm.hubspot.api import PAGE, Api, path_of
from app.crm.hubspot.contacts import contacts
from app.crm.hubspot.history import CREATED, MERGED, history
from app.crm.hubspot.settings import HubspotSettings
from app.crm.hubspot.words import id_of

DEALS = "/crm/v3/objects/deals"
PROPERTIES = 50
"""Asked for at once, so that no address grows too long."""
BODIES = 20
"""Read at once where they hold long texts."""
_UNREAD = ("client_forbidden", "client_endless")


async def read_deal(api: Api, settings: HubspotSettings, object_id: str, now: datetime) -> Told:
    """All that HubSpot holds of a deal. What may not be read is not complete, and takes nothing else with it."""
    deal = await _deal(api, settings, object_id)
    if deal is None:
        return Told((), (), frozenset(), now, "deleted")
    found = id_of(deal.get("id"))
    if found is not None and found != object_id:
        return Told((), (), frozenset(), now, f"merged:{found}")
    told = history({**deal, "id": object_id}, settings)
    facts: list[Fact] = []
    complete: set[Group] = set(told.complete)
    if settings.activities and await _gather(facts, _activities(api, settings, object_id, now)):
        complete.add("activities")
    if settings.contact_roles and await _gather(facts, _contacts(api, settings, object_id, now)):
        complete.add("contacts")
    return Told(told.events, tuple(facts), frozenset(complete), now)


def deal_path(object_id: str) -> str:
    """Where a deal is."""
    return f"{DEALS}{path_of(object_id)}"


async def associated(api: Api, object_id: str, kind: str) -> list[dict[str, Any]]:
    """What of a kind is on a deal: ids under `toObjectId`, with labels."""
    path = path_of("crm", "v4", "objects", "deals", object_id, "associations", kind)
    return [one async for one in api.pages(path, limit=PAGE)]


def ids_in(found: list[dict[str, Any]], name: str = "toObjectId") -> list[str]:
    """Their ids, each once."""
    return list(dict.fromkeys(one for one in (id_of(each.get(name)) for each in found) if one is not None))


async def _deal(api: Api, settings: HubspotSettings, object_id: str) -> dict[str, Any] | None:
    """The deal with the versions of everything that is followed, however many properties that are; None if gone."""
    names = sorted(settings.followed)
    whole: dict[str, Any] = {}
    for start in range(0, len(names), PROPERTIES):
        wanted = names[start : start + PROPERTIES]
        query = {"properties": ",".join((*wanted, *CREATED)), "propertiesWithHistory": ",".join((*wanted, MERGED))}
        part = await api.find(deal_path(object_id), **query)
        if part is None:
            return None
        joined = {name: {**_dict(whole, name), **_dict(part, name)} for name in ("properties", "propertiesWithHistory")}
        whole = {**whole, **part, **joined}
    return whole


async def _activities(api: Api, settings: HubspotSettings, object_id: str, now: datetime) -> list[Fact]:
    facts: list[Fact | None] = []
    for kind, about in KINDS.items():
        ids = ids_in(await associated(api, object_id, kind))
        if not ids:
            continue
        size = BODIES if kind == "tasks" else 100
        objects = await api.batch(f"/crm/v3/objects/{kind}/batch/read", ids, size, properties=about.properties)
        people = await _people(api, kind, ids)
        about_all: dict[str, Any] = {"object_id": object_id, "settings": settings, "now": now}
        facts += [activity(kind, one, contacts=people.get(str(one.get("id")), ()), **about_all) for one in objects]
    return [one for one in facts if one is not None]


async def _people(api: Api, kind: str, ids: list[str]) -> dict[str, list[str]]:
    """The contacts of each activity."""
    found = await api.batch(f"/crm/v4/associations/{kind}/contacts/batch/read", ids)
    people: dict[str, list[str]] = {}
    for one in found:
        own, to = id_of(_dict(one, "from").get("id")), one.get("to")
        if own is not None and isinstance(to, list):
            people.setdefault(own, []).extend(ids_in([each for each in to if isinstance(each, dict)]))
    return people


async def _contacts(api: Api, settings: HubspotSettings, object_id: str, now: datetime) -> list[Fact]:
    found = await associated(api, object_id, "contacts")
    objects: list[dict[str, Any]] = []
    if settings.contact_role_property and found:
        wanted = [settings.contact_role_property]
        objects = await api.batch("/crm/v3/objects/contacts/batch/read", ids_in(found), properties=wanted)
    return contacts(found, objects, object_id, settings, now)


async def _gather(facts: list[Fact], reading: Any) -> bool:
    """Add what a reading finds; False where HubSpot does not let us read it, or there is too much of it."""
    try:
        facts += await reading
    except ClientError as error:
        if error.code not in _UNREAD:
            raise
        return False
    return True


def _dict(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}
