"""The next best activities: whole advice for small processes, and the order in which it comes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.engine import Actor, Advice, Plan, Process, Suggestion, UnknownStage, compile_process, suggest
from tests.builders_engine import AS_OF, REP, Parts, activity, after, asking, before, deal, judged, moment, process
from tests.unit.engine.test_decide import B2B, D17


def advice(compiled: Any, snapshot: Any = None, **more: Any) -> Advice:
    return suggest(compiled, deal() if snapshot is None else snapshot, **{"as_of": AS_OF, "actor": REP, **more})


def suggestion(kind: str, about: Parts, *served: str, **more: Any) -> Suggestion:
    """A mandatory suggestion for the move from `first` to `second`; an activity costs what BASE says of it."""
    costs = {"demo": (60, 3), "call": (30, 0), "review": (240, 10)}
    effort, lead = costs.get(about.get("activity", ""), (0, 0))
    usual = {
        "mandatory": True, "effort_minutes": 0 if kind == "book_activity" else effort * about.get("times", 1),
        "lead_time_days": lead, "because": tuple((name, "first", "second") for name in served),
    }  # fmt: skip
    return Suggestion(kind, about, **{**usual, **more})


def kinds(given: Advice) -> list[tuple[str, Any]]:
    """Kind and subject of each suggestion, shortly."""
    return [(one.kind, next(iter(one.subject.values()))) for one in given.suggestions]


def names(given: Advice) -> list[str]:
    return [finding.requirement or finding.code for finding in given.blocked_by]


def test_the_example_of_the_documentation_is_advised_as_it_says() -> None:
    compiled = compile_process(Process.model_validate(B2B), 3)
    move = ("demo_scheduled", "demo_completed")
    expected = Advice(
        process="b2b-saas",
        version=3,
        digest=compiled.digest,
        stage="demo_scheduled",
        goal="won",
        as_of=AS_OF,
        plan=Plan(("demo_completed", "won"), open_requirements=3, effort_minutes=60, lead_time_days=3),
        suggestions=(
            suggestion(
                "do_activity", {"activity": "demo", "outcome": "held", "times": 1}, because=(("demo-held", *move),)
            ),
            suggestion("fill_field", {"field": "next_step"}, because=(("next-step", *move),)),
            suggestion(
                "fill_field",
                {"field": "budget", "learned_in": ["demo"]},
                mandatory=False,
                because=(("budget-known", *move),),
            ),
        ),
    )
    assert expected == suggest(compiled, D17, as_of=AS_OF)
    without_amount = D17.model_copy(update={"fields": {}})
    assert 3 == getattr(suggest(compiled, without_amount, as_of=AS_OF).plan, "open_requirements", None)


def test_one_activity_that_serves_two_requirements_is_suggested_once() -> None:
    compiled = asking(
        {"id": "held", "activity": "demo", "outcome": "held"},
        {"id": "some", "activity": "any"},
        {"id": "recent", "activity": "demo", "within": "7d"},
    )
    expected = (
        suggestion("do_activity", {"activity": "demo", "outcome": "held", "times": 1}, "held", "some", "recent"),
    )
    assert expected == advice(compiled).suggestions


def test_a_step_that_a_later_one_makes_needless_is_left_out() -> None:
    compiled = asking({"id": "some", "activity": "demo"}, {"id": "held", "activity": "demo", "outcome": "held"})
    expected = (suggestion("do_activity", {"activity": "demo", "outcome": "held", "times": 1}, "some", "held"),)
    assert expected == advice(compiled).suggestions
    cheap = asking({"id": "some", "activity": "any"}, {"id": "held", "activity": "demo", "outcome": "held"})
    assert expected == advice(cheap).suggestions


def test_what_takes_longest_to_happen_comes_first_then_the_least_effort_then_file_order() -> None:
    compiled = asking(
        {"id": "note", "field": "note", "is": "present"},
        {"id": "call", "activity": "call"},
        {"id": "yes", "approval": "boss"},
        {"id": "demo", "activity": "demo"},
        {"id": "buyer", "contact": "buyer"},
        {"id": "review", "activity": "review"},
        {"id": "ripe", "stage_age": {"at_least": "20d"}},
    )
    expected = [
        ("do_activity", "review"), ("wait_until", "2026-11-30T09:00:00Z"), ("do_activity", "demo"),
        ("fill_field", "note"), ("request_approval", "boss"), ("name_contact", "buyer"), ("do_activity", "call"),
    ]  # fmt: skip
    assert expected == kinds(advice(compiled))


def test_whom_to_meet_is_named_before_the_meeting() -> None:
    compiled = asking({"id": "met", "activity": "review", "with": "buyer"}, {"id": "demo", "activity": "demo"})
    assert [("name_contact", "buyer"), ("do_activity", "review"), ("do_activity", "demo")] == kinds(advice(compiled))


def test_times_add_up() -> None:
    compiled = asking(
        {"id": "one", "activity": "call", "since": "stage_entry"}, {"id": "three", "activity": "call", "at_least": 3}
    )
    expected = (suggestion("do_activity", {"activity": "call", "times": 3}, "one", "three"),)
    assert expected == advice(compiled).suggestions


def test_what_only_warns_comes_after_and_is_cut_by_the_limit() -> None:
    compiled = asking(
        {"id": "review", "activity": "review", "mode": "warn"},
        {"id": "seen", "activity": "demo", "mode": "observe"},
        {"id": "note", "field": "note", "is": "present"},
        {"id": "name", "field": "name", "is": "present"},
    )
    note = suggestion("fill_field", {"field": "note"}, "note")
    name = suggestion("fill_field", {"field": "name"}, "name")
    review = suggestion("do_activity", {"activity": "review", "times": 1}, "review", mandatory=False)
    assert (note, name, review) == advice(compiled).suggestions
    for limit, expected in ((0, (note, name)), (2, (note, name)), (3, (note, name, review))):
        assert expected == advice(compiled, limit=limit).suggestions


def test_what_later_moves_need_and_can_be_done_now_is_offered_after_that() -> None:
    compiled = process(
        transitions=[
            {"from": "first", "to": "second", "requires": [{"id": "note", "field": "note", "is": "present"}]},
            {
                "from": "second",
                "to": "won",
                "requires": [
                    {"id": "review", "activity": "review"},
                    {"id": "fresh", "activity": "call", "since": "stage_entry"},
                    {"id": "yes", "approval": "boss"},
                    {"id": "buyer", "contact": "buyer"},
                ],
            },
        ]
    )
    given = advice(compiled)
    assert Plan(("second", "won"), 5, 270, 10) == given.plan
    further = {"mandatory": False}
    review = (("review", "second", "won"),)
    buyer = (("buyer", "second", "won"),)
    expected = (
        suggestion("fill_field", {"field": "note"}, "note"),
        suggestion("do_activity", {"activity": "review", "times": 1}, **{**further, "because": review}),
        suggestion("name_contact", {"role": "buyer", "times": 1}, **{**further, "because": buyer}),
    )
    assert expected == given.suggestions


def test_a_booked_activity_is_shown_as_booked() -> None:
    compiled = asking({"id": "met", "activity": "demo", "with": "buyer"})
    contacts = [{"id": "c-1", "role": "buyer"}]
    booked = [
        activity(1, at=after(days=1), status="planned"),
        activity(2, at=after(days=5), status="planned", contacts=["c-1"]),
        activity(3, at=after(days=3), status="planned", contacts=["c-1"]),
        activity(4, at=before(days=3), status="planned", contacts=["c-1"]),
        activity(5, "call", at=after(days=1), status="planned", contacts=["c-1"]),
    ]
    given = advice(compiled, deal(contacts=contacts, activities=booked))
    about = {"activity": "demo", "with": "buyer", "times": 1}
    assert (suggestion("do_activity", about, "met", booked={"id": "a-3", "at": after(days=3)}),) == given.suggestions


@pytest.mark.parametrize(("direction", "booked"), [(None, True), ("inbound", True), ("outbound", False)])
def test_a_booked_activity_in_the_other_direction_is_another_one(direction: str | None, booked: bool) -> None:
    compiled = asking({"id": "asked", "activity": "call", "direction": "inbound"})
    planned = activity(1, "call", at=after(days=1), status="planned", direction=direction)
    given = advice(compiled, deal(activities=[planned]))
    expected = {"id": "a-1", "at": after(days=1)} if booked else None
    about = {"activity": "call", "direction": "inbound", "times": 1}
    assert (suggestion("do_activity", about, "asked", booked=expected),) == given.suggestions


def test_what_has_to_be_planned_is_booked_without_effort() -> None:
    given = advice(asking({"id": "booked", "activity": "demo", "status": "planned"}))
    assert (suggestion("book_activity", {"activity": "demo", "times": 1}, "booked"),) == given.suggestions
    assert Plan(("second", "won"), 1, 0, 3) == given.plan


def test_the_cheapest_alternative_is_taken() -> None:
    asked = {
        "id": "asked",
        "any": [{"activity": "demo"}, {"all": [{"activity": "call"}, {"contact": "buyer"}]}, {"mover": ["boss"]}],
    }
    given = advice(asking(asked))
    assert [("name_contact", "buyer"), ("do_activity", "call")] == kinds(given)
    assert Plan(("second", "won"), 1, 30, 0) == given.plan


def test_a_plan_waits_for_what_must_age_and_does_the_rest_then() -> None:
    compiled = asking(
        {"id": "fresh", "activity": "call", "within": "1d"}, {"id": "ripe", "stage_age": {"at_least": "20d"}}
    )
    called = deal(activities=[activity(1, "call")])
    given = advice(compiled, called)
    wait = suggestion("wait_until", {"until": "2026-11-30T09:00:00Z"}, "ripe", lead_time_days=7)
    assert (wait, suggestion("do_activity", {"activity": "call", "times": 1}, "fresh")) == given.suggestions
    later = deal(activities=[activity(1, "call"), activity(2, "call", at="2026-11-30T09:00:00Z")])
    assert "allowed" == judged(compiled, later, as_of=datetime(2026, 11, 30, 9, tzinfo=UTC)).outcome


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


# the way

STAGES = [
    {"key": "first"},
    {"key": "aside"},
    {"key": "second"},
    {"key": "third"},
    {"key": "won", "kind": "won"},
    {"key": "lost", "kind": "lost"},
]


def road(*edges: tuple[str, str, Parts | None], **parts: Any) -> Any:
    drawn = [
        {"from": source, "to": to, "requires": [] if asked is None else [{"id": f"{source}-{to}", **asked}]}
        for source, to, asked in edges
    ]
    return process(stages=STAGES, path=[], transitions=drawn, **parts)


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
