"""The next best activities: whole advice for small processes, and the order in which it comes."""

from datetime import UTC, datetime

import pytest

from app.engine import Advice, Plan, Process, compile_process, suggest
from tests.builders_advice import advice, kinds, suggestion
from tests.builders_engine import AS_OF, activity, after, asking, before, deal, judged, process
from tests.unit.engine.test_decide import B2B, D17


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
