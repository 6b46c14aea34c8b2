"""Decisions kept without a language come back as they were, and any of them can be put into words."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.engine import Decision, Finding, Judged, Nested, Note
from app.i18n import LOCALES, from_document, render_decision, to_document
from tests.builders_engine import REP, activity, deal, judged
from tests.unit.i18n.sales import sales

words = st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | words
data = st.dictionaries(
    words, st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=3
)
EARLIEST, LATEST = (datetime(year, 1, 2, tzinfo=UTC).replace(tzinfo=None) for year in (1900, 2999))
times = st.datetimes(
    EARLIEST,
    LATEST,
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
params = st.dictionaries(st.sampled_from(["since", "until", "field"]), st.none() | times | words, max_size=2)
remedies = st.lists(data, max_size=2).map(tuple)
shared: dict[str, Any] = {"expected": data, "actual": data, "remediation": remedies, "params": params}
nested = st.recursive(
    st.builds(Nested, st.none() | words, st.none() | st.booleans(), st.none() | words, **shared, nested=st.just(())),
    lambda inner: st.builds(
        Nested, st.none(), st.none(), words, **shared, nested=st.lists(inner, max_size=2).map(tuple)
    ),
    max_leaves=4,
)
judgements = st.lists(st.builds(Judged, words, st.sampled_from(["exit", "enter"])), max_size=2).map(tuple)
findings = st.lists(
    st.builds(
        Finding,
        words,
        st.sampled_from(["block", "warn", "info"]),
        st.none() | words,
        st.sampled_from(["exit", "transition", "enter"]),
        st.none() | st.dictionaries(words, words, max_size=2),
        **shared,
        nested=st.lists(nested, max_size=2).map(tuple),
    ),
    max_size=3,
).map(tuple)
decisions = st.builds(
    Decision,
    outcome=st.sampled_from(["allowed", "blocked", "not_judged"]),
    process=words,
    version=st.none() | st.integers(1, 99),
    digest=words,
    from_stage=st.none() | words,
    to_stage=words,
    as_of=times,
    findings=findings,
    satisfied=judgements,
    not_applicable=judgements,
    missing=st.lists(words, max_size=2).map(tuple),
    notes=st.lists(st.builds(Note, st.sampled_from(["undeclared_field", "unknown_activity"]), words), max_size=2).map(
        tuple
    ),
)


@given(decisions)
def test_a_decision_survives_the_way_to_the_log_and_back(decision: Decision) -> None:
    assert decision == from_document(json.loads(json.dumps(to_document(decision))))


def test_a_decision_read_from_the_log_is_told_like_the_first_time() -> None:
    compiled = sales(
        {"id": "a", "activity": "demo", "since": "stage_entry"},
        {"id": "b", "any": [{"stage_age": {"at_least": "30d"}}, {"not": {"contact": "champion"}}]},
        {"id": "c", "deal_age": {"at_most": "10d"}, "say": {"en": "Too old", "it": "Troppo vecchia"}},
    )
    decision = judged(compiled, deal(contacts=[{"id": "c", "role": "champion"}]))
    again = from_document(json.loads(json.dumps(to_document(decision))))
    for locale in LOCALES:
        assert render_decision(decision, compiled, locale) == render_decision(again, compiled, locale)


LEAVES: list[dict[str, Any]] = [
    {"activity": "demo", "outcome": "held", "since": "stage_entry", "people": 2, "with": "champion"},
    {"activity": ["demo", "zzz"], "at_least": 2, "direction": "inbound", "within": "30d"},
    {"activity": "any", "since": {"stage": "second"}},
    {"activity": "discovery", "status": "planned", "within": "2w"},
    {"field": "amount", "at_least": 10},
    {"field": "budget", "in": ["requested"]},
    {"field": "next_step", "is": "present"},
    {"field": "lost_reason", "is": "absent"},
    {"field": "close_date", "before": "+7d"},
    {"field": "close_date", "after": {"field": "start_date"}},
    {"field": "personal_data", "equals": True},
    {"contact": "champion", "at_least": 2},
    {"stage_age": {"at_least": "3d", "at_most": "10d"}},
    {"deal_age": {"at_least": "300d"}},
    {"approval": "sales_manager", "within": "7d"},
    {"mover": ["sales_manager"]},
]
conditions = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds(lambda one: {"not": one}, inner)
        | st.builds(
            lambda kind, some: {kind: some}, st.sampled_from(["any", "all"]), st.lists(inner, min_size=1, max_size=3)
        )
    ),
    max_leaves=6,
)
values = st.sampled_from(
    [None, "", "n/a", "approved", "requested", "price", "2026-12-01", 5, 5000.5, True, [1], {"a": 1}]
)
keys = st.sampled_from(["amount", "budget", "next_step", "lost_reason", "close_date", "start_date", "personal_data"])
deeds = st.lists(
    st.builds(
        lambda number, key, at, status, outcome: activity(number, key, at, status, outcome=outcome, contacts=["c-1"]),
        st.integers(1, 10_000),
        st.sampled_from(["demo", "discovery", "zzz"]),
        st.sampled_from(["2026-11-12T15:00:00Z", "2026-11-30T15:00:00Z", "2026-01-01T00:00:00Z"]),
        st.sampled_from(["done", "planned"]),
        st.sampled_from(["held", "no_show", None]),
    ),
    max_size=4,
    unique_by=lambda one: one["id"],
)
facts = st.fixed_dictionaries(
    {
        "fields": st.dictionaries(keys, values, max_size=7),
        "activities": deeds,
        "contacts": st.sampled_from([[], [{"id": "c-1", "role": "champion"}]]),
        "stage_entered_at": st.sampled_from(["2026-11-10T09:00:00Z", "2026-11-22T09:00:00Z", None]),
        "created_at": st.sampled_from(["2026-10-01T09:00:00Z", None]),
    }
)


@given(
    conditions,
    facts,
    st.none() | st.sampled_from(LEAVES),
    st.sampled_from([REP, None]),
    st.sets(st.sampled_from(["fields", "activities", "contacts", "approvals", "stage_history"])),
)
def test_whatever_the_engine_finds_can_be_told(
    asked: dict[str, Any], sent: dict[str, Any], when: dict[str, Any] | None, actor: Any, missing: set[str]
) -> None:
    compiled = sales({"id": "asked", **asked, **({"when": when} if when else {})})
    decision = judged(compiled, deal(**sent), actor=actor, missing=frozenset(missing))
    assert decision == from_document(json.loads(json.dumps(to_document(decision))))
    for locale in LOCALES:
        for finding in render_decision(decision, compiled, locale)["findings"]:
            assert finding["message"]
            assert finding["detail"]
            assert "{" not in finding["detail"]
