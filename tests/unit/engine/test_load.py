"""Loading a process file: every misshapen part is told at once, with a stable code, in the words of the file."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.engine.check import MOST_PROBLEMS
from app.engine.errors import ProcessFileError
from app.engine.load import load_process, read_process
from app.engine.nodes import Marks
from app.engine.process import Process
from app.engine.shape import shape_problems
from tests.builders_file import SOUND, Told, asks, but_quality, file_of, problems, told

BAD = Path(__file__).parents[2] / "bad_processes"
TOP = ["mode", "when", "say", "waivable_by", "relaxed_for"]


def test_a_sound_file_becomes_a_process() -> None:
    loaded = read_process(file_of())
    assert (Process.model_validate(SOUND), (), ()) == (loaded.process, but_quality(loaded.problems), loaded.errors)
    assert loaded.process == load_process(file_of())
    assert loaded.process == load_process(yaml.safe_dump(SOUND).encode())


def test_a_bad_file_is_refused_with_all_its_errors_and_no_warnings() -> None:
    with pytest.raises(ProcessFileError) as refused:
        load_process(file_of(proces="x", start=["gone"], policies={"skip": "warn"}, path=[]), source="a.json")
    assert "a.json" == refused.value.source
    assert ["unknown_key", "unknown_name"] == [problem.code for problem in refused.value.problems]


def test_warnings_do_not_stop_a_process_from_being_used() -> None:
    loaded = read_process(file_of(policies={"skip": "warn"}, path=[], transitions=[]))
    assert loaded.process == load_process(file_of(policies={"skip": "warn"}, path=[], transitions=[]))
    assert {"skip_without_path"} <= {problem.code for problem in loaded.problems if problem.severity == "warning"}


def test_one_file_with_everything_wrong_is_told_all_at_once_in_order() -> None:
    loaded = read_process((BAD / "everything.yaml").read_bytes())
    assert [
        "1:10 bad_key process",
        "2:1 unknown_key nme",
        "3:11 unknown_timezone timezone",
        "4:1 unknown_key role",
        "5:22 duplicate_name contacts[1]",
        "7:23 not_one_of activities[0].kind",
        "8:11 reserved_name activities[1].key",
        "8:24 wrong_type activities[1].effort",
        "10:33 only_for fields[0].choices",
        "11:5 needs_choices fields[1]",
        "12:26 unknown_key fields[2].before",
        "13:21 not_one_of fields[3].type",
        "17:31 unknown_name stages[0].enter[0].activity",
        "17:56 unknown_name stages[0].enter[0].with",
        "17:97 operand_unfit stages[0].enter[1].equals",
        "18:17 duplicate_name stages[0].exit[0].id",
        "18:41 unknown_choice stages[0].exit[0].in[1]",
        "18:49 one_comparison stages[0].exit[1]",
        "20:36 comparison_unfit stages[1].enter[0].before",
        "20:92 top_only stages[1].enter[1].any[0].mode",
        "20:107 no_kind stages[1].enter[2]",
        "22:9 start_closed start[0]",
        "23:11 unknown_name path[1]",
        "25:16 stands_alone transitions[0].from[1]",
        "25:125 not_a_date_field transitions[0].requires[1].after.field",
        "26:12 pair_twice transitions[1].from",
        "26:54 bounds_crossed transitions[1].requires[0].stage_age",
        "26:117 unknown_outcome transitions[1].requires[1].outcome",
        "26:148 two_kinds transitions[1].requires[2].field",
    ] == [f"{one.line}:{one.column} {one.code} {one.path}" for one in loaded.problems]
    assert {"error"} == {one.severity for one in loaded.problems}
    assert None is loaded.process


def stage(**parts: Any) -> dict[str, Any]:
    return {"stages": [{"key": "first", **parts}, *SOUND["stages"][1:]]}


def dated(**mode: Any) -> dict[str, Any]:
    return {"policies": {"undrawn": mode}}


R = "transitions[1].requires[0]"
SHAPES: list[tuple[dict[str, Any], list[Told]]] = [
    ({"process": ...}, [("missing_key", "", {"key": "process"})]),
    ({"stages": ...}, [("missing_key", "", {"key": "stages"})]),
    ({"stages": []}, [("too_short", "stages", {"least": 1, "unit": "items"})]),
    ({"stages": {}}, [("wrong_type", "stages", {"expected": "list", "found": "mapping"})]),
    ({"process": "My"}, [("bad_key", "process", {"value": "My"})]),
    ({"process": 1}, [("wrong_type", "process", {"expected": "text", "found": "number"})]),
    ({"process": "x" * 65}, [("too_long", "process", {"most": 64, "unit": "characters"})]),
    ({"stags": 1}, [("unknown_key", "stags", {"name": "stags", "near": "stages"})]),
    ({"x": 1, "y": 1}, [("unknown_key", "x", {"name": "x"}), ("unknown_key", "y", {"name": "y"})]),
    ({"name": 1}, [("wrong_type", "name", {"expected": "text", "found": "number"})]),
    ({"name": " "}, [("blank_text", "name", {})]),
    ({"name": ""}, [("too_short", "name", {"least": 1, "unit": "characters"})]),
    ({"name": {}}, [("too_short", "name", {"least": 1, "unit": "items"})]),
    ({"name": {"EN": "x"}}, [("bad_locale", "name.EN", {"value": "EN"})]),
    ({"name": {"en": 1}}, [("wrong_type", "name.en", {"expected": "text", "found": "number"})]),
    ({"timezone": None}, [("wrong_type", "timezone", {"expected": "text", "found": "null"})]),
    ({"roles": "rep"}, [("wrong_type", "roles", {"expected": "list", "found": "text"})]),
    ({"roles": [True]}, [("wrong_type", "roles[0]", {"expected": "key", "found": "boolean"})]),
    ({"roles": ["Big Boss"]}, [("bad_key", "roles[0]", {"value": "Big Boss"})]),
    ({"roles": [{"key": "a", "nam": "x"}]}, [("unknown_key", "roles[0].nam", {"name": "nam", "near": "name"})]),
    ({"maturity": "wlk"}, [("not_one_of", "maturity", {"name": "wlk", "near": "walk"})]),
    ({"maturity": True}, [("not_one_of", "maturity", {"name": True})]),
    ({"maturity": "w" * 99}, [("not_one_of", "maturity", {"name": "w" * 79 + "…"})]),
    (stage(rots_after="14"), [("bad_duration", "stages[0].rots_after", {"value": "14"})]),
    (stage(rots_after=14), [("wrong_type", "stages[0].rots_after", {"expected": "text", "found": "number"})]),
    (
        stage(rots_after="40000d"),
        [("duration_too_long", "stages[0].rots_after", {"value": "40000d", "most": "36525d"})],
    ),
    (stage(kind="opn"), [("not_one_of", "stages[0].kind", {"name": "opn", "near": "open"})]),
    (stage(entr=[]), [("unknown_key", "stages[0].entr", {"name": "entr", "near": "enter"})]),
    (dated(), [("no_date", "policies.undrawn", {})]),
    (dated(warn="2027-02-30"), [("no_such_day", "policies.undrawn.warn", {"value": "2027-02-30"})]),
    (dated(warn="soon"), [("no_such_day", "policies.undrawn.warn", {"value": "soon"})]),
    (dated(warn="2027-01-01", enforce="2027-01-01"), [("same_date", "policies.undrawn", {})]),
    (dated(wrn="2027-01-01"), [("unknown_key", "policies.undrawn.wrn", {"name": "wrn", "near": "warn"})]),
    (
        {"policies": {"reopen_lost": {"reopen_within": "9"}}},
        [("bad_duration", "policies.reopen_lost.reopen_within", {"value": "9"})],
    ),
    (
        {"policies": {"reopen_lost": {"within": "9d"}}},
        [
            ("missing_key", "policies.reopen_lost", {"key": "reopen_within"}),
            ("unknown_key", "policies.reopen_lost.within", {"name": "within", "near": "reopen_within"}),
        ],
    ),
    ({"policies": 1}, [("wrong_type", "policies", {"expected": "mapping", "found": "number"})]),
    ({"transitions": [1]}, [("wrong_type", "transitions[0]", {"expected": "mapping", "found": "number"})]),
    (asks({}), [("no_kind", R, {"found": ["id"]})]),
    (asks({"feild": "amount", "is": "present"}), [("no_kind", R, {"found": ["id", "feild", "is"], "near": "field"})]),
    (stage(enter=["x"]), [("wrong_type", "stages[0].enter[0]", {"expected": "mapping", "found": "text"})]),
    (stage(enter=[{"contact": "buyer"}]), [("missing_key", "stages[0].enter[0]", {"key": "id"})]),
    (asks({"contact": "buyer", "mover": ["rep"]}), [("two_kinds", f"{R}.mover", {"found": ["contact", "mover"]})]),
    (asks({"contact": "buyer", "tries": 2}), [("unknown_key", f"{R}.tries", {"name": "tries"})]),
    (asks({"not": {"contact": "buyer", "whn": 1}}), [("unknown_key", f"{R}.not.whn", {"name": "whn"})]),
    (asks({"contact": "buyer", "whn": 1}), [("unknown_key", f"{R}.whn", {"name": "whn", "near": "when"})]),
    (asks({"not": {"contact": "buyer", "mode": "warn"}}), [("top_only", f"{R}.not.mode", {"key": "mode"})]),
    (
        asks({"contact": "buyer", "when": {"contact": "buyer", "say": "x"}}),
        [("top_only", f"{R}.when.say", {"key": "say"})],
    ),
    (asks({"any": []}), [("too_short", f"{R}.any", {"least": 1, "unit": "items"})]),
    (asks({"contact": "buyer", "at_least": 0}), [("out_of_range", f"{R}.at_least", {"value": 0, "least": 1})]),
    (asks({"contact": "buyer", "at_least": 1001}), [("out_of_range", f"{R}.at_least", {"value": 1001, "most": 1000})]),
    (
        asks({"contact": "buyer", "at_least": 1.5}),
        [("wrong_type", f"{R}.at_least", {"expected": "integer", "found": "number"})],
    ),
    (
        asks({"field": "amount", "at_least": "1"}),
        [("wrong_type", f"{R}.at_least", {"expected": "number", "found": "text"})],
    ),
    (
        asks({"field": "amount", "equals": [1]}),
        [("wrong_type", f"{R}.equals", {"expected": "scalar", "found": "list"})],
    ),
    (asks({"field": "amount"}), [("one_comparison", R, {"found": []})]),
    (
        asks({"field": "amount", "at_least": 1, "at_most": 2}),
        [("one_comparison", R, {"found": ["at_least", "at_most"]})],
    ),
    (asks({"field": "close", "before": "soon"}), [("no_such_day", f"{R}.before", {"value": "soon"})]),
    (
        asks({"field": "close", "before": "+99999d"}),
        [("duration_too_long", f"{R}.before", {"value": "+99999d", "most": "36525d"})],
    ),
    (
        asks({"field": "close", "before": {"feild": "start"}}),
        [
            ("missing_key", f"{R}.before", {"key": "field"}),
            ("unknown_key", f"{R}.before.feild", {"name": "feild", "near": "field"}),
        ],
    ),
    (
        asks({"activity": "demo", "since": {"stag": "first"}}),
        [
            ("missing_key", f"{R}.since", {"key": "stage"}),
            ("unknown_key", f"{R}.since.stag", {"name": "stag", "near": "stage"}),
        ],
    ),
    (
        asks({"activity": "demo", "since": "stage"}),
        [("not_one_of", f"{R}.since", {"name": "stage", "near": "stage_entry"})],
    ),
    (asks({"stage_age": {}}), [("no_bound", f"{R}.stage_age", {})]),
    (
        asks({"stage_age": {"least": "3d"}}),
        [("unknown_key", f"{R}.stage_age.least", {"name": "least", "near": "at_least"})],
    ),
    (asks({"deal_age": "3d"}), [("wrong_type", f"{R}.deal_age", {"expected": "mapping", "found": "text"})]),
]


@pytest.mark.parametrize(("parts", "expected"), SHAPES)
def test_a_misshapen_part_is_told_once(parts: dict[str, Any], expected: list[Told]) -> None:
    assert expected == problems(**parts)


@pytest.mark.parametrize("data", [b"[]", b"- a\n", b"just words\n", b"12\n"])
def test_a_file_that_is_no_mapping_is_told(data: bytes) -> None:
    [problem] = read_process(data).problems
    assert ("wrong_type", "mapping") == (problem.code, problem.params["expected"])


def test_what_stands_at_the_top_of_a_requirement_is_known_there() -> None:
    [problem] = read_process(file_of(**asks({"contact": "buyer", "foo": 1}))).problems
    assert ["id", "contact", "at_least", *TOP] == problem.params["known"]


def test_names_are_checked_beside_misshapen_parts() -> None:
    assert [
        ("wrong_type", "stages[0].rots_after", {"expected": "text", "found": "number"}),
        ("unknown_name", "transitions[1].requires[0].contact", {"what": "contact", "name": "byer", "near": "buyer"}),
        ("one_comparison", "transitions[1].requires[1]", {"found": []}),
        ("unknown_name", "transitions[1].requires[2].contact", {"what": "contact", "name": "x"}),
    ] == problems(**stage(rots_after=1), **asks({"contact": "byer"}, {"field": "amount"}, {"contact": "x"}))


def test_a_misshapen_declaration_still_declares_its_name() -> None:
    fields = [{"key": "amount", "type": "numbr"}, {"key": "budget", "type": "choice", "choices": [1, "a"]}]
    activities = [{"key": "demo", "kind": "x", "outcomes": "held"}, {"key": "review", "lead_time": 3}, {"kind": "call"}]
    asked = asks(
        {"field": "amount", "at_least": 1},
        {"activity": "demo", "outcome": "held"},
        {"activity": "any", "outcome": "held"},
        {"activity": "review"},
        {"field": "budget", "equals": "a"},
    )
    assert [
        ("not_one_of", "activities[0].kind", {"name": "x"}),
        ("wrong_type", "activities[0].outcomes", {"expected": "list", "found": "text"}),
        ("wrong_type", "activities[1].lead_time", {"expected": "text", "found": "number"}),
        ("missing_key", "activities[2]", {"key": "key"}),
        ("not_one_of", "fields[0].type", {"name": "numbr", "near": "number"}),
        ("wrong_type", "fields[1].choices[0]", {"expected": "key", "found": "number"}),
    ] == problems(fields=fields, activities=activities, **asked)


def test_a_misspelt_or_misshapen_section_is_told_once_and_not_for_every_name() -> None:
    asked = asks({"mover": ["rep"], "waivable_by": ["boss"]}, {"contact": "buyer"}, {"field": "amount", "at_least": 1})
    assert [
        ("wrong_type", "contacts", {"expected": "list", "found": "text"}),
        ("wrong_type", "fields", {"expected": "list", "found": "mapping"}),
        ("unknown_key", "role", {"name": "role", "near": "roles"}),
    ] == problems(roles=..., role=["rep"], contacts="buyer", fields={"amount": "number"}, **asked)


def test_a_value_that_could_not_be_read_is_told_once() -> None:
    text = "process: *x\nstages: [{key: a}, {key: w, kind: won}]\npath: [a, w]\ntimezone: .nan\nnme: 1\n"
    assert [("no_aliases", 1), ("number_not_finite", 4), ("unknown_key", 5)] == [
        (problem.code, problem.line) for problem in read_process(text.encode()).problems
    ]


def test_a_key_given_twice_stops_the_process_from_being_used() -> None:
    text = yaml.safe_dump(SOUND) + "timezone: UTC\n"
    loaded = read_process(text.encode())
    assert (None, ["duplicate_key"]) == (loaded.process, [problem.code for problem in loaded.problems])


def test_a_refusal_nobody_foresaw_is_still_told() -> None:
    refused: Any = {"type": "value_error", "loc": ("name",), "msg": "is odd", "input": 1}
    [problem] = shape_problems([refused], Marks())
    assert ("invalid", "name", {"reason": "is odd"}) == told(problem)


def test_a_file_with_too_little_left_is_told_what_is_known() -> None:
    assert [("wrong_type", "stages[0]", {"expected": "mapping", "found": "number"})] == problems(stages=[1])
    deep: dict[str, Any] = {"x": 1}
    for _ in range(20):
        deep = {"not": deep}
    assert ["no_kind"] == [code for code, *_ in problems(**asks(deep))]


def test_problems_are_cut_to_a_readable_number() -> None:
    found = read_process(file_of(**{f"x{number}": 1 for number in range(500)})).problems
    assert MOST_PROBLEMS == len(found)
    found = read_process(file_of(path=["a"] * 300, start=["b"] * 300)).problems
    assert MOST_PROBLEMS + 1 == len(found)
    assert ("more_problems", "info") == (found[-1].code, found[-1].severity)
    assert found[-1].params["more"] >= 1
