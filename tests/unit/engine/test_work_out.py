"""What has to be done before the next move passes: what serves, what fits, and what is not planned over."""

import pytest

from tests.builders_advice import advice, kinds, names, suggestion
from tests.builders_engine import Parts, asking, deal, moment


def test_a_step_that_a_later_one_makes_needless_is_left_out() -> None:
    compiled = asking({"id": "some", "activity": "demo"}, {"id": "held", "activity": "demo", "outcome": "held"})
    expected = (suggestion("do_activity", {"activity": "demo", "outcome": "held", "times": 1}, "some", "held"),)
    assert expected == advice(compiled).suggestions
    cheap = asking({"id": "some", "activity": "any"}, {"id": "held", "activity": "demo", "outcome": "held"})
    assert expected == advice(cheap).suggestions


# when is never planned over


def test_a_when_that_holds_is_not_lifted_by_what_the_plan_finds_out() -> None:
    compiled = asking(
        {"id": "known", "field": "budget", "in": ["requested", "approved"]},
        {"id": "call", "activity": "call", "when": {"field": "budget", "equals": "unknown"}},
    )
    given = advice(compiled, deal(fields={"budget": "unknown"}))
    assert [("fill_field", "budget"), ("do_activity", "call")] == kinds(given)


def test_a_when_that_any_value_brings_about_is_planned_for() -> None:
    compiled = asking(
        {"id": "note", "field": "note", "is": "present"},
        {"id": "call", "activity": "call", "when": {"field": "note", "is": "present"}},
        {"id": "demo", "activity": "demo", "when": {"activity": "call"}},
    )
    assert [("do_activity", "demo"), ("fill_field", "note"), ("do_activity", "call")] == kinds(advice(compiled))


def test_a_when_that_a_value_may_bring_about_is_left_to_be_found_out() -> None:
    compiled = asking(
        {"id": "amount", "field": "amount", "at_least": 1},
        {"id": "boss", "mover": ["boss"], "when": {"field": "amount", "at_most": 1}},
        {"id": "yes", "approval": "boss", "when": {"field": "amount", "more_than": 50000}},
    )
    given = advice(compiled)
    assert (suggestion("fill_field", {"field": "amount", "learned_in": ["demo"]}, "amount"),) == given.suggestions
    assert given.plan is not None


def test_nothing_is_suggested_so_that_a_when_is_false() -> None:
    compiled = asking({"id": "boss", "mover": ["boss"], "when": {"field": "amount", "more_than": 50000}})
    given = advice(compiled, deal(fields={"amount": 60000}))
    assert (None, (), ["boss"]) == (given.plan, given.suggestions, names(given))


def test_an_unknown_when_is_answered_by_doing_what_it_may_ask() -> None:
    compiled = asking({"id": "demo", "activity": "demo", "when": {"field": "amount", "more_than": 50000}})
    given = advice(compiled, deal(fields={"amount": "much"}))
    assert (suggestion("do_activity", {"activity": "demo", "times": 1}, "demo"),) == given.suggestions


# what fields may hold


DATES = {"id": "order", "field": "start", "before": {"field": "close"}}


@pytest.mark.parametrize(
    ("fields", "filled"),
    [
        ({"start": "2030-01-01"}, ["close"]),
        ({"close": 5}, ["close", "start"]),
        ({"close": "2030-01-01"}, ["start"]),
        ({}, ["start", "close"]),
        ({"start": "2030-01-02", "close": "2030-01-01"}, ["start"]),
        ({"start": "2030-01-02", "close": 5}, ["close"]),
    ],
)
def test_two_dates_are_found_out_so_that_they_fit(fields: Parts, filled: list[str]) -> None:
    given = advice(asking(DATES), deal(fields=fields))
    assert sorted(("fill_field", key) for key in filled) == sorted(kinds(given))
    assert given.plan is not None


@pytest.mark.parametrize(
    "asked",
    [
        {"field": "amount", "more_than": 1e300},
        {"field": "amount", "less_than": -1e300},
        {"field": "amount", "more_than": 2**62},
        {"all": [{"field": "amount", "more_than": 1}, {"field": "amount", "less_than": 2}]},
        {"all": [{"field": "amount", "not_in": [0, 1, 2]}, {"field": "amount", "not_equals": 3}]},
        {"field": "name", "not_in": ["a", "b"]},
        {"all": [{"field": "name", "equals": "a"}, {"field": "name", "not_equals": "b"}]},
        {"all": [{"field": "close", "not_in": ["today", "+1d"]}, {"field": "close", "after": "-1d"}]},
        {"field": "personal", "not_equals": True},
        {"field": "budget", "not_in": ["unknown", "requested"]},
    ],
)
def test_a_value_that_fits_is_always_found(asked: Parts) -> None:
    given = advice(asking({"id": "asked", **asked}))
    assert (["fill_field"], True) == ([one.kind for one in given.suggestions], given.plan is not None)


def test_a_step_that_happens_to_lift_a_when_is_not_said_to_serve_it() -> None:
    compiled = asking(
        {"id": "demo", "activity": "demo"},
        {"id": "review", "activity": "review", "when": {"not": {"activity": "demo"}}},
    )
    expected = (suggestion("do_activity", {"activity": "demo", "times": 1}, "demo"),)
    assert expected == advice(compiled).suggestions


def test_people_named_for_one_requirement_are_met_for_another() -> None:
    compiled = asking({"id": "all", "all": [{"contact": "buyer"}, {"activity": "call", "with": "buyer"}]})
    assert [
        suggestion("name_contact", {"role": "buyer", "times": 1}, "all"),
        suggestion("do_activity", {"activity": "call", "with": "buyer", "times": 1}, "all"),
    ] == list(advice(compiled).suggestions)


def test_fewer_times_do_where_others_of_them_count_too() -> None:
    compiled = asking(
        {"id": "three", "activity": "call", "at_least": 3},
        {"id": "two", "activity": "call", "direction": "inbound", "at_least": 2},
    )
    assert [
        suggestion("do_activity", {"activity": "call", "times": 1}, "three"),
        suggestion("do_activity", {"activity": "call", "direction": "inbound", "times": 2}, "two"),
    ] == list(advice(compiled).suggestions)


def test_only_the_longest_wait_is_asked_for() -> None:
    compiled = asking(
        {"id": "stage", "stage_age": {"at_least": "20d"}}, {"id": "deal", "deal_age": {"at_least": "80d"}}
    )
    expected = (suggestion("wait_until", {"until": "2026-12-20T09:00:00Z"}, "stage", "deal", lead_time_days=27),)
    assert expected == advice(compiled).suggestions


# alternatives


def test_an_alternative_that_breaks_something_else_gives_way_to_the_next_cheapest() -> None:
    fields: Parts = {"id": "either", "any": [{"field": "amount", "at_least": 5}, {"activity": "call"}]}
    little: Parts = {"id": "little", "field": "amount", "at_most": 4}
    for order in ((fields, little), (little, fields)):
        given = advice(asking(*order), deal(fields={"amount": 3}))
        assert (suggestion("do_activity", {"activity": "call", "times": 1}, "either"),) == given.suggestions
    undone: Parts = {"id": "undone", "not": {"activity": "call"}}
    spoken: Parts = {"id": "spoken", "any": [{"activity": "call"}, {"activity": "demo"}, {"mover": ["boss"]}]}
    for order in ((spoken, undone), (undone, spoken)):
        given = advice(asking(*order))
        assert (suggestion("do_activity", {"activity": "demo", "times": 1}, "spoken"),) == given.suggestions


def test_the_cheapest_alternative_is_told_where_every_one_breaks_something_else() -> None:
    undone = {"id": "undone", "not": {"activity": "any"}}
    given = advice(asking({"id": "spoken", "any": [{"activity": "demo"}, {"activity": "call"}]}, undone))
    assert [("do_activity", "call")] == kinds(given)
    assert (None, ["undone"]) == (given.plan, names(given))


def test_what_warns_is_not_put_right_at_the_cost_of_what_blocks() -> None:
    warned = {"id": "warned", "any": [{"activity": "call"}, {"activity": "demo"}], "mode": "warn"}
    given = advice(asking(warned, {"id": "undone", "not": {"activity": "call"}}))
    expected = (suggestion("do_activity", {"activity": "demo", "times": 1}, "warned", mandatory=False),)
    assert expected == given.suggestions


@pytest.mark.parametrize("at", ["1900-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("comparison", ["before", "after", "equals", "not_equals"])
def test_the_ends_of_the_calendar_are_no_trouble(at: str, day: str, comparison: str) -> None:
    compiled = asking(
        {"id": "close", "field": "close", comparison: day},
        {"id": "start", "field": "start", "after": {"field": "close"}},
        {"id": "ripe", "stage_age": {"at_least": "36525d"}},
        {"id": "called", "activity": "call", "within": "36525d"},
        {"id": "old", "not": {"deal_age": {"at_most": "36525d"}}},
    )
    given = advice(compiled, deal(stage_entered_at=at, created_at=at, fields={"start": day}), as_of=moment(at))
    assert {"close", "start", "ripe", "called", "old"} >= set(names(given))
    fine = advice(asking({"id": "close", "field": "close", "not_equals": day}), as_of=moment(at))
    assert fine.plan is not None


def test_each_step_names_what_it_serves_and_no_more() -> None:
    compiled = asking(
        {"id": "met", "activity": "demo", "with": "buyer"},
        {"id": "named", "contact": "buyer"},
        {"id": "shown", "activity": "demo"},
    )
    expected = (
        suggestion("name_contact", {"role": "buyer", "times": 1}, "met", "named"),
        suggestion("do_activity", {"activity": "demo", "with": "buyer", "times": 1}, "met", "shown"),
    )
    assert expected == advice(compiled).suggestions
