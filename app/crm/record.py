"""All that a CRM has told about one deal, as one document kept beside the deal."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Event
from app.crm.timeline import in_order

MOST_CHANGES = 200
"""Changes kept of one property; older ones matter to no verdict that is still open."""


class Verdict(NamedTuple):
    """The last decision logged for an event, and what was judged: anything else is judged anew."""

    decision_id: str
    about: str


class Record(NamedTuple):
    """The events of a deal, in the CRM's order.

    `before` are values that fields had before the CRM told of them; `start` is the stage that the deal was stored in
    before the first event, since a time nobody knows.
    """

    events: tuple[Event, ...] = ()
    verdicts: dict[str, Verdict] = {}  # noqa: RUF012 - never changed in place
    before: dict[str, Any] = {}  # noqa: RUF012 - the same
    start: str | None = None

    def with_events(self, new: Iterable[Event]) -> "Record":
        """The record with more events, each once; of one property the oldest changes are let go."""
        merged = in_order({event.key: event for event in (*self.events, *new)}.values())
        kept: list[Event] = []
        seen: dict[str | None, int] = {}
        for event in reversed(merged):
            seen[event.name] = seen.get(event.name, 0) + 1
            if seen[event.name] <= MOST_CHANGES:
                kept.append(event)
        return self._replace(events=tuple(reversed(kept)))


def to_document(record: Record) -> str:
    """The record as text."""
    events = [event._replace(at=event.at.isoformat()) for event in record.events]  # type: ignore[arg-type]
    return json.dumps({**record._asdict(), "events": events}, ensure_ascii=False, separators=(",", ":"))


def from_document(document: str | None) -> Record:
    """The record behind a text; an empty one where nothing was told yet."""
    if document is None:
        return Record()
    kept = json.loads(document)
    events = [Event(*one) for one in kept["events"]]
    return Record(
        tuple(event._replace(at=datetime.fromisoformat(str(event.at))) for event in events),
        {key: Verdict(*verdict) for key, verdict in kept["verdicts"].items()},
        kept["before"],
        kept["start"],
    )
