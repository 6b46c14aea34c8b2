"""Conflicts against the engine itself: a move that some deal can make is never called impossible."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine import compile_process, decide
from app.engine.load import read_process
from tests.builders_engine import AS_OF, REP, Parts, activity, deal
from tests.builders_file import asks, file_of


def demo(**options: Any) -> Parts:
    return {"activity": "demo", **options}


def no(requirement: Parts) -> Parts:
    return {"not": requirement}


days = st.sampled_from(["2026-11-20", "2026-11-23", "2026-11-26", "today", "+3d", "-3d"])
scalars: dict[Any, st.SearchStrategy[Any]] = {
    "amount": st.sampled_from([0, 1, 1.5, 2]),
    "note": st.sampled_from(["long enough text", "another long text", "tbd"]),
    "personal": st.booleans(),
    "close": days,
    "budget": st.sampled_from(["unknown", "requested", "approved"]),
}
FIELDS = sorted(scalars)


@st.composite
def comparisons(draw: st.DrawFn) -> Parts:
    field = draw(st.sampled_from(FIELDS))
    more = {"amount": ["at_least", "at_most", "more_than", "less_than"], "close": ["before", "after"]}.get(field, [])
    comparison = draw(st.sampled_from(["is", "equals", "not_equals", "in", "not_in", *more]))
    if comparison == "is":
        return {"field": field, "is": draw(st.sampled_from(["present", "absent"]))}
    value = st.lists(scalars[field], min_size=1, max_size=2) if comparison in ("in", "not_in") else scalars[field]
    return {"field": field, comparison: draw(value)}


leaves = comparisons() | st.sampled_from(
    [
        demo(),
        demo(outcome="held"),
        demo(at_least=2),
        demo(within="3d"),
        demo(status="planned"),
        {"activity": "any"},
        {"contact": "buyer"},
        {"contact": "buyer", "at_least": 2},
        {"mover": ["rep"]},
        {"mover": ["rep", "boss"]},
        {"approval": "boss"},
        {"approval": "boss", "within": "3d"},
        {"stage_age": {"at_least": "3d"}},
        {"stage_age": {"at_most": "3d"}},
        {"deal_age": {"at_least": "3d", "at_most": "60d"}},
    ]
)
conditions = st.recursive(
    leaves,
    lambda nested: (
        st.builds(
            lambda kind, parts: {kind: parts}, st.sampled_from(["any", "all"]), st.lists(nested, min_size=1, max_size=3)
        )
        | st.builds(no, nested)
    ),
    max_leaves=4,
)


def held(number: int, ago: int, **more: Any) -> Parts:
    return activity(number, at=AS_OF - timedelta(days=ago), **more)


deals = st.fixed_dictionaries(
    {
        "stage_entered_at": st.sampled_from(["2026-11-01T09:00:00Z", "2026-11-22T09:00:00Z"]),
        "fields": st.fixed_dictionaries(
            {},
            optional={
                **scalars,
                "close": st.sampled_from(["2026-11-01", "2026-11-21", "2026-11-23", "2026-11-25", "2026-12-24"]),
            },
        ),
        "contacts": st.lists(
            st.sampled_from([{"id": "c-1", "role": "buyer"}, {"id": "c-2", "role": "buyer"}]), unique_by=str
        ),
        "activities": st.lists(
            st.sampled_from(
                [
                    held(1, 1, outcome="held"),
                    held(2, 30, outcome="held"),
                    held(3, 1),
                    held(4, -5, status="planned"),
                    held(5, 2, key="call"),
                ]
            ),
            unique_by=str,
        ),
        "approvals": st.lists(
            st.sampled_from(
                [
                    {"role": "boss", "by": "b", "from": "first", "to": "second", "at": "2026-11-23T08:00:00Z"},
                ]
            ),
            max_size=1,
        ),
    }
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(conditions, min_size=1, max_size=3), st.lists(deals, min_size=4, max_size=8))
def test_a_move_that_some_deal_can_make_is_never_called_impossible(
    requirements: list[Parts], facts: list[Parts]
) -> None:
    loaded = read_process(file_of(**asks(*requirements)))
    assert loaded.process is not None
    compiled = compile_process(loaded.process)
    outcomes = {
        decide(compiled, deal(**json.loads(json.dumps(one))), "second", as_of=AS_OF, actor=REP).outcome for one in facts
    }
    whole = {problem.code for problem in loaded.errors if not problem.path.count(".any")}
    assert "allowed" not in outcomes or not whole
