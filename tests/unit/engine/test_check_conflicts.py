"""Conflicts: requirements that can never hold, alone or together on one move; and none where they can."""

from typing import Any

import pytest

from tests.builders_engine import Parts
from tests.builders_file import SOUND, Told, asks, problems, severities

R = "transitions[1].requires"
MOVE = {"from": "first", "to": "second"}


def amount(**comparison: Any) -> Parts:
    return {"field": "amount", **comparison}


def note(**comparison: Any) -> Parts:
    return {"field": "note", **comparison}


def budget(**comparison: Any) -> Parts:
    return {"field": "budget", **comparison}


def close(**comparison: Any) -> Parts:
    return {"field": "close", **comparison}


def demo(**options: Any) -> Parts:
    return {"activity": "demo", **options}


def no(requirement: Parts) -> Parts:
    return {"not": requirement}


PRESENT, ABSENT = {"is": "present"}, {"is": "absent"}

CLASHING: list[tuple[Parts, Parts]] = [
    (amount(equals=1), amount(equals=2)),
    (amount(at_least=2), amount(at_most=1)),
    (amount(more_than=1), amount(at_most=1)),
    (amount(more_than=1), amount(less_than=1)),
    (amount(**{"in": [1, 2]}), amount(**{"in": [3, 4.5]})),
    (amount(**{"in": [1, 2]}), amount(at_least=3)),
    (amount(equals=1), amount(not_equals=1)),
    (amount(**PRESENT), amount(**ABSENT)),
    (amount(equals=0), amount(**ABSENT)),
    (note(equals="one"), note(equals="two")),
    (note(**{"in": ["a", "b"]}), note(not_in=["a", "b", "c"])),
    ({"field": "personal", "equals": True}, {"field": "personal", "equals": False}),
    ({"field": "personal", "equals": True}, {"field": "personal", "not_equals": True}),
    (budget(equals="approved"), budget(**{"in": ["unknown", "requested"]})),
    (budget(not_in=["unknown", "requested"]), budget(not_equals="approved")),
    (close(before="2027-01-02"), close(after="2027-01-01")),
    (close(equals="2027-01-01"), close(after="2027-01-01")),
    (close(**{"in": ["2027-01-01", "2027-01-05"]}), close(before="2027-01-01")),
    (close(before="today"), close(after="+7d")),
    (close(equals="today"), close(after="today")),
    (close(before={"field": "start"}), close(after={"field": "start"})),
    (close(before="today"), close(**ABSENT)),
    ({"stage_age": {"at_least": "3d"}}, {"stage_age": {"at_most": "71h"}}),
    ({"deal_age": {"at_least": "3d"}}, {"deal_age": {"at_most": "2d"}}),
]


@pytest.mark.parametrize(("one", "other"), CLASHING)
def test_two_that_cannot_both_hold_are_told(one: Parts, other: Parts) -> None:
    expected = [("contradiction", f"{R}[1]", {"requirement": "r1", "others": ["r0"], **MOVE})]
    assert expected == problems(**asks(one, other))
    assert [("error", "contradiction")] == severities(**asks(other, one))


DENYING: list[tuple[Parts, Parts]] = [
    (amount(**PRESENT), no(amount(**PRESENT))),
    (amount(at_least=2), no(amount(more_than=1))),
    (amount(equals=3), no(amount(at_least=2))),
    (budget(equals="approved"), no(budget(**PRESENT))),
    (close(before="today"), no(close(before="+7d"))),
    (close(after={"field": "start"}), no(close(after={"field": "start"}))),
    ({"stage_age": {"at_least": "3d"}}, no({"stage_age": {"at_least": "2d"}})),
    (demo(), no(demo())),
    (demo(outcome="held", at_least=3), no(demo(at_least=2))),
    (demo(within="3d", since="stage_entry"), no(demo(within="72h"))),
    ({"activity": "demo", "with": "buyer", "people": 2}, no({"activity": "any", "with": "buyer", "people": 2})),
    ({"activity": ["demo", "call"]}, no({"activity": ["call", "demo", "review"]})),
    (demo(status="planned"), no(demo(status="planned"))),
    ({"contact": "buyer", "at_least": 2}, no({"contact": "buyer"})),
    ({"approval": "boss", "within": "3d"}, no({"approval": "boss"})),
    ({"approval": "boss", "within": "3d"}, no({"approval": "boss", "within": "4d"})),
    ({"mover": ["rep"]}, no({"mover": ["rep", "boss"]})),
]


@pytest.mark.parametrize(("demands", "denies"), DENYING)
def test_a_not_of_what_another_demands_is_told(demands: Parts, denies: Parts) -> None:
    told = {"requirement": "r1", "other": "r0", **MOVE}
    assert [("not_of_demanded", f"{R}[1]", told)] == problems(**asks(demands, denies))
    told = {"requirement": "r0", "other": "r1", **MOVE}
    assert [("not_of_demanded", f"{R}[0]", told)] == problems(**asks(denies, demands))


TOGETHER: list[tuple[Parts, ...]] = [
    (amount(at_least=1), amount(at_most=1)),
    (amount(more_than=1), amount(less_than=2)),
    (no(amount(equals=1)), no(amount(not_equals=1))),  # absent
    (amount(equals=1), {"field": "personal", "equals": True}),
    (note(not_in=["a", "b"]), note(**PRESENT)),
    (budget(not_in=["unknown"]), budget(not_equals="approved")),
    (close(after="2027-01-01"), close(before="2027-01-03")),
    (close(before="2027-01-01"), close(after="+7d")),  # depends on the day
    (close(before={"field": "start"}), close(after="today")),
    (close(**{"in": ["today", "2027-01-01"]}), close(after="2030-01-01")),
    ({"stage_age": {"at_least": "3d"}}, {"stage_age": {"at_most": "72h"}}),
    ({"stage_age": {"at_least": "3d"}}, {"deal_age": {"at_most": "2d"}}),
    (demo(), no({"activity": "call"})),
    (demo(), no(demo(outcome="held"))),
    (demo(), no(demo(within="3d"))),
    (demo(within="4d"), no(demo(within="3d"))),
    (demo(), no(demo(at_least=2))),
    (demo(), no(demo(people=2))),
    (demo(people=1), no(demo(people=2))),
    ({"activity": "demo", "with": "buyer", "people": 2}, no(demo(people=2))),
    (demo(), no(demo(status="planned"))),
    ({"activity": "any"}, no(demo())),
    ({"contact": "buyer"}, no({"contact": "buyer", "at_least": 2})),
    ({"contact": "buyer"}, no({"contact": "champion"})),
    ({"approval": "boss"}, no({"approval": "boss", "within": "3d"})),
    ({"mover": ["rep", "boss"]}, no({"mover": ["rep"]})),
    ({"mover": ["rep"]}, {"mover": ["boss"]}),
    (amount(equals=1), {**amount(equals=2), "mode": "warn"}),
    (amount(equals=1), {**amount(equals=2), "mode": {"observe": "2027-02-01", "enforce": "2027-01-01"}}),
    (amount(equals=1), {**amount(equals=2), "mode": {"warn": "2027-02-01"}}),
    (amount(equals=1), {**amount(equals=2), "when": {"contact": "buyer"}}),
    ({**amount(equals=1), "when": {"contact": "champion"}}, {**amount(equals=2), "when": {"contact": "buyer"}}),
    ({"any": [amount(equals=1), amount(equals=2)]}, amount(equals=2)),
    (no({"all": [amount(equals=1), demo()]}), demo()),
]


@pytest.mark.parametrize("requirements", TOGETHER)
def test_what_can_hold_together_is_not_told(requirements: tuple[Parts, ...]) -> None:
    assert [] == problems(**asks(*requirements))


ALONE: list[Parts] = [
    {"all": [amount(**PRESENT), amount(**ABSENT)]},
    {"any": [{"all": [amount(at_least=2), amount(at_most=1)]}, {"all": [demo(), no(demo())]}]},
    no({"any": [demo(), no(demo())]}),
    note(equals=" TBD "),
    note(**{"in": ["n/a", ""]}),
    no({"stage_age": {"at_least": "0m"}}),
]


@pytest.mark.parametrize("requirement", ALONE)
def test_a_requirement_that_can_never_hold_is_told(requirement: Parts) -> None:
    expected: list[Told] = [("never_holds", f"{R}[0]", {"requirement": "r0"})]
    assert expected == problems(**asks(requirement))
    assert [("error", "never_holds")] == severities(**asks(requirement, demo(), amount(at_least=1)))
    assert [("warning", "never_holds")] == severities(**asks({**requirement, "mode": "warn"}))


def test_an_any_that_can_never_hold_is_told_where_it_stands() -> None:
    dead = {"any": [note(equals="tbd"), note(equals="n/a")]}
    assert [("never_holds", f"{R}[0].any[1]", {"requirement": "r0"})] == problems(**asks({"any": [demo(), dead]}))


def test_an_any_that_can_never_hold_is_right_where_it_must_not_hold() -> None:
    assert [] == problems(**asks(no({"any": [note(equals="tbd"), note(equals="n/a")]})))


def test_several_that_only_together_cannot_hold_are_told_together() -> None:
    some = [budget(not_equals=choice) for choice in ("unknown", "requested", "approved")]
    told = {"requirement": "r2", "others": ["r0", "r1"], **MOVE}
    assert [("contradiction", f"{R}[2]", told)] == problems(**asks(*some))


def test_parts_of_one_requirement_clash_with_another() -> None:
    parts = {"all": [demo(), amount(at_least=5)]}
    told = {"requirement": "r1", "others": ["r0"], **MOVE}
    assert [("contradiction", f"{R}[1]", told)] == problems(**asks(parts, amount(equals=1)))


def test_an_any_none_of_whose_alternatives_fits_the_move_is_told() -> None:
    either = {"any": [amount(equals=1), {"all": [amount(equals=2), demo()]}]}
    told = {"requirement": "r0", **MOVE}
    assert [("never_holds_on_move", f"{R}[0]", told)] == problems(**asks(either, amount(at_least=3)))
    both = no({"all": [demo(), amount(at_least=3)]})
    assert [("never_holds_on_move", f"{R}[0]", told)] == problems(**asks(both, amount(at_least=3), demo()))


def test_the_same_when_goes_together() -> None:
    when = {"field": "personal", "equals": True}
    told = {"requirement": "r1", "others": ["r0"], **MOVE}
    clashing = ({**amount(equals=1), "when": when}, {**amount(equals=2), "when": when})
    assert [("contradiction", f"{R}[1]", told)] == problems(**asks(*clashing))


def test_a_mode_that_enforces_in_the_end_counts() -> None:
    late = {**amount(equals=2), "mode": {"warn": "2027-01-01", "enforce": "2027-04-01"}}
    assert ["contradiction"] == [code for code, *_ in problems(**asks(amount(equals=1), late))]


def stages(**first: Any) -> Parts:
    return {"stages": [{"key": "first", **first}, *SOUND["stages"][1:]]}


def test_exit_edge_and_enter_are_asked_together() -> None:
    leave = {"id": "leave", **amount(equals=1)}
    arrive = {"id": "arrive", **amount(equals=2)}
    both = [{"key": "first", "exit": [leave]}, {"key": "second", "enter": [arrive]}, *SOUND["stages"][2:]]
    told = {"requirement": "arrive", "others": ["leave"], **MOVE}
    assert [("contradiction", "stages[1].enter[0]", told)] == problems(stages=both)
    told = {"requirement": "r0", "others": ["leave"], **MOVE}
    assert [("contradiction", f"{R}[0]", told)] == problems(**stages(exit=[leave]), **asks(amount(equals=2)))


def test_exit_is_not_asked_back_to_lost_or_on_staying() -> None:
    leave = {"id": "leave", **amount(equals=1)}
    ask = [{"id": "ask", **amount(equals=2)}]
    edges = [{"from": "first", "to": "lost", "requires": ask}]
    assert [] == problems(**stages(exit=[leave]), transitions=edges)
    edges = [*SOUND["transitions"], {"from": "first", "to": "first", "requires": ask}]
    assert [] == problems(**stages(exit=[leave]), transitions=edges)
    leaving = [SOUND["stages"][0], {"key": "second", "exit": [leave]}, *SOUND["stages"][2:]]
    edges = [*SOUND["transitions"], {"from": "second", "to": "first", "requires": ask}]
    assert [] == problems(stages=leaving, transitions=edges)
    edges = [*SOUND["transitions"], {"from": "second", "to": "won", "requires": ask}]
    assert ["contradiction"] == [code for code, *_ in problems(stages=leaving, transitions=edges)]


def test_the_same_conflict_on_many_moves_is_told_once() -> None:
    asked = [{"id": "a", **amount(equals=1)}, {"id": "b", **amount(equals=2)}]
    edges = [{"from": "open", "to": "lost", "requires": asked}]
    assert ["contradiction"] == [code for code, *_ in problems(transitions=edges)]
    entering = [SOUND["stages"][0], SOUND["stages"][1], SOUND["stages"][2], {**SOUND["stages"][3], "enter": asked}]
    edges = [{"from": key, "to": "lost", "requires": [{"id": key, **demo()}]} for key in ("first", "second")]
    assert ["contradiction"] == [code for code, *_ in problems(stages=entering, transitions=edges)]
    either = {"id": "e", "any": [amount(equals=1), amount(equals=2)]}
    entering[3] = {**SOUND["stages"][3], "enter": [either, {"id": "n", **amount(equals=3)}]}
    assert ["never_holds_on_move"] == [code for code, *_ in problems(stages=entering, transitions=edges)]


def test_what_is_told_elsewhere_is_not_told_again_as_a_conflict() -> None:
    assert ["operand_unfit"] == [code for code, *_ in problems(**asks(amount(equals="1"), amount(equals=2)))]
    assert ["comparison_unfit"] == [code for code, *_ in problems(**asks(note(before="today"), note(equals="x")))]
    assert ["unknown_choice"] == [code for code, *_ in problems(**asks(budget(equals="x"), budget(equals="approved")))]
    assert ["bounds_crossed"] == [
        code for code, *_ in problems(**asks({"stage_age": {"at_least": "3d", "at_most": "2d"}}))
    ]
    assert ["unknown_name"] * 2 == [
        code for code, *_ in problems(**asks({"field": "x", "equals": 1}, {"field": "x", "equals": 2}))
    ]
    assert ["unknown_name"] == [
        code for code, *_ in problems(path=["first", "gone"], **asks(amount(equals=1), amount(at_least=1)))
    ]


def test_conflicts_are_told_beside_misshapen_parts() -> None:
    found = problems(**asks(amount(equals=1), amount(equals=2), {"contact": 1}), maturity="x")
    assert ["contradiction", "wrong_type", "not_one_of"] == [code for code, *_ in found]


def test_absurd_numbers_of_requirements_are_left_alone() -> None:
    assert [] == problems(**asks(*[amount(equals=number) for number in range(41)]))
    assert [] == problems(**asks(amount(**{"in": list(range(201))}), amount(equals=-1)))
    assert [] == problems(**asks(*[{"contact": "buyer"}] * 201, amount(equals=1), amount(equals=2)))
    assert [] == problems(**asks({"any": [amount(equals=number) for number in range(201)]}, amount(equals=-1)))
