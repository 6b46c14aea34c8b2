"""What a CRM sends when it asks: one of its events, or a deal as its API writes it. Which of the two shows itself."""

from datetime import datetime
from typing import Any, NamedTuple

from app.crm.adapters import ADAPTERS
from app.crm.events import Batch, Event, Fault, Malformed
from app.safe_json import UnsafeJson, read_json
from app.services.connection_settings import settings_of
from app.services.deliveries import read_with
from app.store.connections import StoredConnection

MOST_RECORDS = 100
_NO_EVENT = frozenset({"event_field_missing", "event_not_an_object"})
"""Codes of what is perhaps no event at all, but a deal as it is."""


class Body(NamedTuple):
    """A body, read. `listed` says that it was a list: then so is the answer."""

    batch: Batch
    as_record: bool
    listed: bool


def read_body_of(connection: StoredConnection, body: bytes, now: datetime) -> Body:
    """The events of a body, else its deals as they are now. Raises Malformed."""
    try:
        batch = read_with(connection, body, now)
    except Malformed as refusal:
        return _records(connection, body, now, refusal)
    return Body(batch, as_record=False, listed=body.lstrip()[:1] == b"[")


def _records(connection: StoredConnection, body: bytes, now: datetime, refusal: Malformed) -> Body:
    """The deals of a body; where there is none either, what is told is why there was no event, or what is wrong with
    what was sent as a deal.
    """
    adapter, settings = ADAPTERS[connection.kind], settings_of(connection)
    if adapter.record is None or refusal.code not in _NO_EVENT:
        raise refusal
    try:
        content: Any = read_json(body)
    except UnsafeJson as error:
        raise refusal from error
    listed = content if isinstance(content, list) else [content]
    if len(listed) > MOST_RECORDS:
        raise Malformed("delivery_too_many_events", found=len(listed), most=MOST_RECORDS)
    events: list[Event] = []
    faults: list[Fault] = []
    for place, one in enumerate(listed):
        try:
            events += adapter.record(one, settings, now)
        except Malformed as error:
            faults.append(Fault(place, error.code, error.params))
    if len(faults) == len(listed) > 0:
        as_deals = [Malformed(one.code, **one.params) for one in faults if one.code not in _NO_EVENT]
        raise next(iter(as_deals), refusal)
    return Body(Batch(tuple(events), 0, tuple(faults)), as_record=True, listed=isinstance(content, list))
