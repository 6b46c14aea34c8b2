"""Fitting: comparisons and their operands, options of fields, bounds, timezone, start and path."""

from typing import Any

import pytest

from app.engine.check.limits import MOST_MOVES, MOST_STAGES
from tests.builders_file import SOUND, Told, asks, problems, severities

R = "transitions[1].requires[0]"

FITS: list[dict[str, Any]] = [
    {"field": "amount", "equals": 1},
    {"field": "amount", "in": [1, 2.5]},
    {"field": "amount", "less_than": 1},
    {"field": "note", "equals": "a long enough text"},
    {"field": "note", "not_in": ["x"]},
    {"field": "note", "is": "absent"},
    {"field": "personal", "equals": True},
    {"field": "personal", "not_in": [False]},
    {"field": "close", "equals": "2027-01-31"},
    {"field": "close", "in": ["today", "+7d"]},
    {"field": "close", "before": "-30d"},
    {"field": "close", "after": {"field": "start"}},
    {"field": "budget", "not_equals": "unknown"},
    {"field": "budget", "is": "present"},
    {"stage_age": {"at_least": "3d", "at_most": "72h"}},
    {"deal_age": {"at_most": "3d"}},
]


@pytest.mark.parametrize("requirement", FITS)
def test_what_fits_is_accepted(requirement: dict[str, Any]) -> None:
    assert [] == problems(**asks(requirement))


COMPARISONS = {
    "amount": ("number", ["before", "after"]),
    "note": ("text", ["at_least", "at_most", "more_than", "less_than", "before", "after"]),
    "personal": ("boolean", ["at_least", "at_most", "more_than", "less_than", "before", "after"]),
    "close": ("date", ["at_least", "at_most", "more_than", "less_than"]),
    "budget": ("choice", ["at_least", "at_most", "more_than", "less_than", "before", "after"]),
}


@pytest.mark.parametrize(("field", "comparison"), [(name, one) for name in COMPARISONS for one in COMPARISONS[name][1]])
def test_a_comparison_must_fit_the_type_of_its_field(field: str, comparison: str) -> None:
    operand = "today" if comparison in ("before", "after") else 1
    params = {"field": field, "type": COMPARISONS[field][0], "comparison": comparison}
    assert [("comparison_unfit", f"{R}.{comparison}", params)] == problems(
        **asks({"field": field, comparison: operand})
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "1"),
        ("amount", True),
        ("note", 1),
        ("personal", "true"),
        ("personal", 1),
        ("close", 1),
        ("close", "soon"),
        ("close", "2027-02-30"),
        ("budget", 1),
        ("budget", False),
    ],
)
def test_an_operand_must_be_of_the_type_of_its_field(field: str, value: Any) -> None:
    params = {"field": field, "type": COMPARISONS[field][0], "value": value}
    for comparison in ("equals", "not_equals"):
        expected = [("operand_unfit", f"{R}.{comparison}", {**params, "comparison": comparison})]
        assert expected == problems(**asks({"field": field, comparison: value}))
    for comparison in ("in", "not_in"):
        expected = [("operand_unfit", f"{R}.{comparison}[0]", {**params, "comparison": comparison})]
        assert expected == problems(**asks({"field": field, comparison: [value]}))


def with_field(**field: Any) -> dict[str, Any]:
    return {"fields": [*SOUND["fields"], {"key": "x", **field}]}


MISFITS: list[tuple[dict[str, Any], list[Told]]] = [
    (with_field(type="choice"), [("needs_choices", "fields[7]", {"field": "x"})]),
    (
        with_field(type="text", choices=["a"]),
        [("only_for", "fields[7].choices", {"key": "choices", "type": "choice", "field": "x", "found": "text"})],
    ),
    (
        with_field(type="date", min_length=3),
        [("only_for", "fields[7].min_length", {"key": "min_length", "type": "text", "field": "x", "found": "date"})],
    ),
    (
        with_field(type="text", unit="EUR"),
        [("only_for", "fields[7].unit", {"key": "unit", "type": "number", "field": "x", "found": "text"})],
    ),
    (with_field(type="number", unit="EUR", blank=["n/a"]), []),
    (
        asks({"field": "close", "before": {"field": "amount"}}),
        [("not_a_date_field", f"{R}.before.field", {"name": "amount", "type": "number"})],
    ),
    (
        asks({"stage_age": {"at_least": "3d", "at_most": "71h"}}),
        [("bounds_crossed", f"{R}.stage_age", {"at_least": "3d", "at_most": "71h"})],
    ),
    (
        asks({"not": {"deal_age": {"at_least": "2w", "at_most": "1d"}}}),
        [("bounds_crossed", f"{R}.not.deal_age", {"at_least": "2w", "at_most": "1d"})],
    ),
    (asks({"contact": "buyer", "when": {"id": "x", "contact": "champion"}}), [("id_in_when", f"{R}.when.id", {})]),
    ({"timezone": "Europe/Roma"}, [("unknown_timezone", "timezone", {"name": "Europe/Roma", "near": "Europe/Rome"})]),
    ({"timezone": "localtime"}, [("unknown_timezone", "timezone", {"name": "localtime"})]),
    ({"timezone": "../etc/passwd"}, [("unknown_timezone", "timezone", {"name": "../etc/passwd"})]),
    ({"start": ["first", "won"]}, [("start_closed", "start[1]", {"stage": "won"})]),
    ({"start": ["lost"]}, [("start_closed", "start[0]", {"stage": "lost"})]),
    ({"path": ["first", "second", "first", "won"]}, [("path_repeats", "path[2]", {"stage": "first"})]),
    ({"path": ["second", "first", "won"]}, [("path_goes_back", "path[1]", {"stage": "first", "after": "second"})]),
    (
        {"path": ["first", "won", "second"]},
        [
            ("path_leaves_closed", "path[1]", {"stage": "won"}),
            ("path_goes_back", "path[2]", {"stage": "second", "after": "won"}),
        ],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), MISFITS)
def test_what_does_not_fit_is_told(parts: dict[str, Any], expected: list[Told]) -> None:
    about_ways = ("unreachable_stage", "no_way_out", "no_way_to_won")
    assert expected == [one for one in problems(**parts) if one[0] not in about_ways]


def test_the_first_stage_must_be_open_when_no_start_is_said() -> None:
    stages = [{"key": "won", "kind": "won"}, {"key": "first"}, {"key": "second"}, {"key": "lost", "kind": "lost"}]
    assert ("start_closed", "stages[0]", {"stage": "won"}) == problems(stages=stages)[0]


def test_a_path_that_goes_back_is_only_a_warning() -> None:
    found = severities(path=["second", "first", "won"], start=["second"])
    assert [("warning", "path_goes_back")] == found


def test_a_process_of_unheard_of_size_is_refused_before_it_is_walked() -> None:
    many = [{"key": f"s{number}"} for number in range(MOST_STAGES + 1)]
    params = {"what": "stages", "most": MOST_STAGES, "found": MOST_STAGES + 1}
    assert [("too_many", "stages", params)] == problems(stages=many, path=[], transitions=[])
    stages = many[:MOST_STAGES]
    edges: list[dict[str, Any]] = [{"from": "open", "to": f"s{number}"} for number in range(21)]
    params = {"what": "moves", "most": MOST_MOVES, "found": 21 * MOST_STAGES}
    assert [("too_many", "transitions", params)] == problems(stages=stages, path=[], transitions=edges)
    edges = [{"from": [f"s{number}" for number in range(MOST_STAGES)], "to": f"s{to}"} for to in range(21)]
    assert [("too_many", "transitions", params)] == problems(stages=stages, path=[], transitions=edges)
