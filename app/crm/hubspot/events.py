"""HubSpot's deliveries, read: an array of events that are in no order and have happened already."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Batch, Event, EventKind, Fault, Malformed
from app.crm.hubspot.settings import HubspotSettings, whole_number
from app.crm.hubspot.words import author, channel_of, id_of, make_event, moment, shown
from app.safe_json import UnsafeJson, read_json

MOST_EVENTS = 100
MOST_MERGED = 100
DEAL_TYPE = "0-3"


class _Said(NamedTuple):
    """What one event of HubSpot's amounts to: several of ours, or only which deals to look at. Neither: nothing."""

    events: tuple[Event, ...] = ()
    hints: tuple[str, ...] = ()


_NOTHING = _Said()


def read(body: bytes, settings: HubspotSettings) -> Batch:
    """The events of a delivery: an array of at most 100 of them; one alone is accepted too.

    One that cannot be used does not take the others with it; a delivery of which nothing can be used is Malformed.
    """
    try:
        found = read_json(body)
    except UnsafeJson as error:
        raise Malformed(error.code, **error.params) from error
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_EVENTS:
        raise Malformed("delivery_too_many_events", found=len(listed), most=MOST_EVENTS)
    said: list[_Said] = []
    faults: list[Fault] = []
    for place, one in enumerate(listed):
        try:
            said.append(_said(one, settings))
        except Malformed as error:
            faults.append(Fault(place, error.code, error.params))
    if len(faults) == len(listed) > 0:
        raise Malformed(faults[0].code, **faults[0].params, place=faults[0].place)
    events = tuple(event for one in said for event in one.events)
    hints = dict.fromkeys(hint for one in said for hint in one.hints)
    return Batch(events, said.count(_NOTHING), tuple(faults), hints=tuple(hints))


def _said(one: Any, settings: HubspotSettings) -> _Said:
    """What one event says; nothing for other objects, other happenings, properties that are not mapped."""
    if not isinstance(one, dict):
        raise Malformed("event_not_an_object")
    happened = _text(one, "subscriptionType", "eventType")
    if whole_number(one.get("portalId")) != settings.portal_id or isinstance(one.get("portalId"), bool):
        raise Malformed("event_of_another_account", found=shown(one.get("portalId")))
    subject, _, kind = happened.partition(".")
    if kind == "associationChange":
        return _Said(hints=_associated_deals(one, subject))
    if not (subject == "deal" or (subject == "object" and one.get("objectTypeId") == DEAL_TYPE)):
        return _NOTHING
    reader = _READERS.get(kind)
    return reader(one, settings) if reader else _NOTHING


def _of_kind(kind: EventKind) -> Callable[[dict[str, Any], HubspotSettings], _Said]:
    def reader(one: dict[str, Any], settings: HubspotSettings) -> _Said:
        return _Said((_event(one, settings, kind, _id(one, "objectId")),))

    return reader


def _restored(one: dict[str, Any], settings: HubspotSettings) -> _Said:
    """A deal that is back may have changed while it was away."""
    event = _event(one, settings, "restored", _id(one, "objectId"))
    return _Said((event,), (event.object_id,))


def _changed(one: dict[str, Any], settings: HubspotSettings) -> _Said:
    name = _text(one, "propertyName")
    if name not in settings.followed:
        return _NOTHING
    value = one.get("propertyValue")
    object_id, at = _id(one, "objectId"), _at(one)
    if isinstance(value, dict | list):
        raise Malformed("event_field_wrong", field="propertyValue", found=shown(value))
    event = make_event(settings.portal_id, object_id, "changed", at, name=name, value=value, **_by(one))
    return _Said((event,))


def _merged(one: dict[str, Any], settings: HubspotSettings) -> _Said:
    """Deals went into another one, which may be a new one; that one is to be looked at."""
    primary = _id(one, "primaryObjectId" if "primaryObjectId" in one else "objectId")
    target = _id(one, "newObjectId") if one.get("newObjectId") else primary
    listed = one.get("mergedObjectIds")
    ids = [id_of(each) for each in listed] if isinstance(listed, list) and len(listed) <= MOST_MERGED else [None]
    gone = [each for each in ids if each is not None]
    if len(gone) < len(ids):
        raise Malformed("event_field_wrong", field="mergedObjectIds", found=shown(listed))
    away = [each for each in dict.fromkeys([primary, *gone]) if each != target]
    return _Said(tuple(_event(one, settings, "merged", each, target) for each in away), (target,))


_READERS: dict[str, Callable[[dict[str, Any], HubspotSettings], _Said]] = {
    "creation": _of_kind("created"),
    "deletion": _of_kind("deleted"),
    "restore": _restored,
    "propertyChange": _changed,
    "merge": _merged,
}


def _associated_deals(one: dict[str, Any], subject: str) -> tuple[str, ...]:
    """The deals at either end of an association that came or went, whatever is at the other."""
    source, _, target = str(one.get("associationType") or "").partition("_TO_")
    ends = [
        ("fromObjectId", source == "DEAL" or one.get("fromObjectTypeId") == DEAL_TYPE),
        ("toObjectId", target == "DEAL" or one.get("toObjectTypeId") == DEAL_TYPE),
    ]
    named = [name for name, is_deal in ends if is_deal]
    if not named and subject == "deal" and not target and "fromObjectTypeId" not in one:
        named = ["fromObjectId"]
    return tuple(dict.fromkeys(_id(one, name) for name in named))


def _event(
    one: dict[str, Any], settings: HubspotSettings, kind: EventKind, object_id: str, value: str | None = None
) -> Event:
    return make_event(settings.portal_id, object_id, kind, _at(one), value=value, **_by(one))


def _by(one: dict[str, Any]) -> dict[str, str | None]:
    source = one.get("changeSource")
    return {"by": author(source, one.get("sourceId")), "channel": channel_of(source)}


def _text(one: dict[str, Any], *names: str) -> str:
    for name in names:
        value = one.get(name)
        if isinstance(value, str) and value:
            return value
    raise Malformed("event_field_missing", field=names[0])


def _id(one: dict[str, Any], name: str) -> str:
    found = id_of(one.get(name))
    if found is None:
        raise Malformed("event_field_wrong", field=name, found=shown(one.get(name)))
    return found


def _at(one: dict[str, Any]) -> datetime:
    value = whole_number(one.get("occurredAt"))
    found = moment(value) if isinstance(value, int) and value >= 0 else None
    if found is None:
        raise Malformed("event_field_wrong", field="occurredAt", found=shown(one.get("occurredAt")))
    return found
