"""`data_quality`: structured beats text beats nothing, scored by one formula, asked as a requirement."""

from typing import Any

import pytest

from app.engine import DataQuality, FieldQuality, data_quality, suggest
from tests.builders_engine import AS_OF, Parts, asking, blocking, deal, finding, judged, process
from tests.builders_file import asks, problems

THREE = ["amount", "note", "budget"]
NOTHING: dict[str, float] = {"amount": 0.0, "note": 0.0, "budget": 0.0}
AMOUNT: Parts = {"kind": "fill_field", "field": "amount", "learned_in": ["demo"]}
NOTE: Parts = {"kind": "fill_field", "field": "note"}
BUDGET: Parts = {"kind": "fill_field", "field": "budget"}


def bar(at_least: float, *fields: str) -> Parts:
    return {"id": "asked", "data_quality": {"at_least": at_least, "fields": list(fields or THREE)}}


def told(at_least: float, *fields: str) -> Parts:
    return {"data_quality": bar(at_least, *fields)["data_quality"]}


VALUES = [
    ("amount", 5, 1.0, "structured"),
    ("amount", 0.5, 1.0, "structured"),
    ("amount", "5", 0.0, "invalid"),
    ("amount", None, 0.0, "missing"),
    ("amount", " ", 0.0, "blank"),
    ("personal", False, 1.0, "structured"),
    ("personal", "yes", 0.0, "invalid"),
    ("close", "2026-12-01", 1.0, "structured"),
    ("close", "2026-12-01T23:30:00Z", 1.0, "structured"),
    ("close", "soon", 0.0, "invalid"),
    ("budget", "approved", 1.0, "structured"),
    ("budget", "maybe", 0.0, "invalid"),
    ("budget", "-", 0.0, "blank"),
    ("note", "long enough", 0.5, "text"),
    ("note", "too short", 0.0, "blank"),
    ("note", "TBD", 0.0, "blank"),
    ("note", 5, 0.0, "invalid"),
    ("name", "x", 0.5, "text"),
]


@pytest.mark.parametrize(("key", "value", "score", "state"), VALUES)
def test_a_field_scores_by_what_it_holds(key: str, value: Any, score: float, state: Any) -> None:
    quality = data_quality(process(), deal(fields={key: value}), AS_OF)
    assert FieldQuality(key, score, state) == next(one for one in quality.fields if one.field == key)


def test_a_deal_scores_the_mean_over_all_declared_fields() -> None:
    found = data_quality(process(), deal(fields={"amount": 1, "name": "Ada", "colour": "red"}), AS_OF)
    assert (round(1.5 / 7, 6), 7) == (round(found.score, 6), len(found.fields))
    assert DataQuality(1.0, ()) == data_quality(process(fields=[]), deal(), AS_OF)


def test_the_bar_counts_itself() -> None:
    assert None is finding(asking(bar(0.5, "amount", "budget")), deal(fields={"amount": 1}))
    assert None is not finding(asking(bar(0.51, "amount", "budget")), deal(fields={"amount": 1}))


def test_the_way_out_fills_what_loses_most_and_no_more_than_is_needed() -> None:
    def low(at_least: float, actual: Parts, *steps: Parts) -> Any:
        return blocking("data_quality_low", told(at_least), actual, *steps)

    assert low(0.3, {"score": 0.0, "fields": NOTHING}, AMOUNT) == finding(asking(bar(0.3)))
    assert low(0.6, {"score": 0.0, "fields": NOTHING}, AMOUNT, BUDGET) == finding(asking(bar(0.6)))
    assert low(0.8, {"score": 0.0, "fields": NOTHING}, AMOUNT, BUDGET, NOTE) == finding(asking(bar(0.8)))
    some = {"score": 0.3333, "fields": {**NOTHING, "amount": 1.0}}
    assert low(0.6, some, BUDGET) == finding(asking(bar(0.6)), deal(fields={"amount": 5}))


def test_nothing_helps_where_the_bar_is_out_of_reach() -> None:
    expected, actual = told(0.6, "note", "name"), {"score": 0.25, "fields": {"note": 0.0, "name": 0.5}}
    assert blocking("data_quality_low", expected, actual) == finding(
        asking(bar(0.6, "note", "name")), deal(fields={"name": "Ada"})
    )
    filled = deal(fields={"note": "long enough", "name": "Ada"})
    found = finding(asking(bar(0.6, "note", "name")), filled)
    assert found is not None
    assert () == found.remediation


def test_all_fields_are_asked_where_none_is_named_and_each_once() -> None:
    everything = asking({"id": "asked", "data_quality": {"at_least": 0.1}})
    found = finding(everything)
    assert found is not None
    assert ({"data_quality": {"at_least": 0.1}}, 7) == (found.expected, len(found.actual["fields"]))
    assert None is finding(asking({"id": "asked", "data_quality": {"at_least": 1}}, fields=[]))
    twice = finding(asking(bar(1, "amount", "amount")))
    assert twice is not None
    assert {"score": 0.0, "fields": {"amount": 0.0}} == twice.actual


def test_what_nobody_brought_makes_it_unknown_unless_the_rest_is_enough() -> None:
    lacking = frozenset({"fields"})
    some = deal(fields={"amount": 5, "budget": "approved"})
    assert None is finding(asking(bar(0.6)), some, missing=lacking)
    actual = {"score": 0.6667, "fields": {"amount": 1.0, "note": 0.0, "budget": 1.0}, "because": "facts_missing"}
    assert blocking("cannot_evaluate", told(0.8), actual) == finding(asking(bar(0.8)), some, missing=lacking)
    known = deal(fields={"amount": 5, "budget": None, "note": None})
    assert "data_quality_low" == getattr(finding(asking(bar(0.8)), known, missing=lacking), "code", None)


def test_its_opposite_tells_nobody_to_erase_what_is_known() -> None:
    asked = {"id": "asked", "not": told(0.5, "amount")}
    expected = {"not": told(0.5, "amount")}
    actual = {"score": 1.0, "fields": {"amount": 1.0}}
    assert blocking("must_not_hold", expected, actual) == finding(asking(asked), deal(fields={"amount": 1}))
    assert None is finding(asking(asked))


def test_suggestions_fill_what_other_requirements_do_not_fill_already() -> None:
    compiled = asking(
        bar(0.6), {"id": "note", "field": "note", "is": "present"}, {"id": "b", "field": "budget", "is": "present"}
    )
    advice = suggest(compiled, deal(), as_of=AS_OF, limit=0)
    assert ["note", "budget", "amount"] == [one.subject["field"] for one in advice.suggestions]
    both = asking(bar(0.5, "note", "budget"), {"id": "b", "field": "budget", "is": "present"})
    assert ["budget"] == [one.subject["field"] for one in suggest(both, deal(), as_of=AS_OF, limit=0).suggestions]


def test_a_blank_choice_is_never_what_a_plan_counts_on() -> None:
    fields = [{"key": "budget", "type": "choice", "choices": ["tbd", "known"], "blank": ["tbd"]}]
    compiled = asking(bar(1, "budget"), fields=fields)
    advice = suggest(compiled, deal(), as_of=AS_OF, limit=0)
    assert (True, ["budget"]) == (advice.plan is not None, [one.subject["field"] for one in advice.suggestions])


def test_it_serves_as_a_when() -> None:
    asked = {"id": "asked", "contact": "buyer", "when": {"data_quality": {"at_least": 0.5, "fields": ["amount"]}}}
    assert ("allowed", "blocked") == (
        judged(asking(asked)).outcome, judged(asking(asked), deal(fields={"amount": 1})).outcome
    )  # fmt: skip


R = "transitions[1].requires[0]"
REFUSED = [
    ({"at_least": 0.5, "fields": ["amout"]}, ("unknown_name", f"{R}.data_quality.fields[0]")),
    ({"at_least": 1.5}, ("out_of_range", f"{R}.data_quality.at_least")),
    ({"at_least": -1}, ("out_of_range", f"{R}.data_quality.at_least")),
    ({"at_least": "most"}, ("wrong_type", f"{R}.data_quality.at_least")),
    ({"fields": ["amount"]}, ("missing_key", f"{R}.data_quality")),
    ({"at_least": 0.5, "fields": []}, ("too_short", f"{R}.data_quality.fields")),
    ({"at_least": 0.5, "field": "amount"}, ("unknown_key", f"{R}.data_quality.field")),
]


@pytest.mark.parametrize(("said", "refused"), REFUSED)
def test_what_does_not_fit_is_refused_at_its_place(said: Parts, refused: tuple[str, str]) -> None:
    assert refused in [(code, path) for code, path, _ in problems(**asks({"data_quality": said}))]


TEXTS: list[Parts] = [{"key": "amount", "type": "number"}, {"key": "a", "type": "text"}, {"key": "b", "type": "text"}]


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ([{"data_quality": {"at_least": 0.8, "fields": ["a", "b"]}}], ["never_holds"]),
        ([{"data_quality": {"at_least": 0.5, "fields": ["a", "b"]}}], []),
        ([{"data_quality": {"at_least": 0.7}}], ["never_holds"]),
        ([{"data_quality": {"at_least": 0.6}}], []),
        ([{"not": {"data_quality": {"at_least": 0}}}], ["never_holds"]),
        ([{"data_quality": {"at_least": 0.5}}, {"not": {"data_quality": {"at_least": 0.4}}}], ["not_of_demanded"]),
        ([{"data_quality": {"at_least": 0.4}}, {"not": {"data_quality": {"at_least": 0.5}}}], []),
    ],
)
def test_the_checker_finds_a_bar_that_can_never_be_reached(asked: list[Parts], codes: list[str]) -> None:
    found = [code for code, path, _ in problems(fields=TEXTS, **asks(*asked)) if path.startswith("transitions[1]")]
    assert codes == found
