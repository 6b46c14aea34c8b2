"""Pipedrive's webhooks, version 2 and version 1: deals and activities, with what changed and what was before.

No signature: HTTP Basic, with the user and password that the webhook was set up with.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.events import Batch, Event, EventKind, Fact, Malformed
from app.crm.pipedrive.activities import activity_fact
from app.crm.pipedrive.settings import PipedriveSettings
from app.crm.pipedrive.words import Deal, flat, own_name, place
from app.crm.reading import id_of, id_or_none, json_of, object_of, part_of, shown, time_of, time_or_none

_ACTIONS: dict[str, EventKind] = {
    "create": "created", "added": "created", "change": "changed", "updated": "changed",
    "delete": "deleted", "deleted": "deleted", "merge": "merged", "merged": "merged",
}  # fmt: skip
_SECOND = timedelta(seconds=1)


class Told(NamedTuple):
    """One webhook, whichever version it is: what happened to what, when, by whom; as it is now and as it was."""

    action: str
    entity: str
    entity_id: Any
    company: Any
    at: datetime
    by: str | None
    channel: str | None
    data: dict[str, Any]
    previous: dict[str, Any]
    raw: dict[str, Any]


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether the request brings the user and password; a secret is `user:password`."""
    del method, uri, body, now
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return any([hmac.compare_digest(secret.encode(), given) for secret in secrets])  # noqa: C419 - all, in any case


def read(body: bytes, settings: PipedriveSettings) -> Batch:
    """The events of a webhook. What is neither a deal nor an activity is nothing to us."""
    told = _told(object_of(json_of(body)))
    if id_or_none(told.company) != settings.company_id:
        raise Malformed("event_of_another_account", found=shown(told.company))
    kind = _ACTIONS.get(told.action)
    if told.entity == "deal" and kind is not None:
        events = _deal(told, kind, settings)
        return Batch(events, 0 if events else 1, ())
    if told.entity == "activity" and kind is not None:
        facts = _activity(told, kind, settings)
        return Batch((), 0 if facts else 1, (), facts)
    return Batch((), 1, ())


def _told(body: dict[str, Any]) -> Told:
    meta = part_of(body, "meta")
    if not meta:
        raise Malformed("event_field_missing", field="meta")
    second = "data" in body or "entity" in meta
    data = part_of(body, "data" if second else "current")
    before = part_of(body, "previous")
    entity = meta.get("entity") if second else meta.get("object")
    entity_id = meta.get("entity_id") if second else meta.get("id")
    if entity_id is None:
        entity_id = (data or before).get("id")
    return Told(
        str(meta.get("action")), str(entity), entity_id, meta.get("company_id"), _at(meta, data or before),
        id_or_none(meta.get("user_id")), id_or_none(meta.get("change_source")), flat(data), flat(before),
        data or before,
    )  # fmt: skip


def _at(meta: Mapping[str, Any], data: Mapping[str, Any]) -> datetime:
    """When the deal was changed; to the millisecond where the webhook's own time says the same second."""
    sent = time_or_none(meta.get("timestamp"))
    changed = time_or_none(data.get("update_time"))
    if sent is not None and changed is not None and timedelta(0) <= sent - changed < _SECOND:
        return sent
    if changed is not None:
        return changed
    return time_of(meta.get("timestamp"), "timestamp")


def _deal(told: Told, kind: EventKind, settings: PipedriveSettings) -> tuple[Event, ...]:
    deal = Deal(settings, id_of(told.entity_id, "id"), told.by, told.channel)
    if kind in ("deleted", "merged"):
        into = id_or_none(told.data.get("merge_what_id") or told.data.get("merged_into")) if kind == "merged" else None
        return (deal.event(kind, told.at, None, into),)
    if not told.data:
        raise Malformed("event_field_missing", field="data")
    if kind == "created":
        made = time_or_none(told.data.get("add_time")) or told.at
        return (deal.event("created", made), *deal.values(told.data, made))
    return tuple(_changes(deal, told))


def _changes(deal: Deal, told: Told) -> list[Event]:
    events = []
    settings = deal.settings
    now, then = place(told.data, settings), place({**told.data, **told.previous}, settings)
    if now is not None and then is not None and now != then:
        events.append(deal.event("changed", told.at, settings.stage_property, now, then))
    for name in sorted(settings.followed - {settings.stage_property}):
        own = own_name(name, settings, told.data)
        if own in told.previous and own in told.data:
            events.append(deal.event("changed", told.at, name, told.data[own], told.previous[own]))
    return events


def _activity(told: Told, kind: EventKind, settings: PipedriveSettings) -> tuple[Fact, ...]:
    deal = id_or_none(told.raw.get("deal_id"))
    if deal is None:
        return ()
    gone = kind == "deleted"
    fact = activity_fact(told.raw, settings, deal=deal, at=told.at, gone=gone)
    moved_from = id_or_none(told.previous.get("deal_id")) if "deal_id" in told.previous else None
    left = (fact._replace(object_id=moved_from, value=None),) if moved_from not in (None, deal) and fact else ()
    return (fact, *left) if fact else ()
