"""The way to the goal: the cheapest one, what stands in it, and where there is none."""

import pytest

from app.engine import Actor, Plan, UnknownStage
from tests.builders_advice import advice, kinds, names, road, suggestion
from tests.builders_engine import Parts, activity, asking, deal, process

# what stands in the way

BLOCKED: list[tuple[Parts, str]] = [
    ({"stage_age": {"at_most": "1d"}}, "too_late"),
    ({"not": {"activity": "demo"}}, "must_not_hold"),
    ({"mover": ["boss"]}, "mover_not_allowed"),
    ({"activity": "demo", "since": {"stage": "second"}}, "cannot_evaluate"),
]


@pytest.mark.parametrize(("asked", "code"), BLOCKED)
def test_where_the_next_move_cannot_be_reached_there_is_no_plan_but_a_reason(asked: Parts, code: str) -> None:
    compiled = asking({"id": "asked", **asked}, {"id": "note", "field": "note", "is": "present"})
    given = advice(compiled, deal(activities=[activity(1)]))
    assert (None, [code]) == (given.plan, [finding.code for finding in given.blocked_by])
    assert [("fill_field", "note")] == kinds(given), "what can be done is still said"


def test_without_an_actor_a_mover_stands_in_the_way_and_an_approval_does_not() -> None:
    mover = advice(asking({"id": "asked", "mover": ["rep"]}), actor=None)
    assert (None, ["asked"]) == (mover.plan, names(mover))
    approval = advice(asking({"id": "asked", "approval": "boss"}), actor=None)
    assert (suggestion("request_approval", {"role": "boss"}, "asked"),) == approval.suggestions
    assert Plan(("second", "won"), 1, 0, 0) == approval.plan


def test_two_requirements_that_exclude_each_other_stand_in_the_way() -> None:
    given = advice(
        asking({"id": "much", "field": "amount", "at_least": 5}, {"id": "little", "field": "amount", "at_most": 4})
    )
    assert (None, 1) == (given.plan, len(given.blocked_by))


def test_a_later_move_that_nothing_helps_stands_in_the_way_of_the_goal() -> None:
    edge = {"from": "second", "to": "won", "requires": [{"id": "never", "not": {"activity": "demo"}}]}
    given = advice(process(transitions=[edge]), deal(activities=[activity(1)]))
    assert (None, ["never"]) == (given.plan, names(given))


def test_what_cannot_be_told_yet_of_a_later_move_does_not_stand_in_the_way() -> None:
    requires = [{"id": "boss", "mover": ["boss"]}, {"id": "one", "any": [{"mover": ["senior"]}, {"activity": "demo"}]}]
    compiled = process(transitions=[{"from": "second", "to": "won", "requires": requires}])
    assert Plan(("second", "won"), 2, 60, 3) == advice(compiled).plan
    assert ("second", "won") == getattr(advice(compiled, actor=None).plan, "stages", None)


def test_where_nothing_is_drawn_towards_the_goal_the_drawn_moves_are_named() -> None:
    compiled = process(transitions=[{"from": "open", "to": "lost"}], path=["first", "second"])
    given = advice(compiled)
    assert (None, (), ["skips_stage"]) == (given.plan, given.suggestions, names(given))
    assert {"to": ["second", "lost"]} == given.blocked_by[0].expected


def test_a_deal_at_its_goal_has_nothing_left_to_do() -> None:
    assert (Plan((), 0, 0, 0), ()) == (advice(process(), deal("won")).plan, advice(process(), deal("won")).suggestions)
    assert Plan((), 0, 0, 0) == advice(process(), goal="first").plan


def test_the_goal_is_won_unless_said_and_the_last_stage_where_nothing_is_won() -> None:
    assert "won" == advice(process()).goal
    assert "second" == advice(process(stages=[{"key": "first"}, {"key": "second"}], path=["first", "second"])).goal
    given = advice(process(transitions=[{"from": "open", "to": "lost"}]), goal="lost")
    assert ("lost", Plan(("lost",), 0, 0, 0)) == (given.goal, given.plan)


@pytest.mark.parametrize(("stage", "goal", "place"), [("gone", "won", "from"), ("first", "gone", "goal")])
def test_an_unknown_stage_is_refused(stage: str, goal: str, place: str) -> None:
    with pytest.raises(UnknownStage) as refused:
        advice(process(), deal(stage), goal=goal)
    assert ("gone", ("first", "second", "won", "lost"), place) == (
        refused.value.stage,
        refused.value.known,
        refused.value.place,
    )


def test_the_cheapest_way_is_taken_by_effort_then_lead_time_then_file_order() -> None:
    dear = road(
        ("first", "second", {"activity": "demo"}), ("first", "aside", {"activity": "call"}), ("aside", "second", None)
    )
    assert ("aside", "second") == getattr(advice(dear, goal="second").plan, "stages", None)
    activities = [
        {"key": "long", "effort": "1h", "lead_time": "9d"},
        {"key": "soon", "effort": "1h", "lead_time": "2d"},
    ]
    slow = road(
        ("first", "second", {"activity": "long"}), ("first", "aside", {"activity": "soon"}), ("aside", "second", None),
        activities=activities, fields=[],
    )  # fmt: skip
    assert ("aside", "second") == getattr(advice(slow, goal="second").plan, "stages", None)
    even = road(("first", "second", None), ("second", "won", None), ("first", "aside", None), ("aside", "won", None))
    assert ("second", "won") == getattr(advice(even).plan, "stages", None)


def test_a_way_whose_next_move_is_blocked_gives_way_to_one_that_is_not() -> None:
    compiled = road(
        ("first", "second", {"mover": ["boss"]}), ("first", "aside", {"activity": "review"}), ("aside", "second", None)
    )
    given = advice(compiled, goal="second")
    assert (("aside", "second"), ()) == (getattr(given.plan, "stages", None), given.blocked_by)
    by_boss = advice(compiled, goal="second", actor=Actor(id="b", roles=("boss",)))
    assert ("second",) == getattr(by_boss.plan, "stages", None)


def test_no_plan_leads_through_a_lost_deal() -> None:
    compiled = road(("first", "second", {"activity": "demo"}), ("first", "lost", None), ("lost", "second", None))
    assert ("second",) == getattr(advice(compiled, goal="second").plan, "stages", None)
    assert ("second",) == getattr(advice(compiled, deal("lost"), goal="second").plan, "stages", None)
    only = road(("first", "lost", None), ("lost", "second", None))
    given = advice(only, goal="second")
    assert (None, ["no_transition"]) == (given.plan, names(given))


def test_a_stage_is_left_by_its_cheapest_way_however_many_there_are() -> None:
    edges = [
        ("first", "second", None),
        ("second", "won", {"activity": "demo"}),
        ("second", "aside", None),
        ("aside", "won", None),
        ("first", "third", None),
        ("third", "won", {"activity": "review"}),
    ]
    assert Plan(("second", "aside", "won"), 0, 0, 0) == advice(road(*edges)).plan
    by_third = road(("first", "second", {"mover": ["boss"]}), *edges[1:])
    assert Plan(("third", "won"), 1, 240, 10) == advice(by_third).plan
