"""Change Data Capture events, relayed as JSON: one, or a list of them.

They bring what changed and when, never what was before. Equal changes of several records come as one event; where
Salesforce cannot tell what happened (`GAP_…`, large texts as differences), the deal is to be read back, and where it
cannot even tell to which (`GAP_OVERFLOW`, `006*`), whatever has changed lately.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.events import Batch, Event, EventKind, Fact, Fault, Malformed
from app.crm.reading import id_or_none, object_of, part_of, shown, time_of, time_or_none, within_second
from app.crm.salesforce.activities import activity_fact, contact_fact, deal_of
from app.crm.salesforce.ids import OPPORTUNITY, id_in
from app.crm.salesforce.settings import SalesforceSettings
from app.crm.salesforce.words import Deal, text_of

MOST_EVENTS = 200
MOST_RECORDS = 1000
"""In one delivery. What is changed by the thousands is read back at its own pace, and holds up nobody."""
_FIELDS = 10
"""Told of each of them; of fewer records there may be more."""
_TEXT = 1000
"""Letters of text that count as one field more."""
_TOO_MANY = "delivery_too_many_records"
_KINDS: dict[str, EventKind] = {
    "CREATE": "created", "UPDATE": "changed", "DELETE": "deleted", "UNDELETE": "restored",
}  # fmt: skip
_AVRO = frozenset({"string", "double", "float", "long", "int", "boolean"})
_MOST_STEPS = 999


class Change(NamedTuple):
    """One event's header, read, and the fields beside it."""

    entity: str
    kind: EventKind | None
    ids: tuple[str, ...]
    at: datetime
    by: str | None
    channel: str | None
    data: dict[str, Any]
    named: frozenset[str]
    nulled: frozenset[str]
    blurred: bool

    @property
    def deals(self) -> tuple[str, ...]:
        """The opportunities among its records: of an overflow there is only an empty id, of many records `006*`."""
        return tuple(one for one in self.ids if one.startswith(OPPORTUNITY))

    def weight(self, settings: SalesforceSettings) -> int:
        """How much is told of deals, at most. A long text counts as many short ones: each deal gets one of its own."""
        told = [name for name in settings.followed if name in self.data or name in self.nulled]
        letters = sum(len(text_of(self.data.get(name)) or "") for name in told)
        much = max(len(told), _FIELDS) + letters // _TEXT
        return len(self.ids) * much if self.entity == "Opportunity" else 0


def change_data(found: Any, settings: SalesforceSettings) -> Batch:
    """The events of what was relayed. Raises Malformed where none of it can be used."""
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_EVENTS:
        raise Malformed("delivery_too_many_events", found=len(listed), most=MOST_EVENTS)
    batch, room = Batch((), 0, ()), MOST_RECORDS * _FIELDS
    for place, one in enumerate(listed):
        try:
            change = _change(object_of(one), settings)
            room -= change.weight(settings)
            if room < 0:
                raise Malformed(_TOO_MANY, most=MOST_RECORDS)  # noqa: TRY301 - refused like any other
            part = _read(change, settings)
        except Malformed as error:
            gap = batch.gap or error.code == _TOO_MANY
            batch = batch._replace(faults=(*batch.faults, Fault(place, error.code, error.params)), gap=gap)
            continue
        batch = Batch(
            (*batch.events, *part.events), batch.ignored + part.ignored, batch.faults,
            (*batch.facts, *part.facts), (*batch.hints, *part.hints), batch.gap or part.gap,
        )  # fmt: skip
    if listed and len(batch.faults) == len(listed) and not batch.gap:
        raise Malformed(batch.faults[0].code, **batch.faults[0].params)
    return batch._replace(hints=tuple(dict.fromkeys(batch.hints)))


def _change(one: dict[str, Any], settings: SalesforceSettings) -> Change:
    """Whole as it comes from the stream, or what is inside of it."""
    whole = part_of(one, "data") or one
    payload = part_of(whole, "payload") or whole
    header = part_of(payload, "ChangeEventHeader")
    if not header:
        raise Malformed("event_field_missing", field="ChangeEventHeader")
    _check_organization(one, settings)
    ids = header.get("recordIds")
    if not isinstance(ids, list):
        raise Malformed("event_field_wrong", field="recordIds", found=shown(ids))
    kind, changed = str(header.get("changeType")), _names(header, "changedFields")
    if kind not in _KINDS and not kind.startswith("GAP_"):
        raise Malformed("event_field_wrong", field="changeType", found=shown(header.get("changeType")))
    data = {name: _plain(value) for name, value in payload.items() if name != "ChangeEventHeader"}
    nulled = _names(header, "nulledFields") | {name for name in changed if name in data and data[name] is None}
    differences = _names(header, "diffFields")
    undecoded = any(name.startswith("0x") for name in (*changed, *nulled))
    origin = id_or_none(header.get("changeOrigin"))
    client = None if origin is None else origin.partition("client=")[2].partition(";")[0]
    return Change(
        str(header.get("entityName")), _KINDS.get(kind),
        tuple(found for found in (id_in(each) for each in ids[: MOST_RECORDS + 1]) if found is not None),
        _at(header, data),
        settings.acts_as if client and client == settings.acts_as else id_in(header.get("commitUser")), origin,
        {name: value for name, value in data.items() if name not in differences},
        frozenset() if undecoded else changed | nulled, nulled, bool(differences & settings.followed) or undecoded,
    )  # fmt: skip


def _at(header: Mapping[str, Any], data: Mapping[str, Any]) -> datetime:
    """The commit's time, within the second that the record gives; the steps of one transaction in their order."""
    committed = time_of(header.get("commitTimestamp"), "commitTimestamp")
    step = header.get("sequenceNumber")
    nth = min(step, _MOST_STEPS) if isinstance(step, int) and not isinstance(step, bool) and step > 0 else 0
    return within_second(committed + timedelta(microseconds=nth), time_or_none(data.get("LastModifiedDate")))


def _read(change: Change, settings: SalesforceSettings) -> Batch:
    if change.entity == "Opportunity":
        deals = change.deals
        if change.kind is None or not deals:
            return Batch((), 0, (), (), deals, gap=not deals)
        events = [event for one in deals for event in _events(Deal(settings, one, *change[4:6]), change)]
        return Batch(tuple(events), 0 if events else 1, (), (), deals if change.blurred else ())
    deal = id_in(change.data.get("OpportunityId")) if _is_role(change) else deal_of(change.data)
    if deal is None:
        return Batch((), 1, ())
    fact = _fact(change, settings, deal) if change.kind == "created" and len(change.ids) == 1 else None
    return Batch((), 0, (), () if fact is None else (fact,), (deal,) if fact is None else ())


def _events(deal: Deal, change: Change) -> Iterator[Event]:
    """What was made, changed or emptied; of a deal that is back, its values as they are.

    Where Salesforce names what has changed, what came along beside that (an enriched event's) is only seen.
    """
    if change.kind in ("created", "deleted", "restored"):
        made = time_or_none(change.data.get("CreatedDate")) if change.kind == "created" else None
        yield deal.event(change.kind, made or change.at)
    if change.kind == "restored":
        yield from deal.seen(change.data, change.at)
    elif change.kind in ("created", "changed"):
        for name in sorted(deal.settings.followed):
            value = change.data.get(name)
            if change.kind == "changed" and change.named and name not in change.named:
                yield from deal.seen(change.data, change.at, [name] if value is not None else [])
            elif value is not None or (name in change.nulled and change.kind == "changed"):
                yield deal.event("changed", change.at, name, value)


def _fact(change: Change, settings: SalesforceSettings, deal: str) -> Fact | None:
    """An activity or a contact that was made: everything about it came along."""
    data = {"LastModifiedDate": change.at.isoformat(), **change.data, "Id": change.ids[0]}
    if change.entity in ("Task", "Event"):
        return activity_fact(change.entity, data, settings, deal=deal)
    return contact_fact(data, settings, deal=deal) if _is_role(change) else None


def _is_role(change: Change) -> bool:
    return change.entity == "OpportunityContactRole"


def _check_organization(one: Mapping[str, Any], settings: SalesforceSettings) -> None:
    """Salesforce's events do not name their organisation; a relay that says which it is must say ours."""
    found = one.get("organizationId")
    if found is not None and id_in(found) != settings.organization_id:
        raise Malformed("event_of_another_account", found=shown(found))


def _names(header: Mapping[str, Any], name: str) -> frozenset[str]:
    found = header.get(name)
    return frozenset(one for one in found if isinstance(one, str)) if isinstance(found, list) else frozenset()


def _plain(value: Any) -> Any:
    """What Avro's JSON wraps in its type: `{"string": "Negotiation"}`."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _AVRO:
        return next(iter(value.values()))
    return value
