"""Quality as a whole: good processes stay silent, levels build on each other, and a file may switch a check off."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from app.engine import Process, digest_of
from app.engine.check import check_process
from app.engine.check.quality import CHECKS
from app.engine.check.quality.levels import LEVELS, MOST_ACTIVITIES, MOST_OPEN_STAGES, applies
from app.engine.check.quality.uses import fields_named
from app.engine.load import load_process, read_process
from tests.builders_quality import GOOD, Told, found, in_short, spoilt

ROOT = Path(__file__).parents[3]
GOOD_FILES = [
    *sorted(path for path in (ROOT / "app" / "starters").glob("*.yaml") if ".cases" not in path.name),
    *sorted((ROOT / "tests" / "good_processes").glob("*.yaml")),
    ROOT / "examples" / "b2b-saas.yaml",
]
BARE: dict[str, Any] = {
    "process": "bare",
    "activities": [{"key": "golf"}],
    "fields": [{"key": "x", "type": "text"}],
    "stages": [{"key": "demo"}, {"key": "hot"}, {"key": "won", "kind": "won"}, {"key": "lost", "kind": "lost"}],
    "path": ["demo", "hot", "won"],
    "transitions": [{"from": "open", "to": "lost"}],
}


@pytest.mark.parametrize("file", GOOD_FILES, ids=lambda file: file.stem)
def test_a_good_process_hears_nothing(file: Path) -> None:
    loaded = read_process(file.read_bytes())
    assert (True, ()) == (loaded.process is not None, loaded.problems)


def test_the_good_processes_are_of_every_level() -> None:
    levels = [load_process(file.read_bytes()).maturity for file in GOOD_FILES]
    assert {"crawl", "walk", "run"} == set(levels)
    assert len(GOOD_FILES) >= 14


def codes(maturity: str) -> list[str]:
    return sorted({problem.code for problem in check_process(Process.model_validate({**BARE, "maturity": maturity}))})


def test_each_level_asks_what_the_one_below_asks_and_more() -> None:
    crawl = ["no_first_touch_rule", "no_lost_reason", "no_reopen_rule", "trifling_activity", "vague_stage_name"]
    walk = sorted([*crawl, "look_alike_stages", "unobservable_stage", "unused_activity", "unused_field"])
    run = sorted([*walk, "no_buyer_step", "seller_named_stage"])
    assert [crawl, walk, run] == [codes(maturity) for maturity in ("crawl", "walk", "run")]


def test_every_check_has_a_level_and_every_level_a_check() -> None:
    assert list(LEVELS) == list(CHECKS)
    assert set(CHECKS) == {check for check in CHECKS if applies(check, "run")}


def test_severities_are_warnings_but_for_what_is_only_clutter() -> None:
    assert {"unused_activity", "unused_field"} == {code for code, level in LEVELS.items() if level.severity == "info"}


def test_a_process_that_was_not_read_from_a_file_is_judged_too() -> None:
    [problem] = check_process(Process.model_validate({**BARE, "stages": BARE["stages"][:1] + BARE["stages"][2:],
        "path": ["demo", "won"], "maturity": "crawl", "activities": [], "fields": [],
        "policies": {"reopen_lost": "new_deal", "first_touch": "call"}}))  # fmt: skip
    assert ("no_lost_reason", "warning", {"stage": "lost", "sources": ["demo"]}, "stages[2]", 0, 0) == problem


def test_quality_is_not_judged_where_names_dangle() -> None:
    text = spoilt(("{id: met, activity: meet}", "{id: met, activity: met}"), ("problem_voiced", "hot"))
    assert [Told("unknown_name", 19, 72)] == in_short(found(text))


def test_quality_is_told_beside_what_is_unsound_in_the_order_of_the_file() -> None:
    text = spoilt(("  - {key: lost,", "  - {key: hot, buyer: b, enter: [{id: seen, activity: meet}]}\n  - {key: lost,"))
    assert [
        Told("unreachable_stage", 16, 5),
        Told("no_way_to_won", 16, 5),
        Told("vague_stage_name", 16, 11),
    ] == in_short(found(text))


def test_a_poor_process_loads_all_the_same() -> None:
    text = spoilt(("problem_voiced", "hot")).encode()
    assert [] == list(read_process(text).errors)
    assert load_process(text).stages[0].key == "hot"
    assert () == read_process(text, quality=False).problems


HOT = spoilt(("problem_voiced", "hot"), ("solution_evaluated", "warm"))


def silent(*entries: str, text: str = HOT) -> list[Told]:
    """What is told of a file with these silences, which begin on line 24."""
    return in_short(found(text + "silence:\n" + "".join(f"  - {entry}\n" for entry in entries)))


def test_a_silence_covers_a_check_for_the_whole_process() -> None:
    assert [Told("vague_stage_name", 12, 11), Told("vague_stage_name", 13, 11)] == in_short(found(HOT))
    assert [] == silent("{check: vague_stage_name, because: We sell saunas}")


def test_a_silence_covers_only_what_it_is_about() -> None:
    assert [Told("vague_stage_name", 13, 11)] == silent("{check: vague_stage_name, about: hot, because: A sauna}")


def test_a_silence_that_covers_nothing_is_told_with_what_it_could_cover() -> None:
    every = "{check: vague_stage_name, because: {en: We sell saunas, it: Vendiamo saune}}"
    assert [Told("idle_silence", 26, 5)] == silent(every, "{check: vague_stage_name, about: hott, because: A sauna}")
    assert [] == silent(every, "{check: vague_stage_name, about: hot, because: A sauna}")
    [*_, problem] = found(HOT + "silence: [{check: vague_stage_name, about: hott, because: x}]\n")
    params = {"check": "vague_stage_name", "name": "hott", "known": ["hot", "warm"], "near": "hot"}
    assert ("idle_silence", "info", params, "silence[0]") == problem[:4]


def test_a_silence_of_a_check_of_a_higher_level_is_idle() -> None:
    text = spoilt(("maturity: run", "maturity: walk"))
    assert [Told("idle_silence", 25, 5)] == silent("{check: no_buyer_step, because: Not yet}", text=text)


@pytest.mark.parametrize(
    ("check", "about", "text"),
    [
        ("trifling_activity", "golf", spoilt(("{key: meet,", "{key: golf,"), ("activity: meet", "activity: golf"))),
        ("look_alike_stages", "first", spoilt(("problem_voiced", "first"), ("solution_evaluated", "the_first"))),
        ("look_alike_stages", "the_first", spoilt(("problem_voiced", "first"), ("solution_evaluated", "the_first"))),
        ("unused_field", "x", spoilt(("fields:\n", "fields:\n  - {key: x, type: date}\n"))),
        ("no_way_out_requirement", "met", spoilt(("{id: met,", "{id: met, deal_age: {at_most: 9d}}, {id: seen,"))),
        ("convenient_any", "met", spoilt(("activity: meet}", "any: [{activity: meet}, {field: amount, at_most: 5}]}"))),
    ],
)  # fmt: skip
def test_a_silence_names_a_stage_an_activity_a_field_or_a_requirement(check: str, about: str, text: str) -> None:
    assert check in [told.code for told in in_short(found(text))]
    assert [] == [
        told
        for told in silent(f"{{check: {check}, about: {about}, because: x}}", text=text)
        if told.code in (check, "idle_silence")
    ]


def test_errors_and_soundness_cannot_be_silenced() -> None:
    [problem] = found(GOOD + "silence: [{check: no_way_out, because: x}]\n")
    assert ("not_one_of", "error", 24, 19) == (problem.code, problem.severity, problem.line, problem.column)
    assert list(CHECKS) == problem.params["known"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{check: vague_stage_nam, because: x}", Told("not_one_of", 25, 13)),
        ("{check: vague_stage_name}", Told("missing_key", 25, 5)),
        ("{check: vague_stage_name, because: ' '}", Told("blank_text", 25, 40)),
        ("{check: vague_stage_name, because: ''}", Told("too_short", 25, 40)),
        ("{check: vague_stage_name, because: x, abut: hot}", Told("unknown_key", 25, 43)),
        ("{check: vague_stage_name, because: x, about: The Hot}", Told("bad_key", 25, 50)),
        ("vague_stage_name", Told("wrong_type", 25, 5)),
    ],
)
def test_a_silence_without_a_check_or_a_reason_is_refused(entry: str, expected: Told) -> None:
    assert [expected] == silent(entry, text=GOOD)


def test_a_silence_is_part_of_the_version_and_none_changes_nothing() -> None:
    with_one = load_process((HOT + "silence: [{check: vague_stage_name, because: x}]\n").encode())
    without = load_process(HOT.encode())
    assert digest_of(with_one) != digest_of(without)
    assert digest_of(without) == digest_of(
        Process.model_validate({**without.model_dump(by_alias=True, exclude_unset=True), "silence": []})
    )


def large(count: int, moves: int) -> bytes:
    """A process with so many stages, drawn in every way there is."""
    requirement = {"field": "amount", "more_than": 0}
    stages = [{"key": f"s{at}", "name": f"Stage number {at}"} for at in range(count - 2)]
    drawn = [(at, at + step) for step in (2, 3, 4, 5, 6, 7) for at in range(count - 10)][: moves - 2 * count + 4]
    edges = [
        {"from": f"s{one}", "to": f"s{other}", "requires": [{"id": f"r{one}-{other}", **requirement}]}
        for one, other in drawn
    ]
    closed = [{"key": "won", "kind": "won"}, {"key": "lost", "kind": "lost"}]
    path = [*(stage["key"] for stage in stages), "won"]
    fields = [{"key": "amount", "type": "number"}]
    parts = {"process": "large", "fields": fields, "stages": [*stages, *closed], "path": path}
    return json.dumps({**parts, "transitions": [*edges, {"from": "open", "to": "lost"}]}).encode()


def test_a_large_process_is_judged_within_a_second() -> None:
    data = large(200, 1000)
    began = time.perf_counter()
    loaded = read_process(data)
    took = time.perf_counter() - began
    assert loaded.process is not None
    assert (200, 1000) == (len(loaded.process.stages), len(loaded.process.edges))
    assert {"skippable_stage", "too_many_stages"} <= {problem.code for problem in loaded.problems}
    assert took < 1


def test_fields_are_found_wherever_a_requirement_names_them() -> None:
    part = {"all": [{"field": "a", "after": {"field": "b"}}], "scored": {"fields": ["c", "d"]}, "when": {"field": "e"}}
    assert ["a", "b", "c", "d", "e"] == list(fields_named(part))


def test_the_guide_lists_every_check_with_its_level_and_every_threshold() -> None:
    guide = (ROOT / "docs" / "quality-checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)`( \(note\))? \| (crawl|walk|run) \|", guide, re.MULTILINE)
    listed = {code: (level, "info" if note else "warning") for code, note, level in rows}
    assert {code: tuple(level) for code, level in LEVELS.items()} == listed
    stages = " | ".join(str(most) for most in MOST_OPEN_STAGES.values())
    assert f"| open stages, at most | {stages} |" in guide
    assert f"| activities, at most | | {MOST_ACTIVITIES} | {MOST_ACTIVITIES} |" in guide
