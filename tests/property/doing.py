"""Do what a remedy or a suggestion says, as a user would: on the deal as it is sent, with the clock and the people."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any, NamedTuple

from app.engine import Actor, Snapshot
from tests.builders_engine import Parts, deal
from tests.property.oracle import plain

MOST_TRIES = 4000
NUMBERS = [1, 0, 2, 3, 4, 5, -1, -2, 0.5, 0.25, 1.5, 2.5, 3.5, 100, -100]
TEXTS = ["some", "more", "a long note", "another note", "a note that is long enough for every field"]


class World(NamedTuple):
    """A deal, what time it is, who moves it and where to; `unknown` are the fields found out, value not chosen yet."""

    sent: Parts
    as_of: datetime
    actor: Actor | None
    to: str
    unknown: tuple[str, ...] = ()

    @property
    def deal(self) -> Snapshot:
        return deal(**self.sent)


def world(snapshot: Snapshot, as_of: datetime, actor: Actor | None, to: str) -> World:
    return World(plain(snapshot), as_of, actor, to)


def values(file: Parts, key: str, as_of: datetime) -> list[Any]:
    """Values a user might find out for a field."""
    field = next(one for one in file["fields"] if one["key"] == key)
    if field["type"] == "date":
        return [
            (as_of + timedelta(days=shift)).date().isoformat()
            for shift in [0, *(s * d for d in range(1, 12) for s in (1, -1))]
        ]
    known: dict[str, list[Any]] = {"number": NUMBERS, "text": TEXTS, "boolean": [True, False]}
    return known.get(field["type"]) or field["choices"]


def with_values(file: Parts, now: World) -> Iterator[World]:
    """The worlds in which the fields that were found out hold something, most likely ones first."""
    choices = [values(file, key, now.as_of) for key in now.unknown]
    for number, chosen in enumerate(product(*choices)):
        if number > MOST_TRIES:
            return
        fields = {**now.sent["fields"], **dict(zip(now.unknown, chosen, strict=True))}
        yield now._replace(sent={**now.sent, "fields": fields}, unknown=())


def do_all(steps: Iterable[Parts], now: World, choose: Callable[[list[Parts]], Parts] | None = None) -> World:
    """Wait first, name people, then do the rest in order; of alternatives the one chosen."""
    flat = [one for step in steps for one in _flat(step, choose)]
    order = {"wait_until": 0, "ask_other_mover": 1, "take_drawn_move": 1, "name_contact": 2}
    for step in sorted(flat, key=lambda one: order.get(one["kind"], 3)):
        now = _DO[step["kind"]](step, now)
    return now


def _flat(step: Parts, choose: Callable[[list[Parts]], Parts] | None) -> list[Parts]:
    if "one_of" in step:
        assert choose is not None, "a suggestion leaves no choice"
        return _flat(choose(step["one_of"]), choose)
    if "all_of" in step:
        return [one for inner in step["all_of"] for one in _flat(inner, choose)]
    return [step]


def _with(now: World, part: str, more: list[Parts]) -> World:
    return now._replace(sent={**now.sent, part: [*now.sent[part], *more]})


def _wait(step: Parts, now: World) -> World:
    return now._replace(as_of=max(now.as_of, datetime.fromisoformat(step["until"])))


def _ask_other(step: Parts, now: World) -> World:
    return now._replace(actor=Actor(id="other-mover", roles=(step["roles"][0],)))


def _take(step: Parts, now: World) -> World:
    return now._replace(to=step["to"][0])


def _name(step: Parts, now: World) -> World:
    known = len(now.sent["contacts"])
    return _with(now, "contacts", [{"id": f"new-{known + n}", "role": step["role"]} for n in range(step["times"])])


def _approve(step: Parts, now: World) -> World:
    said = {
        "role": step["role"],
        "by": "approver",
        "from": now.sent["stage"],
        "to": now.to,
        "at": now.as_of.isoformat(),
    }
    return _with(now, "approvals", [said])


def _log(step: Parts, now: World) -> World:
    """Log it as done now, or book it for a moment from now: with all who have the role, or with new people."""
    booked = step["kind"] == "book_activity"
    known = len(now.sent["activities"])
    role = step.get("with")
    there = [one["id"] for one in now.sent["contacts"] if one["role"] == role] if role else []
    there += [] if role else [f"guest-{known}-{n}" for n in range(step.get("people", 0))]
    at = now.as_of + timedelta(minutes=1 if booked else 0)
    one: Parts = {name: step[name] for name in ("activity", "outcome", "direction") if name in step}
    one |= {"at": at.isoformat(), "status": "planned" if booked else "done", "contacts": there}
    return _with(now, "activities", [{"id": f"new-{known + n}", **one} for n in range(step["times"])])


def _fill(step: Parts, now: World) -> World:
    key = step["field"]
    if step.get("is") == "absent":
        return now._replace(sent={**now.sent, "fields": {**now.sent["fields"], key: None}})
    return now._replace(unknown=tuple(dict.fromkeys([*now.unknown, key])))


_DO: dict[str, Callable[[Parts, World], World]] = {
    "wait_until": _wait,
    "ask_other_mover": _ask_other,
    "take_drawn_move": _take,
    "name_contact": _name,
    "request_approval": _approve,
    "do_activity": _log,
    "book_activity": _log,
    "fill_field": _fill,
}


def copied(content: Any) -> Any:
    return json.loads(json.dumps(content))
