"""A Salesforce opportunity read back whole: its stages, the history of its fields, its activities and contacts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.crm.client import Told
from app.crm.events import Event, Fact, Group
from app.crm.reading import time_or_none
from app.crm.salesforce.activities import FIELDS, activity_fact, contact_fact
from app.crm.salesforce.api import Rest, quoted
from app.crm.salesforce.ids import id_in
from app.crm.salesforce.settings import SalesforceSettings
from app.crm.salesforce.words import Deal, modified_at

_ABOUT = ("Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
_CHANGED = ("LastModifiedDate", "SystemModstamp")
_HISTORY = ("Id", "CreatedDate", "CreatedById")
_TICK = timedelta(microseconds=1)


async def read_deal(rest: Rest, settings: SalesforceSettings, object_id: str, now: datetime) -> Told:
    """All that Salesforce holds of a deal. What may not be read is not complete, and takes nothing else with it;
    what is not mapped is not even asked for.
    """
    deal_id = id_in(object_id)
    where = f"Id = {quoted(deal_id)}" if deal_id else ""
    found = await rest.found((*_ABOUT, *sorted(settings.followed)), "Opportunity", where) if deal_id else []
    if not found:
        return Told((), (), frozenset(), now, "deleted")
    data, deal = found[0], Deal(settings, object_id)
    complete: set[Group] = {"fields", *(("approvals",) if settings.approvals else ())}
    stages = await _stages(rest, deal)
    if stages:
        complete.add("stage_history")
    made = time_or_none(data.get("CreatedDate"))
    events = [] if made is None else [deal.event("created", made)]
    events += [*stages, *await _changes(rest, deal, data, now, has_stages=bool(stages))]
    activities = await _activities(rest, deal, now) if settings.activities else None
    contacts = await _contacts(rest, deal) if settings.contact_roles else None
    complete |= {"activities"} if activities is not None else set()
    complete |= {"contacts"} if contacts is not None else set()
    return Told(tuple(events), (*(activities or ()), *(contacts or ())), frozenset(complete), now)


async def _stages(rest: Rest, deal: Deal) -> list[Event]:
    """Every stage that the deal was in, with who put it there. None where the stage is a field of one's own."""
    stage = deal.settings.stage_property
    if stage != "StageName":
        return []
    where = f"OpportunityId = {quoted(deal.object_id)}"
    rows = await rest.known((*_HISTORY, stage), "OpportunityHistory", where, "ORDER BY CreatedDate, Id") or []
    events: list[Event] = []
    for at, row in _in_order(rows):
        value = row.get(stage)
        before = [events[-1].value] if events else []
        if value and [value] != before:
            told = deal._replace(by=id_in(row.get("CreatedById")))
            events.append(told.event("changed", at, stage, value, *before))
    return events


async def _changes(rest: Rest, deal: Deal, data: Mapping[str, Any], now: datetime, *, has_stages: bool) -> list[Event]:
    """What field history tells; where it says nothing of a field, its value as seen.

    A record type seldom changes: where no history tells that it did, it was there from the beginning.
    """
    settings = deal.settings
    fields = (*_HISTORY, "Field", "OldValue", "NewValue")
    where = f"OpportunityId = {quoted(deal.object_id)}"
    rows = await rest.known(fields, "OpportunityFieldHistory", where, "ORDER BY CreatedDate, Id") or []
    events: list[Event] = []
    for at, row in _in_order(rows):
        name = _name(row, settings)
        if name in settings.followed and not (has_stages and name == settings.stage_property):
            told = deal._replace(by=id_in(row.get("CreatedById")))
            events.append(told.event("changed", at, name, row.get("NewValue"), row.get("OldValue")))
    seen_at, made = modified_at(data) or now, time_or_none(data.get("CreatedDate"))
    told_of = {event.name for event in events} | ({settings.stage_property} if has_stages else set())
    if made is not None and settings.pipeline_property not in told_of:
        events += deal.seen(data, made, [settings.pipeline_property])
        told_of.add(settings.pipeline_property)
    return [*events, *deal.seen(data, seen_at, settings.followed - told_of)]


def _name(row: Mapping[str, Any], settings: SalesforceSettings) -> str | None:
    """The field of a row. Of what refers to another record there are two, with ids and with names: the ids count."""
    name = row.get("Field")
    own = {"Owner": settings.owner_property, "RecordType": settings.pipeline_property}.get(str(name))
    if own is None or own == name:
        return name if isinstance(name, str) else None
    return own if id_in(row.get("NewValue")) or id_in(row.get("OldValue")) else None


def _in_order(rows: list[dict[str, Any]]) -> list[tuple[datetime, dict[str, Any]]]:
    """The rows with their times; histories know only seconds, so what a field became later in one is put after."""
    timed: list[tuple[datetime, dict[str, Any]]] = []
    last: dict[Any, datetime] = {}
    for row in rows:
        at, field = time_or_none(row.get("CreatedDate")), str(row.get("Field"))
        if at is not None:
            at = max(at, last[field] + _TICK) if field in last else at
            last[field] = at
            timed.append((at, row))
    return timed


async def _activities(rest: Rest, deal: Deal, now: datetime) -> list[Fact] | None:
    """After a year Salesforce archives them, and then finds them only beside those that were deleted."""
    settings, facts = deal.settings, []
    for kind, names in FIELDS.items():
        outcome = (settings.outcome_property,) if settings.outcome_property else ()
        fields = ("Id", "WhatId", "WhoId", "OwnerId", "IsDeleted", *_CHANGED, *names)
        where = f"WhatId = {quoted(deal.object_id)}"
        rows = await rest.known((*fields, *outcome), kind, where, deleted=True)
        if rows is None and outcome:  # a field of tasks need not be one of events
            rows = await rest.known(fields, kind, where, deleted=True)
        if rows is None:
            return None
        facts += [activity_fact(kind, one, settings, deal=deal.object_id, now=now) for one in rows]
    return [one for one in facts if one is not None]


async def _contacts(rest: Rest, deal: Deal) -> list[Fact] | None:
    where = f"OpportunityId = {quoted(deal.object_id)}"
    rows = await rest.known(("Id", "ContactId", "Role", *_CHANGED), "OpportunityContactRole", where)
    if rows is None:
        return None
    facts = [contact_fact(one, deal.settings, deal=deal.object_id) for one in rows]
    return [one for one in facts if one is not None]
