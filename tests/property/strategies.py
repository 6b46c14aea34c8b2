"""Random valid processes and deals: every kind of requirement, nested, negated, under `when`, in every mode."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st

from app.engine import Actor, CompiledProcess, Process, Snapshot, compile_process
from tests.builders_engine import AS_OF, BASE, Parts, deal

CHOICES = ["unknown", "requested", "approved"]
DAYS = ["2026-11-20", "2026-11-23", "2026-11-25", "today", "+3d", "-2d", "+1w"]
SPANS = ["30m", "1d", "3d", "2w", "90d"]
ZONES = ["UTC", "Europe/Rome", "Pacific/Kiritimati", "America/Havana"]
OPEN = ["s0", "s1", "s2", "s3"]
FIELDS: list[Parts] = [
    {"key": "amount", "type": "number", "learned_in": ["demo"]},
    {"key": "note", "type": "text", "min_length": 4, "blank": ["n/a"]},
    {"key": "personal", "type": "boolean"},
    {"key": "close", "type": "date"},
    {"key": "start", "type": "date"},
    {"key": "budget", "type": "choice", "choices": CHOICES},
]

span = st.sampled_from(SPANS)
days = st.sampled_from(DAYS)
numbers = st.integers(-1, 4) | st.sampled_from([0.5, 2.5])
few = st.integers(1, 3)


def optional(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Parts]:
    """Each option there or not."""
    return st.fixed_dictionaries({}, optional=options)


def joined(*parts: st.SearchStrategy[Parts]) -> st.SearchStrategy[Parts]:
    """One mapping of all."""
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


def pair(key: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Parts]:
    """A mapping of one key."""
    return values.map(lambda value: {key: value})


def one_comparison(**comparisons: st.SearchStrategy[Any]) -> st.SearchStrategy[Parts]:
    """Exactly one comparison, presence among them."""
    presence = pair("is", st.sampled_from(["present", "absent"]))
    return st.one_of(presence, *(pair(name.rstrip("_"), values) for name, values in comparisons.items()))


def lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=2)


_RANKS = dict.fromkeys(("at_least", "at_most", "more_than", "less_than"), numbers)
_COMPARISONS: dict[str, st.SearchStrategy[Parts]] = {
    "amount": one_comparison(equals=numbers, not_equals=numbers, in_=lists(numbers), not_in=lists(numbers), **_RANKS),
    "note": one_comparison(equals=st.sampled_from(["some", "more"]), not_in=lists(st.sampled_from(["some", "more"]))),
    "personal": one_comparison(equals=st.booleans(), not_equals=st.booleans()),
    "close": one_comparison(
        before=days | st.just({"field": "start"}), after=days | st.just({"field": "start"}), equals=days
    ),
    "start": one_comparison(before=days, after=days, not_equals=days),
    "budget": one_comparison(
        equals=st.sampled_from(CHOICES), in_=lists(st.sampled_from(CHOICES)), not_in=lists(st.sampled_from(CHOICES))
    ),
}
fields = st.sampled_from(list(_COMPARISONS)).flatmap(
    lambda key: _COMPARISONS[key].map(lambda said: {"field": key, **said})
)

_activity_options = optional(
    at_least=st.integers(1, 2),
    direction=st.sampled_from(["inbound", "outbound"]),
    within=span,
    since=st.sampled_from(["stage_entry", "deal_start", {"stage": "s0"}, {"stage": "s1"}]),
    people=st.integers(1, 2),
    **{"with": st.sampled_from(["buyer", "champion"])},
)
activities = joined(
    st.one_of(
        st.sampled_from(["demo", "call", "review", "any"]).map(lambda key: {"activity": key}),
        st.sampled_from([{"activity": ["demo", "call"]}, {"activity": ["call", "review", "demo"]}]),
        st.sampled_from([{"activity": "demo", "outcome": "held"}, {"activity": ["demo", "call"], "outcome": "held"}]),
    ),
    _activity_options,
    optional(status=st.just("done")),
) | joined(pair("activity", st.sampled_from(["demo", "any"])), _activity_options, st.just({"status": "planned"}))

_bounds = st.sampled_from(
    [{"at_least": "3d"}, {"at_most": "3d"}, {"at_least": "1d", "at_most": "2w"}, {"at_least": "30d"}]
)
roles = st.sampled_from(["rep", "senior", "boss"])

leaves: st.SearchStrategy[Parts] = st.one_of(
    activities,
    fields,
    joined(pair("contact", st.sampled_from(["buyer", "champion"])), optional(at_least=few)),
    pair("stage_age", _bounds),
    pair("deal_age", _bounds),
    joined(pair("approval", roles), optional(within=span)),
    pair("mover", st.lists(roles, min_size=1, max_size=2, unique=True)),
)


_QUALITIES = st.sampled_from(
    [["amount", "note"], ["budget"], ["note", "budget", "personal"], ["amount", "note", "budget"]]
)
qualities = pair(
    "data_quality", joined(pair("at_least", st.sampled_from([0.4, 0.5, 0.75, 0.8, 1])), pair("fields", _QUALITIES))
)


def _nest(inner: st.SearchStrategy[Parts]) -> st.SearchStrategy[Parts]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(pair("any", several), pair("all", several), pair("not", inner))


conditions = st.recursive(leaves | qualities, _nest, max_leaves=4)
helpful = (
    activities
    | fields
    | qualities
    | joined(pair("contact", st.sampled_from(["buyer", "champion"])), optional(at_least=few))
)

modes = st.sampled_from(
    [
        "enforce",
        "enforce",
        "enforce",
        "warn",
        "observe",
        {"warn": "2026-11-01", "enforce": "2026-11-25"},
        {"enforce": "2026-11-23"},
    ]
)


def _requirements(bodies: st.SearchStrategy[Parts], most: int) -> st.SearchStrategy[list[Parts]]:
    return st.lists(joined(bodies, optional(mode=modes, when=conditions)), max_size=most)


def _numbered(asked: list[Parts], ids: Iterator[int]) -> list[Parts]:
    return [{**one, "id": f"r{next(ids)}"} for one in asked]


house_rules: dict[str, st.SearchStrategy[Any]] = {
    "reopen_lost": st.sampled_from(["new_deal", {"reopen_within": "90d"}, {"reopen_within": "2w"}]),
    "first_touch": st.sampled_from(["call", "email"]),
}


@st.composite
def process_files(draw: st.DrawFn, bodies: st.SearchStrategy[Parts] = conditions, most: int = 2) -> Parts:
    """A process as a file says it: up to four open stages, a path, drawn moves, `open` to lost, policies."""
    ids = count()
    asked = _requirements(bodies, most)
    keys = OPEN[: draw(st.integers(2, 4))]
    stages = [{"key": key, "enter": _numbered(draw(asked), ids), "exit": _numbered(draw(asked), ids)} for key in keys]
    closed = [{"key": "won", "kind": "won", "enter": _numbered(draw(asked), ids)}, {"key": "lost", "kind": "lost"}]
    every = [*keys, "won", "lost"]
    pairs = draw(st.lists(st.tuples(st.sampled_from(every), st.sampled_from(every)), unique=True, max_size=5))
    edges = [{"from": source, "to": to, "requires": _numbered(draw(asked), ids)} for source, to in pairs]
    if draw(st.booleans()):
        edges.append({"from": "open", "to": "lost", "requires": _numbered(draw(asked), ids)})
    return {
        **BASE,
        "timezone": draw(st.sampled_from(ZONES)),
        "fields": FIELDS,
        "stages": [*stages, *closed],
        "path": draw(st.sampled_from([[], keys, [*keys, "won"], [keys[0], keys[-1], "won"]])),
        "transitions": edges,
        "policies": draw(optional(undrawn=modes, skip=modes, back=modes, **house_rules)),
    }


def compiled_files(bodies: st.SearchStrategy[Parts] = conditions, most: int = 2) -> st.SearchStrategy[CompiledProcess]:
    """A compiled process."""
    return process_files(bodies, most).map(lambda file: compile_process(Process.model_validate(file)))


moments = st.integers(-60 * 24, 20 * 24).map(lambda hours: AS_OF + timedelta(hours=hours)) | st.sampled_from(
    [AS_OF, AS_OF - timedelta(days=3), AS_OF + timedelta(days=1), datetime(2026, 11, 10, 9, tzinfo=UTC)]
)
stamps = moments.map(datetime.isoformat)
_people = st.lists(st.sampled_from([f"c{n}" for n in range(4)]), max_size=2)


def _with_id(found: list[Parts]) -> list[Parts]:
    return [{"id": f"a{number}", **one} for number, one in enumerate(found)]


_RAW: dict[str, st.SearchStrategy[Any]] = {
    "amount": numbers | st.sampled_from([None, "5", True]),
    "note": st.sampled_from(["", "n/a", "abc", "some", "more", "a long note", None, 5]),
    "personal": st.booleans() | st.sampled_from([None, "true"]),
    "close": st.sampled_from(["2026-11-20", "2026-11-23", "2026-11-25T23:30:00Z", "2026-12-01", None, "soon"]),
    "start": st.sampled_from(["2026-11-20", "2026-11-24", None, 5]),
    "budget": st.sampled_from([*CHOICES, None, "maybe"]),
    "colour": st.just("red"),
}
logged = st.fixed_dictionaries(
    {
        "activity": st.sampled_from(["demo", "call", "review", "lunch"]),
        "at": stamps,
        "status": st.sampled_from(["done", "done", "planned"]),
    },
    optional={
        "outcome": st.sampled_from(["held", "no_show", "reached"]),
        "direction": st.sampled_from(["inbound", "outbound"]),
        "contacts": _people,
    },
)
_approvals = st.fixed_dictionaries(
    {
        "role": roles,
        "by": st.sampled_from(["rep-7", "mgr-1", "mgr-2"]),
        "from": st.sampled_from(OPEN[:3]),
        "to": st.sampled_from([*OPEN[1:3], "won"]),
        "at": stamps,
    }
)


@st.composite
def deals(draw: st.DrawFn, stages: list[str] | None = None) -> Snapshot:
    """A deal in one of the stages, with anything on record."""
    stage = draw(st.sampled_from(stages or [*OPEN[:2], "won", "lost"]))
    entries = st.fixed_dictionaries({"stage": st.sampled_from([*OPEN[:2], stage]), "entered_at": stamps})
    facts = draw(
        st.fixed_dictionaries(
            {
                "fields": optional(**_RAW),
                "contacts": st.lists(
                    st.fixed_dictionaries(
                        {"id": st.sampled_from([f"c{n}" for n in range(4)])},
                        optional={"role": st.sampled_from(["buyer", "champion"])},
                    ),
                    max_size=3,
                ),
                "activities": st.lists(logged, max_size=5).map(_with_id),
                "approvals": st.lists(_approvals, max_size=2),
                "stage_history": st.lists(entries, max_size=3),
            },
            optional={"stage_entered_at": st.none() | stamps, "created_at": st.none() | stamps},
        )
    )
    return deal(stage, **facts)


actors = st.sampled_from(
    [None, Actor(id="rep-7", roles=("rep",)), Actor(id="mgr-1", roles=("senior", "boss")), Actor(id="x")]
)
lacking = st.sets(st.sampled_from(["fields", "activities", "contacts", "approvals", "stage_history"]), max_size=2).map(
    frozenset
)
