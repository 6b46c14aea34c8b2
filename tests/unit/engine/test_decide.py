"""The decision as a whole: the example of the documentation, every reason at once, notes, and what was not brought."""

from typing import Any

import pytest

from app.engine import (
    Decision,
    Finding,
    Judged,
    Note,
    Process,
    Snapshot,
    compile_process,
    decide,
    decide_unknown_stage,
    digest_of,
    instant,
)
from tests.builders_engine import AS_OF, BASE, REP, Parts, activity, asking, deal, judged, moment, outcomes, process

B2B: Parts = {
    "process": "b2b-saas",
    "timezone": "Europe/Rome",
    "roles": ["rep", "senior", "sales_manager"],
    "contacts": ["economic_buyer", "champion"],
    "activities": [
        {"key": "demo", "kind": "meeting", "outcomes": ["held", "no_show"], "effort": "60m", "lead_time": "3d"},
        {"key": "security_review", "kind": "document", "effort": "4h", "lead_time": "10d"},
    ],
    "fields": [
        {"key": "amount", "type": "number", "unit": "EUR", "learned_in": ["demo"]},
        {"key": "budget", "type": "choice", "choices": ["unknown", "requested", "approved"], "learned_in": ["demo"]},
        {"key": "personal_data", "type": "boolean"},
        {"key": "next_step", "type": "text", "min_length": 10, "blank": ["n/a", "tbd"]},
        {"key": "lost_reason", "type": "choice", "choices": ["price", "timing", "competitor", "no_decision"]},
    ],
    "stages": [
        {
            "key": "demo_scheduled",
            "enter": [{"id": "demo-booked", "activity": "demo", "status": "planned"}],
            "exit": [{"id": "next-step", "field": "next_step", "is": "present"}],
            "rots_after": "14d",
        },
        {"key": "demo_completed"},
        {"key": "won", "kind": "won"},
        {"key": "lost", "kind": "lost"},
    ],
    "start": ["demo_scheduled"],
    "path": ["demo_scheduled", "demo_completed", "won"],
    "transitions": [
        {
            "from": "demo_scheduled",
            "to": "demo_completed",
            "requires": [
                {
                    "id": "demo-held", "activity": "demo", "outcome": "held", "since": "stage_entry",
                    "say": {"en": "Hold the demo and log it as held", "it": "Svolgi la demo e registrala come svolta"},
                },
                {"id": "budget-known", "field": "budget", "in": ["requested", "approved"], "mode": "warn"},
            ],
        },
        {
            "from": "demo_completed",
            "to": "won",
            "requires": [
                {"id": "amount", "field": "amount", "at_least": 1},
                {"id": "security", "activity": "security_review", "when": {"field": "personal_data", "equals": True}},
                {"id": "boss", "approval": "sales_manager", "when": {"field": "amount", "more_than": 50000}},
            ],
        },
        {"from": "open", "to": "lost", "requires": [{"id": "why-lost", "field": "lost_reason", "is": "present"}]},
    ],
    "policies": {
        "undrawn": "enforce", "skip": "enforce", "back": "warn", "reopen_lost": "new_deal", "first_touch": "call",
    },
}  # fmt: skip
"""The example of the documentation of the process file."""

D17 = deal(
    "demo_scheduled",
    id="D-17",
    stage_history=[{"stage": "demo_scheduled", "entered_at": "2026-11-10T09:00:00Z"}],
    owner="rep-7",
    fields={"amount": 52000, "budget": "unknown"},
    contacts=[{"id": "c-1", "role": "champion"}],
    activities=[
        activity(1, at="2026-11-12T15:00:00Z", outcome="no_show", direction="outbound", contacts=["c-1"], by="rep-7")
    ],
    approvals=[
        {
            "role": "sales_manager", "by": "mgr-2", "from": "demo_scheduled", "to": "demo_completed",
            "at": "2026-11-20T08:00:00Z",
        }
    ],
)  # fmt: skip

NEXT_STEP = Finding(
    "field_missing",
    "block",
    "next-step",
    "exit",
    None,
    {"is": "present"},
    {"value": None},
    ({"kind": "fill_field", "field": "next_step"},),
    {"field": "next_step"},
)
DEMO_HELD = Finding(
    "activity_missing",
    "block",
    "demo-held",
    "transition",
    {"en": "Hold the demo and log it as held", "it": "Svolgi la demo e registrala come svolta"},
    {"activity": "demo", "outcome": "held", "at_least": 1},
    {"count": 0, "ignored": [{"id": "a-1", "because": "outcome"}]},
    ({"kind": "do_activity", "activity": "demo", "outcome": "held", "times": 1},),
    {"since": moment("2026-11-10T09:00:00Z")},
)
BUDGET_KNOWN = Finding(
    "field_mismatch",
    "warn",
    "budget-known",
    "transition",
    None,
    {"in": ["requested", "approved"]},
    {"value": "unknown"},
    ({"kind": "fill_field", "field": "budget", "learned_in": ["demo"]},),
    {"field": "budget"},
)


def test_the_example_of_the_documentation_is_decided_as_it_says() -> None:
    compiled = compile_process(Process.model_validate(B2B), 3)
    expected = Decision(
        outcome="blocked",
        process="b2b-saas",
        version=3,
        digest=compiled.digest,
        from_stage="demo_scheduled",
        to_stage="demo_completed",
        as_of=AS_OF,
        findings=(NEXT_STEP, DEMO_HELD, BUDGET_KNOWN),
    )
    assert expected == decide(compiled, D17, "demo_completed", as_of=AS_OF, actor=REP)


def test_the_example_passes_once_its_ways_out_are_done() -> None:
    compiled = compile_process(Process.model_validate(B2B), 3)
    sent = {**D17.fields, "next_step": "call them on Tuesday"}
    done = deal("demo_scheduled", fields=sent, activities=[activity(2, outcome="held")])
    decision = decide(compiled, done, "demo_completed", as_of=AS_OF, actor=REP)
    assert ("allowed", (BUDGET_KNOWN,)) == (decision.outcome, decision.findings)
    assert (Judged("next-step", "exit"), Judged("demo-held", "transition")) == decision.satisfied


def test_a_when_decides_about_the_approval_of_the_example() -> None:
    compiled = compile_process(Process.model_validate(B2B))
    small = decide(compiled, deal("demo_completed", fields={"amount": 50000}), "won", as_of=AS_OF)
    expected = {"amount": "satisfied", "security": "not_applicable", "boss": "not_applicable"}
    assert ("allowed", expected) == (small.outcome, outcomes(small))
    assert (Judged("security", "transition"), Judged("boss", "transition")) == small.not_applicable
    fields = {"amount": 50000.01, "personal_data": True}
    big = decide(compiled, deal("demo_completed", fields=fields), "won", as_of=AS_OF)
    expected = {"amount": "satisfied", "security": "activity_missing", "boss": "cannot_evaluate"}
    assert ("blocked", expected) == (big.outcome, outcomes(big))


def test_every_reason_is_listed_whatever_its_mode() -> None:
    requirements = [
        {"id": f"{kind}-{mode}", **asked, "mode": mode}
        for mode in ("observe", "warn", "enforce")
        for kind, asked in (("done", {"activity": "demo"}), ("noted", {"field": "note", "is": "present"}))
    ]
    decision = judged(asking(*requirements))
    severities = [(one.requirement, one.severity) for one in decision.findings]
    expected = [
        ("done-observe", "info"), ("noted-observe", "info"), ("done-warn", "warn"), ("noted-warn", "warn"),
        ("done-enforce", "block"), ("noted-enforce", "block"),
    ]  # fmt: skip
    assert expected == severities
    assert "allowed" == judged(asking(*requirements[:4])).outcome


def test_what_the_process_does_not_declare_is_kept_ignored_and_noted() -> None:
    given = deal(
        fields={"colour": "red", "amount": 5, "shape": {"deep": [1]}},
        activities=[activity(1, "lunch"), activity(2), activity(3, "golf"), activity(4, "lunch")],
    )
    decision = judged(asking({"id": "asked", "activity": "any", "at_least": 2}), given)
    expected = (
        Note("undeclared_field", "colour"),
        Note("undeclared_field", "shape"),
        Note("unknown_activity", "lunch"),
        Note("unknown_activity", "golf"),
    )
    assert expected == decision.notes
    assert {"count": 1, "ignored": []} == decision.findings[0].actual
    assert () == judged(process(), deal(fields={"amount": 5}, activities=[activity(1)])).notes


def test_what_nobody_brought_is_named_in_order() -> None:
    decision = judged(process(), missing=frozenset({"fields", "activities"}))
    assert ("activities", "fields") == decision.missing
    assert () == judged(process()).missing


def test_a_stored_deal_in_a_stage_its_version_lacks_is_blocked_visibly() -> None:
    compiled = process()
    stray = deal("gone", fields={"colour": "red"})
    expected = Finding(
        "unknown_stage",
        "block",
        None,
        "transition",
        None,
        {"stage": ["first", "second", "won", "lost"]},
        {"stage": "gone"},
        (),
        {},
    )
    decision = decide_unknown_stage(compiled, stray, "won", as_of=AS_OF, missing=frozenset({"fields"}))
    wanted = Decision(
        "blocked", "test", None, compiled.digest, "gone", "won", AS_OF, (expected,),
        missing=("fields",), notes=(Note("undeclared_field", "colour"),),
    )  # fmt: skip
    assert wanted == decision


def test_an_actor_and_what_is_missing_are_optional() -> None:
    compiled = process()
    decision = decide(compiled, deal(), "second", as_of=AS_OF)
    head = ("test", None, compiled.digest, "first", "second", AS_OF)
    assert Decision("allowed", *head, ()) == decision


DIGESTS: list[tuple[Parts, bool]] = [
    ({"maturity": "walk"}, True),
    ({"start": []}, True),
    ({"policies": {"skip": "enforce"}}, True),
    ({"roles": [{"key": "rep"}, "senior", "boss"]}, True),
    ({"maturity": "run"}, False),
    ({"name": "Another name"}, False),
    ({"roles": ["senior", "rep", "boss"]}, False),
    ({"policies": {"skip": "warn"}}, False),
]


@pytest.mark.parametrize(("parts", "same"), DIGESTS)
def test_the_digest_tells_content_from_spelling(parts: Parts, same: bool) -> None:
    told = digest_of(Process.model_validate(BASE))
    assert same == (told == digest_of(Process.model_validate({**BASE, **parts})))
    assert told.startswith("sha256:")
    assert 71 == len(told)


def test_a_time_is_written_in_utc() -> None:
    assert "2026-11-23T09:00:00Z" == instant(moment("2026-11-23T10:00:00+01:00"))
    assert "2026-11-23T10:00:00.250000Z" == instant(moment("2026-11-23T10:00:00.25+00:00"))


@pytest.mark.parametrize("content", [{"outcome": "held"}, {"at": "2026-11-20T10:00:00Z"}])
def test_one_id_with_two_contents_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="activity `a-1` twice"):
        deal(activities=[activity(1), activity(1, **content)])


def test_a_snapshot_says_no_more_than_it_knows() -> None:
    assert Snapshot(stage="first") == Snapshot.model_validate_json('{"stage": "first", "activities": []}')
