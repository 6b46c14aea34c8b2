"""House rules: whether a lost deal comes back, and whether a deal is called or written to first."""

from typing import Any

import pytest

from app.engine import Decision, Finding, suggest
from tests.builders_engine import AS_OF, Parts, activity, after, before, deal, judged, process

LOST = [
    {"key": "first"},
    {"key": "second", "enter": [{"id": "buyer", "contact": "buyer"}]},
    {"key": "won", "kind": "won"},
    {"key": "lost", "kind": "lost"},
    {"key": "gone", "kind": "lost"},
]
BACK = [{"from": "lost", "to": "second", "requires": [{"id": "boss", "mover": ["boss"]}]}]
WITHIN: Parts = {"reopen_lost": {"reopen_within": "30d"}}
LATE = deal("lost", id="D-1", stage_entered_at=before(days=30, seconds=1).isoformat())
IN_TIME = deal("lost", id="D-1", stage_entered_at=before(days=30).isoformat())
NEW_DEAL: Parts = {"kind": "new_deal", "linked_to": "D-1"}
UNTIL = "2026-11-23T10:00:00Z"


def codes(decision: Decision) -> list[str]:
    return [one.requirement or one.code for one in decision.findings]


def rule(code: str, expected: Parts, actual: Parts, *remediation: Parts, **params: Any) -> Finding:
    return Finding(code, "block", None, "transition", None, expected, actual, remediation, params)


@pytest.mark.parametrize("to", ["first", "second", "won"])
def test_a_lost_deal_is_never_taken_up_where_a_new_one_is_made_drawn_or_not(to: str) -> None:
    compiled = process(stages=LOST, policies={"reopen_lost": "new_deal"})
    found = rule("reopen_not_allowed", {"reopen_lost": "new_deal"}, {"from": "lost", "to": to}, NEW_DEAL)
    assert found == judged(compiled, IN_TIME, to).findings[0]
    drawn = process(stages=LOST, transitions=BACK, policies={"reopen_lost": "new_deal"})
    assert ["reopen_not_allowed", "boss", "buyer"] == codes(judged(drawn, IN_TIME, "second"))


def test_from_one_lost_stage_to_another_no_deal_is_taken_up() -> None:
    for policies in ({"reopen_lost": "new_deal"}, WITHIN, {}):
        assert ["no_transition"] == codes(judged(process(stages=LOST, policies=policies), IN_TIME, "gone"))


def lost_from(stage: str, *more: tuple[str, int], days: int = 30, now: str = "lost") -> Any:
    """A deal that went from a stage to lost, and on from there; the last entry is so many days old."""
    way = [("first", 90), (stage, 60), *more] if stage != "first" else [("first", 90), *more]
    history = [{"stage": key, "entered_at": before(days=ago).isoformat()} for key, ago in way]
    return deal(now, id="D-1", stage_entered_at=before(days=days).isoformat(), stage_history=history)


def test_within_its_time_a_lost_deal_may_go_back_to_where_it_was_lost_or_before() -> None:
    compiled = process(stages=LOST, policies=WITHIN)
    assert "allowed" == judged(compiled, IN_TIME, "first").outcome
    assert ["buyer"] == codes(judged(compiled, lost_from("second"), "second"))
    assert "allowed" == judged(compiled, lost_from("second"), "first").outcome
    assert ["no_transition"] == codes(judged(compiled, IN_TIME, "won"))
    drawn = process(stages=LOST, transitions=BACK, policies=WITHIN)
    assert ["boss", "buyer"] == codes(judged(drawn, IN_TIME, "second"))
    assert "allowed" == judged(drawn, IN_TIME, "first").outcome


LONG = [{"key": "first"}, {"key": "second"}, {"key": "third"}, {"key": "won", "kind": "won"}, *LOST[3:]]
PATH = ["first", "second", "third", "won"]


def test_taken_up_further_on_than_it_was_lost_it_passes_what_the_process_draws() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    reopen = {"kind": "take_drawn_move", "to": ["first"], "until": "2026-11-23T10:00:00Z"}
    ways: Parts = {"one_of": [reopen, NEW_DEAL]}
    further = rule("skips_stage", {"to": ["first"]}, {"to": "third", "lost_from": "first"}, ways)
    assert (further,) == judged(compiled, lost_from("first"), "third").findings
    assert ["no_transition"] == codes(judged(compiled, lost_from("first"), "second"))
    assert () == judged(compiled, lost_from("second"), "second").findings
    mild = process(stages=LONG, path=PATH, policies={**WITHIN, "skip": "warn"})
    assert ("allowed", ["skips_stage"]) == (
        judged(mild, lost_from("first"), "third").outcome,
        codes(judged(mild, lost_from("first"), "third")),
    )


def test_where_it_was_lost_from_is_seen_to_be_unknown_and_blocks_nobody() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    decision = judged(compiled, IN_TIME, "third")
    actual = {"lost_from": None, "because": "lost_from_unknown"}
    unknown = rule("cannot_evaluate", WITHIN, actual)._replace(severity="warn")
    assert ("allowed", (unknown,)) == (decision.outcome, decision.findings)
    elsewhere = deal(
        "lost",
        id="D-1",
        stage_entered_at=before(days=3).isoformat(),
        stage_history=[{"stage": "renamed", "entered_at": before(days=9).isoformat()}],
    )
    assert ["cannot_evaluate"] == codes(judged(compiled, elsewhere, "third"))
    assert [] == codes(judged(compiled, elsewhere, "first"))


def test_a_won_deal_that_was_lost_had_come_all_the_way() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    assert () == judged(compiled, lost_from("won"), "third").findings


def test_passing_from_one_lost_stage_to_another_neither_restarts_nor_forgets() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    moved_on = lost_from("first", ("lost", 31), days=1, now="gone")
    [late] = judged(compiled, moved_on, "first").findings
    assert ("reopen_too_late", "2026-10-23T10:00:00Z") == (late.code, late.actual["since"])
    again = lost_from("first", ("lost", 50), ("second", 40), ("lost", 20), days=1, now="gone")
    assert () == judged(compiled, again, "second").findings
    assert ["no_transition"] == codes(judged(compiled, again, "third"))


def test_of_a_history_with_gaps_only_what_is_certain_is_said() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    gaps = frozenset({"stage_history"})
    [unknown] = judged(compiled, IN_TIME, "first", missing=gaps).findings
    assert ("cannot_evaluate", "stage_history_missing") == (unknown.code, unknown.actual["because"])
    assert ["reopen_too_late"] == codes(judged(compiled, LATE, "first", missing=gaps))
    assert () == judged(compiled, lost_from("first"), "first", missing=gaps).findings


def test_after_its_time_a_new_deal_is_made() -> None:
    compiled = process(stages=LOST, policies=WITHIN)
    lost = before(days=30, seconds=1)
    actual = {"since": "2026-10-24T09:59:59Z", "age_minutes": 43200}
    expected, until = {"reopen_lost": {"reopen_within": "30d"}}, lost + (AS_OF - before(days=30))
    late = rule("reopen_too_late", expected, actual, NEW_DEAL, until=until)
    assert (late,) == judged(compiled, LATE, "first").findings
    assert (late,) == judged(compiled, LATE, "won").findings
    assert ["reopen_too_late", "boss", "buyer"] == codes(
        judged(process(stages=LOST, transitions=BACK, policies=WITHIN), LATE, "second")
    )


def test_no_drawn_move_is_named_as_a_way_out_that_the_rule_forbids() -> None:
    compiled = process(stages=LOST, transitions=BACK, policies=WITHIN)
    drawn = [{"one_of": [{"kind": "take_drawn_move", "to": ["second"], "until": UNTIL}, NEW_DEAL]}]
    for snapshot, to, steps in ((IN_TIME, ["second"], drawn), (LATE, [], [NEW_DEAL])):
        [found] = judged(compiled, snapshot, "gone").findings
        assert ("no_transition", {"to": to}, steps) == (found.code, found.expected, list(found.remediation))
    never = process(stages=LOST, transitions=BACK, policies={"reopen_lost": "new_deal"})
    [found] = judged(never, IN_TIME, "gone").findings
    assert ({"to": []}, (NEW_DEAL,)) == (found.expected, found.remediation)


def test_moves_among_lost_stages_are_no_way_to_take_a_deal_up() -> None:
    compiled = process(stages=LOST, transitions=[{"from": "lost", "to": "gone"}], policies=WITHIN)
    [found] = judged(compiled, lost_from("first"), "won").findings
    reopen = {"kind": "take_drawn_move", "to": ["first"], "until": UNTIL}
    assert ({"to": ["first", "gone"]}, ({"one_of": [reopen, NEW_DEAL]},)) == (found.expected, found.remediation)


def test_only_moves_that_the_rule_allows_are_told_as_possible() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    for stage, to in (("first", ["first"]), ("second", ["first", "second"]), ("third", ["first", "second", "third"])):
        [found] = judged(compiled, lost_from(stage), "won").findings
        reopen = {"kind": "take_drawn_move", "to": to, "until": UNTIL}
        assert ({"to": to}, ({"one_of": [reopen, NEW_DEAL]},)) == (found.expected, found.remediation)


def test_when_a_deal_was_lost_must_be_known() -> None:
    unknown = deal("lost", stage_entered_at=None)
    actual = {"since": None, "age_minutes": None, "because": "stage_entry_unknown"}
    expected = {"reopen_lost": {"reopen_within": "30d"}}
    found = judged(process(stages=LOST, policies=WITHIN), unknown, "first").findings
    assert (rule("cannot_evaluate", expected, actual),) == found


def test_suggestions_for_a_lost_deal_follow_the_rule() -> None:
    def advice(policies: Parts, snapshot: Any, goal: str = "second", **parts: Any) -> Any:
        found = suggest(process(stages=LOST, policies=policies, **parts), snapshot, as_of=AS_OF, goal=goal)
        return (found.plan and list(found.plan.stages), [one.code for one in found.blocked_by])

    assert (["first", "second"], []) == advice(WITHIN, IN_TIME)
    assert (None, ["reopen_too_late"]) == advice(WITHIN, LATE)
    assert (None, ["reopen_not_allowed"]) == advice({"reopen_lost": "new_deal"}, IN_TIME)
    assert (None, ["no_transition"]) == advice({}, IN_TIME)
    assert (None, ["no_transition"]) == advice(WITHIN, IN_TIME, "first", transitions=BACK)


def test_no_plan_takes_a_deal_up_further_on_than_it_was_lost() -> None:
    compiled = process(stages=LONG, path=PATH, policies=WITHIN)
    plan = suggest(compiled, lost_from("first"), as_of=AS_OF, goal="third").plan
    assert plan is not None
    assert ("first", "second", "third") == plan.stages


ACTIVITIES = [
    {"key": "demo", "kind": "meeting"},
    {"key": "call", "kind": "call"},
    {"key": "mail", "kind": "email"},
]
ASKS_DEMO = [{"from": "first", "to": "second", "requires": [{"id": "demo", "activity": "demo"}]}]


def ruled(wanted: str = "call", **parts: Any) -> Any:
    return process(activities=ACTIVITIES, policies={"first_touch": wanted}, **parts)


def mail(number: int = 1, **more: Any) -> Parts:
    return activity(number, "mail", **{"at": before(days=2), **more})


def test_a_first_contact_of_the_wrong_kind_is_found_and_blocks_nothing() -> None:
    decision = judged(ruled(), deal(activities=[mail(), activity(2, "call")]))
    first = {"id": "a-1", "activity": "mail", "kind": "email", "at": "2026-11-21T10:00:00Z"}
    broken = Finding(
        "first_touch_broken", "warn", None, "transition", None, {"first_touch": "call"}, {"first": first}, (), {}
    )
    assert ("allowed", (broken,)) == (decision.outcome, decision.findings)
    assert () == judged(ruled("email"), deal(activities=[mail(), activity(2, "call")])).findings


KEPT: list[Parts] = [
    {"activities": []},
    {"activities": [mail(direction="inbound")]},
    {"activities": [mail(status="planned", at=after(days=1))]},
    {"activities": [mail(at=after(days=1))]},
    {"activities": [activity(1, "demo", before(days=9)), activity(2, "call", before(days=3)), mail(3)]},
    {"activities": [mail(1, at=before(days=3)), activity(2, "call", before(days=3))]},
    {"activities": [activity(1, "lunch", before(days=9)), activity(2, "call")]},
]


@pytest.mark.parametrize("facts", KEPT)
def test_what_keeps_the_rule_is_no_finding(facts: Parts) -> None:
    assert () == judged(ruled(), deal(**facts)).findings


def test_the_rule_looks_at_moves_out_of_where_deals_begin_only() -> None:
    sent: Parts = {"activities": [mail()]}
    assert () == judged(ruled(), deal("second", **sent), "won").findings
    stay = ruled(transitions=[{"from": "first", "to": "first"}])
    assert () == judged(stay, deal(**sent), "first").findings
    assert ["first_touch_broken"] == codes(judged(ruled(start=["first", "second"]), deal("second", **sent), "won"))
    assert () == judged(ruled(), deal(**sent), missing=frozenset({"activities"})).findings


def proposed(compiled: Any, snapshot: Any = None, **more: Any) -> list[tuple[str, bool]]:
    found = suggest(compiled, snapshot or deal(), as_of=AS_OF, **more).suggestions
    return [(one.subject["activity"], one.mandatory) for one in found]


def test_before_any_contact_the_right_kind_is_proposed() -> None:
    found = suggest(ruled(), deal(), as_of=AS_OF).suggestions
    assert [("do_activity", {"activity": "call", "times": 1}, False, (("first_touch", "first", "second"),))] == [
        (one.kind, one.subject, one.mandatory, one.because) for one in found
    ]
    assert [("demo", True), ("call", False)] == proposed(ruled(transitions=ASKS_DEMO))
    assert [("demo", True)] == proposed(ruled(transitions=ASKS_DEMO), limit=1)
    assert [] == proposed(ruled(), deal(activities=[mail()]))
    assert [] == proposed(ruled(), deal("second"))
    assert [] == proposed(ruled(), missing=frozenset({"activities"}))
    only_mail = process(activities=ACTIVITIES[2:], policies={"first_touch": "call"})
    assert [] == proposed(only_mail)


def test_a_contact_that_is_asked_for_anyway_comes_first_and_once() -> None:
    def edge(*asked: Parts) -> list[Parts]:
        return [{"from": "first", "to": "second", "requires": list(asked)}]

    demo, call = {"id": "demo", "activity": "demo"}, {"id": "call", "activity": "call"}
    assert [("call", True), ("demo", True)] == proposed(ruled(transitions=edge(demo, call)))
    advised = {**call, "mode": "warn"}
    assert [("demo", True), ("call", False)] == proposed(ruled(transitions=edge(demo, advised)))
    inbound = {**call, "direction": "inbound"}
    assert [("call", True), ("call", False)] == proposed(ruled(transitions=edge(inbound)))
