"""`any`, `all`, `not` and `when`: three values, whole tables, and the ways out they offer."""

from itertools import product
from typing import Any

import pytest

from app.engine import Nested, Process
from app.engine.requirements import counts_early, leaves_of, nested_in
from tests.builders_engine import BASE, Parts, activity, asking, blocking, deal, finding, judged, outcomes

VALUES: dict[bool | None, Any] = {True: 1, False: 2, None: "one"}
"""What field `a` or `b` holds to make `equals: 1` met, unmet or unknown."""

TWO = [{"key": "a", "type": "number"}, {"key": "b", "type": "number"}]
PAIRS = list(product((True, False, None), repeat=2))

Verdict = bool | None


def part(key: str) -> Parts:
    return {"field": key, "equals": 1}


def verdict(requirement: Parts, a: Verdict, b: Verdict = None) -> Verdict:
    """Whether a requirement over `a` and `b` holds."""
    given = deal(fields={"a": VALUES[a], "b": VALUES[b]})
    found = finding(asking({"id": "asked", **requirement}, fields=TWO), given)
    if found is None:
        return True
    return None if found.code == "cannot_evaluate" else False


def naive_any(values: list[Verdict]) -> Verdict:
    return True if True in values else None if None in values else False


def naive_all(values: list[Verdict]) -> Verdict:
    return False if False in values else None if None in values else True


def naive_not(value: Verdict) -> Verdict:
    return None if value is None else not value


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_tables_of_three_values_hold_in_full(a: Verdict, b: Verdict) -> None:
    both = [part("a"), part("b")]
    assert naive_any([a, b]) is verdict({"any": both}, a, b)
    assert naive_all([a, b]) is verdict({"all": both}, a, b)
    assert naive_not(a) is verdict({"not": part("a")}, a)
    assert a is verdict({"not": {"not": part("a")}}, a)
    assert naive_not(naive_any([a, b])) is verdict({"not": {"any": both}}, a, b)
    assert naive_not(naive_all([a, b])) is verdict({"not": {"all": both}}, a, b)
    assert naive_any([a, naive_not(b)]) is verdict({"any": [part("a"), {"not": part("b")}]}, a, b)
    assert naive_all([naive_any([a]), naive_not(naive_all([b, a]))]) is verdict(
        {"all": [{"any": [part("a")]}, {"not": {"all": [part("b"), part("a")]}}]}, a, b
    )


def test_one_met_wins_over_unknown_and_one_unmet_too() -> None:
    assert verdict({"any": [part("a"), part("b")]}, None, True) is True
    assert verdict({"all": [part("a"), part("b")]}, None, False) is False


DEMO = {"kind": "do_activity", "activity": "demo", "times": 1}
FILL = {"kind": "fill_field", "field": "note"}
LACKING = Nested(
    None, False, "field_missing", {"field": "note", "is": "present"}, {"value": None}, (FILL,), {"field": "note"}
)
UNDONE = Nested(
    "shown",
    False,
    "activity_missing",
    {"activity": "demo", "at_least": 1},
    {"count": 0, "ignored": []},
    (DEMO,),
    {"since": None},
)
NOTE = {"field": "note", "is": "present"}
SHOWN = {"id": "shown", "activity": "demo"}


def test_an_unmet_any_is_one_finding_with_its_alternatives_inside() -> None:
    found = finding(asking({"id": "asked", "any": [SHOWN, NOTE]}))
    expected = {"any": [{"activity": "demo", "at_least": 1}, {"field": "note", "is": "present"}]}
    counts = {"met": 0, "unmet": 2, "unknown": 0}
    assert blocking("none_met", expected, counts, {"one_of": [DEMO, FILL]}, nested=(UNDONE, LACKING)) == found


def test_an_unmet_all_is_one_finding_that_asks_for_what_is_open() -> None:
    given = deal(activities=[activity(1)])
    found = finding(asking({"id": "asked", "all": [SHOWN, NOTE, {"contact": "buyer"}]}), given)
    name = {"kind": "name_contact", "role": "buyer", "times": 1}
    contact = {"contact": "buyer", "at_least": 1}
    nested = (
        Nested("shown", True, None, {"activity": "demo", "at_least": 1}, {}, (), {}),
        LACKING,
        Nested(None, False, "contact_missing", contact, {"count": 0}, (name,), {}),
    )
    expected = {"all": [{"activity": "demo", "at_least": 1}, {"field": "note", "is": "present"}, contact]}
    counts = {"met": 1, "unmet": 2, "unknown": 0}
    assert blocking("not_all_met", expected, counts, FILL, name, nested=nested) == found


def test_alternatives_nest_and_those_that_nothing_helps_are_left_out() -> None:
    young = {"deal_age": {"at_most": "1d"}}
    asked = {"any": [young, {"all": [SHOWN, NOTE]}, {"activity": ["call", "review"]}]}
    found = finding(asking({"id": "asked", **asked}))
    assert found is not None
    either = {"one_of": [{"kind": "do_activity", "activity": key, "times": 1} for key in ("call", "review")]}
    assert ({"one_of": [{"all_of": [DEMO, FILL]}, either]},) == found.remediation
    assert ["too_late", "not_all_met", "activity_missing"] == [one.code for one in found.nested]


def test_where_one_of_all_cannot_be_helped_nothing_helps() -> None:
    young = {"deal_age": {"at_most": "1d"}}
    found = finding(asking({"id": "asked", "all": [young, NOTE]}))
    assert found is not None
    assert ("not_all_met", ()) == (found.code, found.remediation)
    found = finding(asking({"id": "asked", "any": [young, {"not": {"deal_age": {"at_least": "1d"}}}]}))
    assert found is not None
    assert ("none_met", ()) == (found.code, found.remediation)


def test_an_unknown_group_counts_and_stands_apart() -> None:
    found = finding(asking({"id": "asked", "any": [NOTE, {"mover": ["boss"]}]}), actor=None)
    nested = (
        LACKING,
        Nested(None, None, "cannot_evaluate", {"mover": ["boss"]}, {"roles": [], "because": "no_actor"}, (), {}),
    )
    expected = {"any": [{"field": "note", "is": "present"}, {"mover": ["boss"]}]}
    counts = {"met": 0, "unmet": 1, "unknown": 1}
    assert blocking("cannot_evaluate", expected, counts, {"one_of": [FILL]}, nested=nested) == found


NEGATED_GROUPS: list[tuple[Parts, Parts]] = [
    (
        {"any": [{"field": "amount", "equals": 5}, {"field": "name", "is": "present"}]},
        {"met": 0, "unmet": 2, "unknown": 0},
    ),
    (
        {"all": [{"field": "amount", "equals": 5}, {"field": "name", "is": "present"}]},
        {"met": 0, "unmet": 2, "unknown": 0},
    ),
]


@pytest.mark.parametrize(("group", "counts"), NEGATED_GROUPS)
def test_not_is_carried_down_so_that_each_part_has_its_own_way_out(group: Parts, counts: Parts) -> None:
    found = finding(asking({"id": "asked", "not": group}), deal(fields={"amount": 5, "name": "Acme"}))
    fill = {"kind": "fill_field", "field": "amount", "learned_in": ["demo"]}
    clear = {"kind": "fill_field", "field": "name", "is": "absent"}
    remediation = [fill, clear] if "any" in group else [{"one_of": [fill, clear]}]
    nested = tuple(
        Nested(None, False, "must_not_hold", {"not": asked}, {"value": value}, (step,), {"field": key})
        for asked, value, step, key in (
            ({"field": "amount", "equals": 5}, 5, fill, "amount"),
            ({"field": "name", "is": "present"}, "Acme", clear, "name"),
        )
    )
    assert blocking("must_not_hold", {"not": group}, counts, *remediation, nested=nested) == found


def test_twice_not_is_the_thing_itself() -> None:
    asked = {"not": {"not": {"field": "name", "is": "present"}}}
    step = {"kind": "fill_field", "field": "name"}
    expected = blocking("field_missing", asked, {"value": None}, step, params={"field": "name"})
    assert expected == finding(asking({"id": "asked", **asked}))


WHEN = [
    (1, "satisfied", "satisfied"),
    (2, "not_applicable", "not_applicable"),
    (None, "not_applicable", "not_applicable"),
    ("one", "satisfied", "cannot_evaluate"),
]


@pytest.mark.parametrize(("a", "met", "unmet"), WHEN)
def test_when_decides_whether_a_requirement_applies(a: Any, met: str, unmet: str) -> None:
    compiled = asking({"id": "asked", "field": "b", "equals": 1, "when": part("a")}, fields=TWO)
    assert {"asked": met} == outcomes(judged(compiled, deal(fields={"a": a, "b": 1})))
    expected = "field_mismatch" if unmet == "satisfied" else unmet
    assert {"asked": expected} == outcomes(judged(compiled, deal(fields={"a": a, "b": 2})))


def test_an_unknown_when_is_the_reason_and_meeting_the_requirement_the_way_out() -> None:
    compiled = asking({"id": "asked", "activity": "demo", "when": {"mover": ["boss"]}})
    actual = {"count": 0, "ignored": [], "because": "when_unknown"}
    expected = {"activity": "demo", "at_least": 1}
    unknown = blocking("cannot_evaluate", expected, actual, DEMO, params={"since": None})
    assert unknown == finding(compiled, actor=None)
    done = judged(compiled, deal(activities=[activity(1)]), actor=None)
    assert ("allowed", {"asked": "satisfied"}) == (done.outcome, outcomes(done))


def test_what_an_unknown_requirement_does_under_a_when_that_is_false_is_nothing() -> None:
    compiled = asking({"id": "asked", "mover": ["boss"], "when": part("a")}, fields=TWO)
    assert {"asked": "not_applicable"} == outcomes(judged(compiled, deal(fields={"a": 2}), actor=None))


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ({"activity": "demo"}, False),
        ({"not": {"activity": "demo"}}, True),
        ({"any": [{"contact": "buyer"}, {"field": "amount", "is": "absent"}]}, True),
        ({"all": [{"contact": "buyer"}, {"field": "amount", "is": "absent"}]}, False),
        ({"deal_age": {"at_least": "53d"}}, True),
        ({"approval": "boss"}, False),
        ({"mover": ["rep"]}, True),
    ],
)
def test_any_kind_may_stand_in_a_when(when: Parts, applies: bool) -> None:
    compiled = asking({"id": "asked", "field": "note", "is": "present", "when": when})
    assert {"asked": "field_missing" if applies else "not_applicable"} == outcomes(judged(compiled))


EARLY: list[tuple[Parts, bool]] = [
    ({"activity": "demo"}, True),
    ({"activity": "demo", "since": "deal_start"}, True),
    ({"activity": "demo", "since": "stage_entry"}, False),
    ({"activity": "demo", "since": {"stage": "first"}}, False),
    ({"activity": "demo", "within": "3d"}, False),
    ({"activity": "demo", "status": "planned"}, False),
    ({"field": "note", "is": "present"}, True),
    ({"contact": "buyer"}, True),
    ({"approval": "boss"}, False),
    ({"stage_age": {"at_least": "1d"}}, False),
    ({"any": [{"contact": "buyer"}, {"approval": "boss"}]}, False),
    ({"not": {"all": [{"contact": "buyer"}]}}, True),
]


@pytest.mark.parametrize(("asked", "early"), EARLY)
def test_what_looks_at_no_stage_and_no_clock_counts_early(asked: Parts, early: bool) -> None:
    edge = {"from": "first", "to": "second", "requires": [{"id": "asked", **asked}]}
    condition = Process.model_validate({**BASE, "transitions": [edge]}).transitions[0].requires[0]
    assert early is counts_early(condition)
    assert all(not nested_in(leaf) for leaf in leaves_of(condition))
