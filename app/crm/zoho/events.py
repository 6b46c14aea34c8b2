"""Zoho's notifications: which deals changed, and with `return_affected_field_values` what the fields became.

No signature: the token that the channel was made with comes back in the body. A notification is a hint; what it says
counts, and the deal is read back for the rest.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.crm.events import Batch, Event, EventKind, Fault, Malformed
from app.crm.reading import id_of, id_or_none, json_of, key_of, object_of, plain, shown, time_of, time_or_none
from app.crm.zoho.settings import ZohoSettings
from app.safe_json import UnsafeJson, read_json

DEALS = "Deals"
MOST_RECORDS = 1000
_LONGEST_ID = 30
_OPERATIONS: dict[str, EventKind] = {
    "insert": "created", "create": "created", "update": "changed", "edit": "changed", "delete": "deleted",
}  # fmt: skip


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether the body brings the token of the channel."""
    del method, uri, headers, now
    try:
        found = read_json(body)
    except UnsafeJson:
        return False
    token = found.get("token") if isinstance(found, dict) else None
    given = token.encode("utf-8", "replace") if isinstance(token, str) else b""
    return any([hmac.compare_digest(secret.encode(), given) for secret in secrets])  # noqa: C419 - all, in any case


def read(body: bytes, settings: ZohoSettings) -> Batch:
    """The events of a notification, and the deals to read back."""
    found = object_of(json_of(body))
    if "operation" not in found:
        raise Malformed("event_field_missing", field="operation")
    channel = id_or_none(found.get("channel_id"))
    if settings.channel_id is not None and channel != settings.channel_id:
        raise Malformed("event_of_another_account", found=shown(found.get("channel_id")))
    kind = _OPERATIONS.get(str(found.get("operation")))
    ids = found.get("ids")
    if kind is None or not isinstance(ids, list):
        field = "operation" if kind is None else "ids"
        raise Malformed("event_field_wrong", field=field, found=shown(found.get(field)))
    values = _values(found)
    if (count := max(len(ids), len(values))) > MOST_RECORDS:
        raise Malformed("delivery_too_many_events", found=count, most=MOST_RECORDS)
    at = time_of(found.get("server_time"), "server_time")
    if found.get("module") != DEALS:
        return _beside(values, len(ids))
    return _deals(settings, kind, ids, values, at)


def _deals(
    settings: ZohoSettings, kind: EventKind, ids: list[Any], values: dict[str, dict[str, Any]], at: datetime
) -> Batch:
    events: list[Event] = []
    faults: list[Fault] = []
    deals: dict[str, None] = {}
    for place, one in enumerate(ids):
        try:
            deals[_record_id(one)] = None
        except Malformed as error:
            faults.append(Fault(place, error.code, error.params))
    if faults and len(faults) == len(ids):
        raise Malformed(faults[0].code, **faults[0].params, place=faults[0].place)
    if kind == "deleted":
        return Batch(tuple(make_event(one, kind, at) for one in deals), 0, tuple(faults))
    for one in deals:
        events += _told(settings, one, kind, values.get(one, {}), at)
    return Batch(tuple(events), 0, tuple(faults), (), tuple(deals))


def _told(
    settings: ZohoSettings, object_id: str, kind: EventKind, values: Mapping[str, Any], sent: datetime
) -> list[Event]:
    """What a notification says of a deal, at the deal's own time where that is among what it says.

    The stage was there when Zoho told it; since when, only the stage history says.
    """
    at = time_or_none(values.get("Modified_Time")) or sent
    events = [
        event._replace(kind="seen") if event.name == settings.stage_property else event
        for event in changes(settings, object_id, values, at)
    ]
    if kind != "created":
        return events
    made = time_or_none(values.get("Created_Time")) or at
    return [make_event(object_id, "created", made), *events]


def _record_id(value: Any) -> str:
    found = id_of(value, "ids")
    if not is_record_id(found):
        raise Malformed("event_field_wrong", field="ids", found=shown(value))
    return found


def is_record_id(text: str) -> bool:
    """Whether a text is an id of Zoho's: digits."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID


def _beside(values: Mapping[str, Mapping[str, Any]], count: int) -> Batch:
    """Calls, meetings, tasks: the deal they belong to is read back, where the notification tells which it is."""
    of_deals = [one for one in values.values() if one.get("$se_module") in (None, DEALS)]
    found = [id_or_none(named(one.get("What_Id"))) for one in of_deals]
    hints = tuple(dict.fromkeys(one for one in found if one is not None and is_record_id(one)))
    return Batch((), count - len(hints) if count > len(hints) else 0, (), (), hints)


def _values(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the fields of each record became, by its id."""
    listed = found.get("affected_values")
    values: dict[str, dict[str, Any]] = {}
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("values"), dict):
            record = id_or_none(one.get("record_id"))
            if record is not None:
                values[record] = one["values"]
    return values


def changes(
    settings: ZohoSettings, object_id: str, values: Mapping[str, Any], at: datetime, kind: EventKind = "changed"
) -> list[Event]:
    """An event for each property that concerns us."""
    return [
        make_event(object_id, kind, at, name, named(values[name]))
        for name in sorted(settings.followed)
        if name in values
    ]


def make_event(
    object_id: str, kind: EventKind, at: datetime, name: str | None = None, value: Any = None, *, by: str | None = None
) -> Event:
    """An event; the key is what it says and when, since Zoho gives none."""
    told = "changed" if kind == "seen" else kind
    return Event(key_of(object_id, told, name, value, at.isoformat()), object_id, kind, at, name, value, by)


def named(value: Any) -> Any:
    """A look-up (`{"id": …, "name": …}`) as its id; anything else as it is."""
    return plain(value["id"]) if isinstance(value, dict) and "id" in value else plain(value)
