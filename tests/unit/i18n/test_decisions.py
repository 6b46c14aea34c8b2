"""Whole decisions in both languages, as callers read them."""

import json
from datetime import timedelta, timezone
from typing import Any

from app.engine import Decision, decide_unknown_stage
from app.i18n import LOCALES, render_decision
from app.i18n.labels import labels_of
from tests.builders_engine import AS_OF, REP, deal, judged, process
from tests.unit.i18n.sales import CHAMPION, demo, sales, shape

HOLD = {"en": "Hold the demo and log it as held", "it": "Svolgi la demo e registrala come svolta"}
ASKED: list[dict[str, Any]] = [
    {"id": "next-step", "field": "next_step", "is": "present"},
    {"id": "demo-held", "activity": "demo", "outcome": "held", "since": "stage_entry", "say": HOLD},
    {"id": "budget-known", "field": "budget", "in": ["requested", "approved"], "mode": "warn"},
    {"id": "amount", "field": "amount", "at_least": 1},
    {"id": "boss", "approval": "sales_manager", "when": {"field": "personal_data", "equals": True}},
]


def decision(**more: Any) -> Decision:
    snapshot = deal(fields={"amount": 52000, "budget": "unknown"}, activities=[demo("no_show")], contacts=CHAMPION)
    return judged(sales(*ASKED), snapshot, **more)


def findings(*texts: tuple[str, str]) -> list[dict[str, Any]]:
    said = [{"message": message, "detail": detail} for message, detail in texts]
    return [
        {"code": "field_missing", "severity": "block", "requirement": "next-step", "at": "transition", **said[0],
         "expected": {"is": "present"}, "actual": {"value": None},
         "remediation": [{"kind": "fill_field", "field": "next_step"}]},
        {"code": "activity_missing", "severity": "block", "requirement": "demo-held", "at": "transition", **said[1],
         "expected": {"activity": "demo", "outcome": "held", "at_least": 1},
         "actual": {"count": 0, "ignored": [{"id": "a-1", "because": "outcome"}]},
         "remediation": [{"kind": "do_activity", "activity": "demo", "outcome": "held", "times": 1}]},
        {"code": "field_mismatch", "severity": "warn", "requirement": "budget-known", "at": "transition", **said[2],
         "expected": {"in": ["requested", "approved"]}, "actual": {"value": "unknown"},
         "remediation": [{"kind": "fill_field", "field": "budget", "learned_in": ["demo"]}]},
    ]  # fmt: skip


def answer(*texts: tuple[str, str]) -> dict[str, Any]:
    compiled = sales(*ASKED)
    return {
        "outcome": "blocked",
        "process": {"key": "b2b-saas", "version": None, "digest": compiled.digest},
        "from": "first",
        "to": "second",
        "as_of": "2026-11-23T10:00:00Z",
        "findings": findings(*texts),
        "satisfied": [{"requirement": "amount", "at": "transition"}],
        "not_applicable": [{"requirement": "boss", "at": "transition"}],
        "waived": [],
        "facts": {"complete": True, "missing": []},
    }


def test_a_blocked_move_is_explained_in_english() -> None:
    expected = answer(
        ("find out the next step", "the next step is missing"),
        ("Hold the demo and log it as held", "no demo held since 10 November 2026; 1 needed"),
        ("find out the budget", "the budget is “unknown”; “requested” or “approved” needed"),
    )
    actual = render_decision(decision(), sales(*ASKED), "en")
    assert expected == actual
    assert list(expected) == list(actual)
    assert [list(one) for one in expected["findings"]] == [list(one) for one in actual["findings"]]


def test_a_blocked_move_is_explained_in_italian() -> None:
    expected = answer(
        ("scopri il prossimo passo", "manca il prossimo passo"),
        ("Svolgi la demo e registrala come svolta", "nessuna demo svolta dal 10 novembre 2026; ne serve 1"),
        ("scopri il budget", "il budget è «unknown»; serve «requested» o «approved»"),
    )
    assert expected == render_decision(decision(), sales(*ASKED), "it")


def test_the_languages_differ_in_message_and_detail_alone() -> None:
    both = [render_decision(decision(), sales(*ASKED), locale) for locale in ("en", "it")]
    for one in both:
        for finding in one["findings"]:
            del finding["message"], finding["detail"]
    assert both[0] == both[1]


def test_the_decision_id_comes_first_where_there_is_one() -> None:
    rendered = render_decision(decision(), sales(*ASKED), "en", decision_id="0199-1")
    assert next(iter(rendered.items())) == ("decision_id", "0199-1")


def test_times_are_told_in_utc_whatever_their_offset() -> None:
    as_of = AS_OF.astimezone(timezone(timedelta(hours=5))) + timedelta(milliseconds=1)
    assert render_decision(decision(as_of=as_of), sales(*ASKED), "en")["as_of"] == "2026-11-23T10:00:00.001000Z"


def test_what_the_verdict_lacked_and_what_was_ignored_are_told() -> None:
    compiled = sales()
    odd = deal(fields={"colour": "red"}, activities=[{**demo(), "activity": "lunch"}])
    rendered = shape(judged(compiled, odd, missing=frozenset({"contacts", "approvals"})), compiled, "it")
    assert rendered["facts"] == {"complete": False, "missing": ["approvals", "contacts"]}
    assert rendered["notes"] == [
        {"code": "undeclared_field", "key": "colour",
         "message": "il processo non dichiara il campo `colour`; resta registrato ma non conta"},
        {"code": "unknown_activity", "key": "lunch",
         "message": "il processo non dichiara l'attività `lunch`; resta registrata ma non conta"},
    ]  # fmt: skip


def test_nested_results_are_told_one_by_one() -> None:
    either = {"id": "either", "any": [{"field": "amount", "at_least": 1000}, {"id": "named", "contact": "champion"}]}
    compiled = sales(either)
    finding = shape(judged(compiled, deal(fields={"amount": 500})), compiled, "en")["findings"][0]
    assert finding["nested"] == [
        {"requirement": None, "holds": False, "code": "field_mismatch",
         "detail": "the amount is 500 EUR; at least 1,000 EUR needed",
         "expected": {"field": "amount", "at_least": 1000}, "actual": {"value": 500},
         "remediation": [{"kind": "fill_field", "field": "amount"}]},
        {"requirement": "named", "holds": False, "code": "contact_missing", "detail": "no champion named; 1 needed",
         "expected": {"contact": "champion", "at_least": 1}, "actual": {"count": 0},
         "remediation": [{"kind": "name_contact", "role": "champion", "times": 1}]},
    ]  # fmt: skip


def test_a_nested_result_that_holds_has_no_detail_and_deeper_ones_are_kept() -> None:
    part = {"all": [{"contact": "champion"}, {"any": [{"field": "amount", "at_least": 1}]}]}
    compiled = sales({"id": "both", **part})
    nested = shape(judged(compiled, deal(contacts=CHAMPION)), compiled, "en")["findings"][0]["nested"]
    assert [(one["holds"], one["detail"]) for one in nested] == [
        (True, None),
        (False, "none of the alternatives holds: the amount is missing, at least 1 EUR needed"),
    ]
    assert [one["code"] for one in nested[1]["nested"]] == ["field_missing"]


def test_a_stored_deal_in_a_stage_the_process_lacks_is_explained() -> None:
    compiled = sales()
    verdict = decide_unknown_stage(compiled, deal("third"), "second", as_of=AS_OF)._replace(version=3)
    said = [shape(verdict, compiled, locale)["findings"][0] for locale in LOCALES]
    assert [one["message"] for one in said] == [
        "the deal is in a stage the process does not have",
        "la trattativa è in una fase che il processo non ha",
    ]
    assert said[0]["detail"] == (
        "the deal is in the stage `third`, which the process in version 3 does not have; "
        "its stages are `first`, `second`, `won`, `lost`"
    )
    assert said[1]["detail"] == (
        "la trattativa è nella fase `third`, che il processo nella versione 3 non ha; "
        "le sue fasi sono `first`, `second`, `won`, `lost`"
    )


def test_what_a_process_does_not_name_is_told_by_its_key() -> None:
    bare = process(process="bare", roles=[], contacts=[], activities=[], fields=[])
    verdict = judged(
        sales({"id": "a", "field": "close_date", "before": "2026-01-01"}, {"id": "b", "activity": "follow_up"}),
        deal(fields={"close_date": "2026-11-10"}),
    )
    assert [(one["message"], one["detail"]) for one in shape(verdict, bare, "it")["findings"]] == [
        ("scopri la close date", "la close date è «2026-11-10»; serve una data prima del 1º gennaio 2026"),
        ("svolgi il follow up", "nessun follow up svolto; ne serve 1"),
    ]


def test_a_decision_is_json() -> None:
    rendered = render_decision(decision(actor=REP), sales(*ASKED), "it")
    assert rendered == json.loads(json.dumps(rendered))


def test_labels_are_made_once_for_a_version_and_kept_within_bounds() -> None:
    assert labels_of(sales(*ASKED), "it") is labels_of(sales(*ASKED), "it")
    for number in range(300):
        labels_of(sales(name=f"Sales {number}"), "en")
    assert labels_of(sales(*ASKED), "it") is labels_of(sales(*ASKED), "it")
