"""The `field` requirement: when a value is absent, how it compares, and what cannot be told."""

from typing import Any

import pytest

from app.engine import Finding, Snapshot
from tests.builders_engine import Parts, asking, blocking, deal, finding, moment


def asked(field: str, **comparison: Any) -> Parts:
    return {"id": "asked", "field": field, **comparison}


def fill(field: str, **more: Any) -> Parts:
    learned = {"learned_in": ["demo"]} if field == "amount" and "is" not in more else {}
    return {"kind": "fill_field", "field": field, **more, **learned}


def wrong(code: str, field: str, expected: Parts, value: Any, *remediation: Parts, **actual: Any) -> Finding:
    return blocking(code, expected, {"value": value, **actual}, *remediation, params={"field": field})


ABSENT: list[tuple[str, Any]] = [
    *[(field, None) for field in ("amount", "note", "personal", "close", "budget")],
    *[(field, "") for field in ("amount", "note", "personal", "close", "budget")],
    *[(field, " \t\n") for field in ("amount", "note", "name", "budget")],
    ("note", "n/a"),
    ("note", "tbd"),
    ("note", " TBD "),
    ("budget", "-"),
]


@pytest.mark.parametrize(("field", "value"), ABSENT)
def test_null_blank_and_blank_words_are_absent(field: str, value: Any) -> None:
    given = deal(fields={field: value})
    missing = wrong("field_missing", field, {"is": "present"}, value, fill(field))
    assert missing == finding(asking(asked(field, **{"is": "present"})), given)
    assert None is finding(asking(asked(field, **{"is": "absent"})), given)


def test_a_field_that_was_not_sent_is_absent() -> None:
    assert wrong("field_missing", "note", {"is": "present"}, None, fill("note")) == finding(
        asking(asked("note", **{"is": "present"}))
    )
    assert None is finding(asking(asked("note", **{"is": "absent"})))


@pytest.mark.parametrize(
    ("field", "value"), [("amount", 0), ("personal", False), ("name", "n/a"), ("budget", "unknown"), ("name", "0")]
)
def test_zero_false_and_words_of_other_fields_are_present(field: str, value: Any) -> None:
    given = deal(fields={field: value})
    assert None is finding(asking(asked(field, **{"is": "present"})), given)
    present = wrong("field_present", field, {"is": "absent"}, value, fill(field, **{"is": "absent"}))
    assert present == finding(asking(asked(field, **{"is": "absent"})), given)


ON_ABSENT: list[tuple[str, Parts]] = [
    ("amount", {"equals": 0}),
    ("amount", {"not_equals": 5}),
    ("budget", {"in": ["unknown"]}),
    ("budget", {"not_in": ["unknown"]}),
    ("amount", {"at_least": -1}),
    ("amount", {"at_most": 1}),
    ("amount", {"more_than": -1}),
    ("amount", {"less_than": 1}),
    ("close", {"before": "today"}),
    ("close", {"after": "today"}),
]


@pytest.mark.parametrize(("field", "comparison"), ON_ABSENT)
def test_no_comparison_holds_on_an_absent_field(field: str, comparison: Parts) -> None:
    expected = wrong("field_missing", field, comparison, None, fill(field))
    assert expected == finding(asking(asked(field, **comparison)))


COMPARED: list[tuple[str, Parts, list[Any], list[Any]]] = [
    ("amount", {"equals": 5}, [5, 5.0], [4, 6, 5.000001]),
    ("amount", {"not_equals": 5}, [4, 0], [5, 5.0]),
    ("amount", {"in": [1, 2.5]}, [1, 1.0, 2.5], [2]),
    ("amount", {"not_in": [1, 2.5]}, [2], [1, 2.5]),
    ("amount", {"at_least": 1}, [1, 1.0, 2], [0.999, -1]),
    ("amount", {"at_most": 1}, [1, 0, -(10**30)], [1.001, 2]),
    ("amount", {"more_than": 1}, [1.001, 10**400], [1, 1.0, 0]),
    ("amount", {"less_than": 1}, [0.999, -(10**400)], [1, 2]),
    ("name", {"equals": "Acme"}, ["Acme"], ["acme", "Acme ", "ACME"]),
    ("name", {"not_equals": "Acme"}, ["acme"], ["Acme"]),
    ("name", {"in": ["a", "b"]}, ["a"], ["A", "ab"]),
    ("name", {"not_in": ["a", "b"]}, ["ab"], ["b"]),
    ("personal", {"equals": True}, [True], [False]),
    ("personal", {"not_equals": True}, [False], [True]),
    ("budget", {"equals": "approved"}, ["approved"], ["requested"]),
    ("budget", {"in": ["requested", "approved"]}, ["approved", "requested"], ["unknown"]),
    ("budget", {"not_in": ["unknown"]}, ["approved"], ["unknown"]),
    ("close", {"before": "2026-12-01"}, ["2026-11-30", "0001-01-01"], ["2026-12-01", "2026-12-02", "9999-12-31"]),
    ("close", {"after": "2026-12-01"}, ["2026-12-02"], ["2026-12-01", "2026-11-30"]),
    ("close", {"before": "today"}, ["2026-11-22"], ["2026-11-23", "2026-11-24"]),
    ("close", {"after": "today"}, ["2026-11-24"], ["2026-11-23"]),
    ("close", {"after": "+7d"}, ["2026-12-01"], ["2026-11-30"]),
    ("close", {"before": "+1w"}, ["2026-11-29"], ["2026-11-30"]),
    ("close", {"after": "-30d"}, ["2026-10-25"], ["2026-10-24"]),
    ("close", {"equals": "today"}, ["2026-11-23"], ["2026-11-24"]),
    ("close", {"in": ["today", "2026-01-01"]}, ["2026-01-01", "2026-11-23"], ["2026-01-02"]),
    ("close", {"not_in": ["today", "+1d"]}, ["2026-11-25"], ["2026-11-23", "2026-11-24"]),
]
HOLDS = [(field, comparison, value) for field, comparison, good, _ in COMPARED for value in good]
FAILS = [(field, comparison, value) for field, comparison, _, bad in COMPARED for value in bad]


@pytest.mark.parametrize(("field", "comparison", "value"), HOLDS)
def test_a_comparison_holds_on_its_side_of_the_boundary(field: str, comparison: Parts, value: Any) -> None:
    assert None is finding(asking(asked(field, **comparison)), deal(fields={field: value}))
    opposite = finding(asking({"id": "asked", "not": asked(field, **comparison)}), deal(fields={field: value}))
    assert opposite is not None
    assert ("must_not_hold", {"value": value}, (fill(field),)) == (opposite.code, opposite.actual, opposite.remediation)


@pytest.mark.parametrize(("field", "comparison", "value"), FAILS)
def test_a_comparison_fails_beyond_the_boundary(field: str, comparison: Parts, value: Any) -> None:
    found = finding(asking(asked(field, **comparison)), deal(fields={field: value}))
    assert wrong("field_mismatch", field, comparison, value, fill(field)) == found
    assert None is finding(asking({"id": "asked", "not": asked(field, **comparison)}), deal(fields={field: value}))


UNREADABLE: list[tuple[str, Parts, Any, str]] = [
    *[("amount", {"at_least": 1}, value, "wrong_type") for value in ("5", True, [5], {"n": 5}, "five")],
    *[("name", {"equals": "5"}, value, "wrong_type") for value in (5, False, ["5"], {"n": 5})],
    *[("personal", {"equals": True}, value, "wrong_type") for value in (1, "true", 0)],
    *[
        ("close", {"after": "today"}, value, "wrong_type")
        for value in (20261201, "tomorrow", "2026-02-30", "01/12/2026")
    ],
    *[("close", {"after": "today"}, value, "wrong_type") for value in ("2026-12-01T10:00:00", "2026-12-01 10:00Z")],
    *[("close", {"after": "today"}, value, "wrong_type") for value in ("2026-12-01T25:00:00Z", "9999-12-31T23:59:59Z")],
    *[
        ("close", {"after": "today"}, value, "wrong_type")
        for value in ("0001-01-01T00:00:00Z", "today", "+7d", "2026-W01")
    ],
    ("budget", {"equals": "approved"}, True, "wrong_type"),
    ("budget", {"equals": "approved"}, ["approved"], "wrong_type"),
    ("budget", {"equals": "approved"}, "Approved", "outside_choices"),
    ("budget", {"not_equals": "approved"}, "maybe", "outside_choices"),
]


@pytest.mark.parametrize(("field", "comparison", "value", "because"), UNREADABLE)
def test_a_wrong_type_or_a_value_outside_its_choices_is_unknown(
    field: str, comparison: Parts, value: Any, because: str
) -> None:
    given = deal(fields={field: value})
    unknown = wrong("cannot_evaluate", field, comparison, value, fill(field), because=because)
    assert unknown == finding(asking(asked(field, **comparison)), given)
    negated = finding(asking({"id": "asked", "not": asked(field, **comparison)}), given)
    expected = {"not": {"field": field, **comparison}}
    assert wrong("cannot_evaluate", field, expected, value, fill(field), because=because) == negated


def test_presence_of_an_unreadable_value_is_unknown_too() -> None:
    given = deal(fields={"budget": "maybe"})
    for word, step in (("present", fill("budget")), ("absent", fill("budget", **{"is": "absent"}))):
        expected = wrong("cannot_evaluate", "budget", {"is": word}, "maybe", step, because="outside_choices")
        assert expected == finding(asking(asked("budget", **{"is": word})), given)


@pytest.mark.parametrize(("word", "step"), [("present", {"is": "absent"}), ("absent", {})])
def test_an_unreadable_value_that_must_not_be_there_goes_the_other_way(word: str, step: Parts) -> None:
    found = finding(asking({"id": "asked", "not": {"field": "budget", "is": word}}), deal(fields={"budget": "maybe"}))
    expected = {"not": {"field": "budget", "is": word}}
    unknown = wrong("cannot_evaluate", "budget", expected, "maybe", fill("budget", **step), because="outside_choices")
    assert unknown == found


def test_a_text_below_its_least_length_is_too_short_to_be_present() -> None:
    for value, code in (
        ("123456789", "field_too_short"),
        (" 23456789   ", "field_too_short"),
        ("n/a", "field_missing"),
    ):
        found = finding(asking(asked("note", **{"is": "present"})), deal(fields={"note": value}))
        assert wrong(code, "note", {"is": "present"}, value, fill("note")) == found
    assert None is finding(asking(asked("note", **{"is": "present"})), deal(fields={"note": "1234567890"}))
    short = deal(fields={"note": "123456789"})
    assert "field_present" == getattr(finding(asking(asked("note", **{"is": "absent"})), short), "code", None)
    assert None is finding(asking({"id": "asked", "not": asked("note", **{"is": "present"})}), short)


@pytest.mark.parametrize(
    ("word", "value", "step"), [("present", "a long enough note", {"is": "absent"}), ("absent", None, {})]
)
def test_the_opposite_of_presence_turns_the_way_out(word: str, value: str | None, step: Parts) -> None:
    found = finding(asking({"id": "asked", "not": {"field": "note", "is": word}}), deal(fields={"note": value}))
    expected = {"not": {"field": "note", "is": word}}
    assert wrong("must_not_hold", "note", expected, value, fill("note", **step)) == found


TIMES = [  # what was sent, and the day it means in the zone
    ("Europe/Rome", "2026-11-29T23:00:00Z", "2026-11-30"),
    ("Europe/Rome", "2026-11-29T22:59:59Z", "2026-11-29"),
    ("Europe/Rome", "2026-03-28T23:00:00Z", "2026-03-29"),
    ("Europe/Rome", "2026-03-29T21:59:59Z", "2026-03-29"),
    ("Europe/Rome", "2026-03-29T22:00:00Z", "2026-03-30"),
    ("Europe/Rome", "2026-10-24T22:00:00+00:00", "2026-10-25"),
    ("Europe/Rome", "2026-10-25T22:59:59Z", "2026-10-25"),
    ("Europe/Rome", "2026-10-25T23:00:00Z", "2026-10-26"),
    ("Pacific/Kiritimati", "2026-11-30T09:59:59Z", "2026-11-30"),
    ("Pacific/Kiritimati", "2026-11-30T10:00:00Z", "2026-12-01"),
    ("Pacific/Pago_Pago", "2026-12-01T10:59:59Z", "2026-11-30"),
    ("UTC", "2026-11-30T23:59:59.999999Z", "2026-11-30"),
    ("UTC", "2026-11-30T23:59:59-01:00", "2026-12-01"),
]


@pytest.mark.parametrize(("zone", "sent", "day"), TIMES)
def test_a_moment_in_a_date_field_is_the_day_in_the_zone_of_the_process(zone: str, sent: str, day: str) -> None:
    compiled = asking(asked("close", equals=day), timezone=zone)
    assert None is finding(compiled, deal(fields={"close": sent}))


DAYS = [  # an instant, and the day it is in the zone
    ("Europe/Rome", "2026-11-23T22:59:59.999999Z", "2026-11-23"),
    ("Europe/Rome", "2026-11-23T23:00:00Z", "2026-11-24"),
    ("Europe/Rome", "2026-03-29T00:59:59Z", "2026-03-29"),
    ("Europe/Rome", "2026-03-29T22:00:00Z", "2026-03-30"),
    ("Europe/Rome", "2026-10-25T22:59:59Z", "2026-10-25"),
    ("Europe/Rome", "2026-10-25T23:00:00Z", "2026-10-26"),
    ("Pacific/Kiritimati", "2026-12-31T10:00:00Z", "2027-01-01"),
    ("Pacific/Pago_Pago", "2027-01-01T10:59:59Z", "2026-12-31"),
]


@pytest.mark.parametrize(("zone", "as_of", "day"), DAYS)
def test_today_is_the_calendar_day_in_the_zone_of_the_process(zone: str, as_of: str, day: str) -> None:
    compiled = asking(asked("close", equals="today"), timezone=zone)
    assert None is finding(compiled, deal(fields={"close": day}), as_of=moment(as_of))


def test_seven_days_are_calendar_days_over_the_change_of_the_clocks() -> None:
    compiled = asking(asked("close", equals="+7d"))
    assert None is finding(compiled, deal(fields={"close": "2026-10-26"}), as_of=moment("2026-10-18T22:00:00Z"))
    assert None is not finding(compiled, deal(fields={"close": "2026-10-26"}), as_of=moment("2026-10-18T21:59:59Z"))


OTHERS: list[tuple[Parts, str | None, list[str]]] = [
    ({"close": "2026-12-02", "start": "2026-12-01"}, None, []),
    ({"close": "2026-12-01", "start": "2026-12-01"}, "field_mismatch", ["close"]),
    ({"close": "2026-12-01", "start": "2026-12-01T22:59:59Z"}, "field_mismatch", ["close"]),
    ({"start": "2026-12-01"}, "field_missing", ["close"]),
    ({}, "field_missing", ["close", "start"]),
    ({"start": 5}, "field_missing", ["close", "start"]),
    ({"close": "2026-12-01"}, "other_field_absent", ["start"]),
    ({"close": "2026-12-01", "start": " "}, "other_field_absent", ["start"]),
    ({"close": "2026-12-01", "start": 5}, "other_field_wrong_type", ["start"]),
    ({"close": 5, "start": "2026-12-01"}, "wrong_type", ["close"]),
    ({"close": 5, "start": 5}, "wrong_type", ["close", "start"]),
]


@pytest.mark.parametrize(("fields", "reason", "filled"), OTHERS)
def test_a_date_compares_with_another_field(fields: Parts, reason: str | None, filled: list[str]) -> None:
    steps = [fill(key) for key in filled]
    compiled = asking(asked("close", after={"field": "start"}))
    found = finding(compiled, deal(fields=fields))
    expected, value = {"after": {"field": "start"}}, fields.get("close")
    if reason is None:
        assert None is found
    elif reason.startswith("field_"):
        assert wrong(reason, "close", expected, value, *steps) == found
    else:
        assert wrong("cannot_evaluate", "close", expected, value, *steps, because=reason) == found


def test_a_field_that_nobody_brought_is_unknown_and_one_that_was_brought_is_judged() -> None:
    lacking = frozenset({"fields"})
    for comparison in ({"is": "present"}, {"is": "absent"}, {"at_least": 1}):
        compiled = asking(asked("amount", **comparison))
        unknown = wrong("cannot_evaluate", "amount", comparison, None, because="facts_missing")
        assert unknown == finding(compiled, missing=lacking)
    compiled = asking(asked("amount", at_least=1))
    assert None is finding(compiled, deal(fields={"amount": 1}), missing=lacking)
    erased = finding(compiled, deal(fields={"amount": None}), missing=lacking)
    assert wrong("field_missing", "amount", {"at_least": 1}, None, fill("amount")) == erased


def test_another_field_that_nobody_brought_is_a_fact_missing() -> None:
    compiled = asking(asked("close", after={"field": "start"}))
    found = finding(compiled, deal(fields={"close": "2026-12-01"}), missing=frozenset({"fields"}))
    expected = {"after": {"field": "start"}}
    assert wrong("cannot_evaluate", "close", expected, "2026-12-01", because="facts_missing") == found


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_of_the_wrong_type(value: float) -> None:
    found = finding(asking(asked("amount", at_least=1)), Snapshot(stage="first", fields={"amount": value}))
    assert wrong("cannot_evaluate", "amount", {"at_least": 1}, value, fill("amount"), because="wrong_type") == found
