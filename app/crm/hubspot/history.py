"""A deal as HubSpot's API writes it, read into events: the same events, with the same keys, that its webhooks bring."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Event, Group, Malformed
from app.crm.hubspot.settings import HubspotSettings, whole_number
from app.crm.hubspot.words import author, channel_of, id_of, make_event, moment, shown

CREATED = ("hs_createdate", "createdate")
MERGED = "hs_merged_object_ids"
"""Which deals went into this one. Its history then is all of theirs in one, and tells moves that no deal made."""
KEPT = 20
"""Versions of a property that HubSpot keeps at least: where that many are told, older ones may be gone."""


class History(NamedTuple):
    """The events of a deal, and the groups that they tell whole."""

    events: tuple[Event, ...]
    complete: frozenset[Group]


def history(deal: Mapping[str, Any], settings: HubspotSettings) -> History:
    """What a deal's properties with history tell.

    A property without a version has never had a value; one that is not even among the properties is none of HubSpot's.
    """
    object_id = id_of(deal.get("id"))
    if object_id is None:
        raise Malformed("event_field_wrong", field="id", found=shown(deal.get("id")))
    created = _created(deal, object_id, settings)
    events = [] if created is None else [created]
    whole: set[str] = set()
    versions, properties = _dict(deal.get("propertiesWithHistory")), _dict(deal.get("properties"))
    merged_at, of_a_move = _merged_at(versions), (settings.stage_property, settings.pipeline_property)
    for name in sorted(settings.followed):
        listed = versions.get(name, [])
        told = [_changed(one, name, object_id, settings) for one in listed] if isinstance(listed, list) else [None]
        changes = [one for one in told if one is not None]
        known = bool(changes) or name in properties
        if known and len(changes) == len(told) and _reaches_back(changes, created):
            whole.add(name)
        if merged_at is not None and name in of_a_move:
            whole.discard(name)
            changes = _since_merge(changes, merged_at, settings, _value(properties, name))
        events += changes
    return History(tuple(events), _complete(whole, settings))


def record(document: Any, settings: HubspotSettings, at: datetime) -> tuple[Event, ...]:
    """A deal as the API or a workflow sends it. It is so now: whoever asks before saving sends it as it is about to be,
    with the times of before. Versions, where they are in it, tell when each value came to be there.
    """
    if not isinstance(document, dict):
        raise Malformed("event_not_an_object")
    _check_account(document, settings)
    properties = _dict(document.get("properties")) or document
    named = [document.get("id"), document.get("objectId"), document.get("dealId"), _value(properties, "hs_object_id")]
    object_id = next((found for found in map(id_of, named) if found is not None), None)
    if object_id is None:
        raise Malformed("event_field_missing", field="id")
    deal = {**document, "id": object_id, "propertiesWithHistory": _versions(document, properties)}
    told = history(deal, settings).events
    known = {event.name for event in told}
    seen = [
        make_event(settings.portal_id, object_id, "seen", at, name=name, value=value)
        for name in sorted(settings.followed - known)
        if name in properties and not isinstance(value := _value(properties, name), dict | list)
    ]
    return (*told, *seen)


def _check_account(document: dict[str, Any], settings: HubspotSettings) -> None:
    portal = document.get("portalId")
    if portal is not None and (isinstance(portal, bool) or whole_number(portal) != settings.portal_id):
        raise Malformed("event_of_another_account", found=shown(portal))


def _created(deal: Mapping[str, Any], object_id: str, settings: HubspotSettings) -> Event | None:
    """The making of a deal, at the time that its webhook tells; `createdate` is only what somebody may have entered."""
    properties = _dict(deal.get("properties"))
    times = [moment(_value(properties, name)) for name in CREATED] + [moment(deal.get("createdAt"))]
    at = next((one for one in times if one is not None), None)
    return None if at is None else make_event(settings.portal_id, object_id, "created", at)


def _changed(one: Any, name: str, object_id: str, settings: HubspotSettings) -> Event | None:
    """One version of a property, in the words of API v3 or in those of workflows; None where it cannot be read."""
    if not isinstance(one, dict) or isinstance(one.get("value"), dict | list):
        return None
    at, source = moment(one.get("timestamp")), one.get("sourceType", one.get("source"))
    if at is None:
        return None
    by = author(source, one.get("sourceId"), one.get("updatedByUserId"))
    return make_event(
        settings.portal_id,
        object_id,
        "changed",
        at,
        name=name,
        value=one.get("value"),
        by=by,
        channel=channel_of(source),
    )


def _merged_at(versions: Mapping[str, Any]) -> datetime | None:
    """When another deal last went into this one."""
    listed = versions.get(MERGED)
    dated = [one for one in listed if isinstance(one, dict) and one.get("value")] if isinstance(listed, list) else []
    return max((at for one in dated if (at := moment(one.get("timestamp"))) is not None), default=None)


def _since_merge(changes: list[Event], at: datetime, settings: HubspotSettings, now: Any) -> list[Event]:
    """What the deal came out of the merge with, as seen then, and what was changed since.

    The last version of before may be of the deal that went into it: where nothing was changed since, what is so now
    was so then.
    """
    since = [one for one in changes if one.at > at]
    before = max((one for one in changes if one.at <= at), key=lambda one: one.at, default=None)
    if before is None:
        return since
    value = before.value if since or now is None else now
    return [make_event(settings.portal_id, before.object_id, "seen", at, name=before.name, value=value), *since]


def _reaches_back(changes: list[Event], created: Event | None) -> bool:
    """Whether no older version can be missing."""
    if len(changes) < KEPT:
        return True
    return created is not None and min(one.at for one in changes) <= created.at


def _complete(whole: set[str], settings: HubspotSettings) -> frozenset[Group]:
    """The groups whose every property was told whole. Approvals that nothing is mapped to are not known to be none."""
    groups: dict[Group, set[str]] = {
        "stage_history": {settings.stage_property, settings.pipeline_property},
        "fields": {*settings.fields, settings.owner_property},
        "approvals": set(settings.approvals),
    }
    return frozenset(group for group, names in groups.items() if names and names <= whole)


def _versions(document: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """Every property's versions: HubSpot's workflows write them inside of each property, its API apart."""
    inside = {name: _dict(one).get("versions") for name, one in properties.items()}
    return {name: one for name, one in inside.items() if isinstance(one, list)} | _dict(
        document.get("propertiesWithHistory")
    )


def _value(properties: Mapping[str, Any], name: str) -> Any:
    """The value of a property, plain or with all about it."""
    found = properties.get(name)
    return found.get("value") if isinstance(found, dict) else found


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
