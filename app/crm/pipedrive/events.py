"""Pipedrive's webhooks, version 2 and version 1: deals and activities, with what changed and what was before.

No signature: HTTP Basic, with the user and password that the webhook was set up with.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Batch, Event, EventKind, Fact, Malformed, text_of
from app.crm.pipedrive.activities import activity_fact
from app.crm.pipedrive.settings import PipedriveSettings
from app.crm.pipedrive.words import Deal, flat, is_deleted, number_of, number_or_none, own_name, place
from app.crm.reading import id_or_none, json_of, object_of, part_of, shown, time_of, time_or_none

_ACTIONS: dict[str, EventKind] = {
    "create": "created", "added": "created", "change": "changed", "updated": "changed",
    "delete": "deleted", "deleted": "deleted", "merge": "merged", "merged": "merged",
}  # fmt: skip


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
    merged_into: str | None = None
    merged_from: str | None = None


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
        return _deal(told, kind, settings)
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
        str(meta.get("action")), str(entity), entity_id, meta.get("company_id"), _at(meta, data),
        id_or_none(meta.get("user_id")), id_or_none(meta.get("change_source")), flat(data), flat(before),
        data or before, number_or_none(meta.get("merged_to_id")), _merged_from(meta, data, before),
    )  # fmt: skip


def _at(meta: Mapping[str, Any], data: Mapping[str, Any]) -> datetime:
    """When it was changed, to the second: finer is told by webhooks alone, and another time would count twice.

    What was deleted tells its last change before that: then the webhook's own time counts.
    """
    changed = time_or_none(data.get("update_time")) or time_of(meta.get("timestamp"), "timestamp")
    return changed.replace(microsecond=0)


def _merged_from(meta: Mapping[str, Any], data: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    """The deal that went into this one: version 2 names it in `meta`, version 1 in what is there now."""
    listed = [meta.get("merged_from_id"), data.get("merge_what_id")]
    if meta.get("action") in ("merged", "merge"):
        listed.append(before.get("id"))
    own = id_or_none(data.get("id"))
    found = (number_or_none(one) for one in listed)
    return next((one for one in found if one is not None and one != own), None)


def _deal(told: Told, kind: EventKind, settings: PipedriveSettings) -> Batch:
    deal = Deal(settings, number_of(told.entity_id, "id"), told.by, told.channel)
    if kind == "deleted":
        gone: EventKind = "deleted" if told.merged_into is None else "merged"
        return Batch((deal.event(gone, told.at, None, told.merged_into),), 0, ())
    if not told.data:
        raise Malformed("event_field_missing", field="data")
    if kind == "created":
        made = time_or_none(told.data.get("add_time")) or told.at
        return Batch((deal.event("created", made), *deal.values(told.data, made)), 0, ())
    # version 1 gives the other deal as what was before a merge: no change of this one can be told from that
    events = _changes(deal, told) if kind == "changed" else deal.values(told.data, told.at, "seen")
    if told.merged_from is not None:
        events.append(deal._replace(object_id=told.merged_from).event("merged", told.at, None, deal.object_id))
    hints = () if told.merged_from is None else (deal.object_id,)
    return Batch(tuple(events), 0 if events or hints else 1, (), (), hints)


def _changes(deal: Deal, told: Told) -> list[Event]:
    """What has changed of what concerns us; beside it what stands as it was, since the deal may be new to us."""
    events: list[Event] = []
    seen: list[Event] = []
    settings, before = deal.settings, {**told.data, **told.previous}
    if is_deleted(told.data) != is_deleted(before):
        events.append(deal.event("deleted" if is_deleted(told.data) else "restored", told.at))
    now, then = place(told.data, settings), place(before, settings)
    if now is not None and then is not None and now != then:
        events.append(deal.event("changed", told.at, settings.stage_property, now, then))
    for name in sorted(settings.followed - {settings.stage_property}):
        own = own_name(name, settings, told.data)
        value, was = told.data.get(own), told.previous.get(own)  # what was emptied may be left out of what is there now
        if own in told.previous and text_of(value) != text_of(was):  # version 1 gives all that was before
            events.append(deal.event("changed", told.at, name, value, was))
        elif value is not None and name not in settings.approvals:  # who approved, only the change of that tells
            seen.append(Deal(settings, deal.object_id).event("seen", told.at, name, value))
    return [*events, *seen] if events else []


def _activity(told: Told, kind: EventKind, settings: PipedriveSettings) -> tuple[Fact, ...]:
    """The activity as it is on its deal now; on the deal that it was taken off, it is gone."""
    now, before = number_or_none(told.raw.get("deal_id")), number_or_none(told.previous.get("deal_id"))
    on = {deal: kind == "deleted" for deal in (now,) if deal is not None}
    on |= {deal: True for deal in (before,) if deal is not None and deal != now}
    facts = [activity_fact(told.raw, settings, deal=deal, at=told.at, gone=gone) for deal, gone in on.items()]
    return tuple(one for one in facts if one is not None)
