"""All that a CRM has told about one deal, as one document kept beside the deal."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.client import Told
from app.crm.events import Event, Fact, Group
from app.crm.facts import GROUPS, MOST_FACTS, Facts, Reading, Version, as_read, with_facts
from app.crm.joining import joined
from app.engine.snapshot import EARLIEST, LATEST

HISTORY: Group = "stage_history"
_TICK = timedelta(microseconds=1)


class Verdict(NamedTuple):
    """The last decision logged for an event, and what was judged: anything else is judged anew.

    `standing` is what crm_moves says of it, `version` the version of the process that judged it, `at` the time of the
    event, `way` its process and stages. `origin` names the event by which the move was first known: what answers the
    move is named after it.
    """

    decision_id: str
    about: str
    at: datetime | None = None
    version: int | None = None
    standing: str = ""
    way: str = ""
    origin: str = ""


class OwnWrite(NamedTuple):
    """A stage that we wrote at `at`, in answer to a move of `after`: the CRM's telling us of it is no move.

    `answers` is the identity of that move. `step` is where the deal may be on the way there: a CRM may open a closed
    deal first, in the stage that it had before, and let its stage be changed only then.
    """

    pipeline: str | None
    stage: str
    at: datetime
    after: datetime
    answers: str = ""
    step: str | None = None


class Record(NamedTuple):
    """The events of a deal, in the CRM's order, and its facts.

    `before` are values that fields had before the CRM told of them; `start` is the stage that the deal was stored in
    before the first event, since a time nobody knows. `readings` say what was read whole, and when; `waiting_since`
    when the first thing came that is not judged yet.
    """

    events: tuple[Event, ...] = ()
    verdicts: Mapping[str, Verdict] = {}
    before: Mapping[str, Any] = {}
    start: str | None = None
    facts: Facts = {}  # noqa: RUF012 - never changed in place
    readings: Mapping[Group, Reading] = {}
    own: tuple[OwnWrite, ...] = ()
    waiting_since: datetime | None = None

    def with_events(self, new: Iterable[Event]) -> "Record":
        """The record with more events, each once; of one property the oldest changes are let go."""
        return self._replace(events=joined(self.events, new))

    def with_facts(self, new: Iterable[Fact]) -> "Record":
        """The record with more facts."""
        return self._replace(facts=with_facts(self.facts, self.readings, new))

    def with_told(self, object_id: str, told: Told) -> "Record":
        """The record after the deal was read back: what was read whole and is not in it any more is gone."""
        record = self.with_events(told.events).with_facts(told.facts)
        covers = max([told.read_at, *(event.at for event in told.events)])
        for group in told.complete:
            singular = next((one for one, plural in GROUPS.items() if plural == group), None)
            ids = frozenset(fact.id for fact in told.facts if fact.group == singular and fact.value is not None)
            known = record.readings.get(group)
            if known is not None and known.at >= told.read_at:
                continue
            if len(ids) > MOST_FACTS:  # not all of them are kept: what is absent is unknown
                others = {name: one for name, one in record.readings.items() if name != group}
                record = record._replace(readings=others)
                continue
            reading = Reading(told.read_at, covers, ids)
            record = record._replace(readings={**record.readings, group: reading})
            if singular is not None:
                record = record._replace(facts=as_read(record.facts, singular, reading, told.facts))
        return record.with_events(_gone_or_back(record, object_id, told))

    def asked_about(self, asked: Iterable[Event]) -> tuple[Event, ...]:
        """What is asked. A record comes after all that the CRM has told, though its clock may run ahead of ours, and is
        no copy of what was so within the same second.
        """
        last = max((event.at for event in self.events), default=EARLIEST)
        after = min(last, LATEST - _TICK) + _TICK
        return tuple(
            one._replace(key=f"asked:{one.key}", at=max(one.at, after)) if one.kind == "seen" else one for one in asked
        )

    def with_own(self, write: OwnWrite) -> "Record":
        """The record with a stage that we are about to write; an older try of the same write gives way to it."""
        others = [one for one in self.own if (one.stage, one.after) != (write.stage, write.after)]
        return self._replace(own=(*others, write)[-MOST_OWN:])

    def without_own(self, write: OwnWrite) -> "Record":
        """The record without a stage that we did not write after all."""
        return self._replace(own=tuple(one for one in self.own if one != write))


MOST_OWN = 50
GONE_KINDS = ("deleted", "merged", "restored")


def gone_by(events: Iterable[Event]) -> Event | None:
    """The event by which the deal is gone; None while it is there. INVARIANT: the events are in order."""
    last = next((event for event in reversed(tuple(events)) if event.kind in GONE_KINDS), None)
    return None if last is None or last.kind == "restored" else last


def _gone_or_back(record: Record, object_id: str, told: Told) -> list[Event]:
    """The event that nobody told: the deal was not there when it was read, or was there again.

    One that was found there since then has come back: that it was not, says nothing any more.
    """
    gone = gone_by(event for event in record.events if event.at <= told.read_at)
    found_since = any(reading.at > told.read_at for reading in record.readings.values())
    if told.gone is not None and gone is None and not found_since:
        kind, _, into = told.gone.partition(":")
        merged = kind == "merged"
        key = f"read:{told.gone}:{told.read_at.isoformat()}"
        return [Event(key, object_id, "merged" if merged else "deleted", told.read_at, None, into or None)]
    if told.gone is None and gone is not None:
        return [Event(f"read:there:{told.read_at.isoformat()}", object_id, "restored", told.read_at)]
    return []


def to_document(record: Record) -> str:
    """The record as text."""
    document = {
        **record._asdict(),
        "readings": {group: (one.at, one.covers, sorted(one.ids)) for group, one in record.readings.items()},
    }
    return json.dumps(document, default=datetime.isoformat, ensure_ascii=False, separators=(",", ":"))


def from_document(document: str | None) -> Record:
    """The record behind a text; an empty one where nothing was told yet."""
    if document is None:
        return Record()
    kept = json.loads(document)
    events = (Event(*one) for one in kept["events"])
    return Record(
        tuple(event._replace(at=_time(event.at)) for event in events),
        {key: _verdict(*verdict) for key, verdict in kept["verdicts"].items()},
        kept["before"],
        kept["start"],
        {
            group: {name: tuple(Version(_time(at), value) for at, value in versions) for name, versions in ids.items()}
            for group, ids in kept.get("facts", {}).items()
        },
        {
            group: Reading(_time(at), _time(covers), frozenset(ids))
            for group, (at, covers, ids) in kept.get("readings", {}).items()
        },
        tuple(
            OwnWrite(pipeline, stage, _time(at), _time(after), *rest)
            for pipeline, stage, at, after, *rest in kept.get("own", ())
        ),
        None if kept.get("waiting_since") is None else _time(kept["waiting_since"]),
    )


def _verdict(decision_id: str, about: str, at: str | None = None, *rest: Any) -> Verdict:
    return Verdict(decision_id, about, None if at is None else _time(at), *rest)


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))
