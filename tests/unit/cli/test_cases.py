"""`stagerail test`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.said import Said, Stagerail

PROCESS = """\
process: {process: tiny, fields: [{key: amount, type: number}, {key: note, type: text}],
  activities: [{key: demo, effort: 60m, lead_time: 3d}],
  stages: [{key: talks, exit: [{id: noted, field: note, is: present, mode: warn}]}, {key: won, kind: won}],
  path: [talks, won], transitions: [{from: talks, to: won, requires: [{id: paid, field: amount, at_least: 1}]}]}
as_of: 2026-11-23T10:00:00Z
deal: {stage: talks, fields: {note: hello}}
deals: {paid: {fields: {amount: 5}}}
cases:
"""
GOOD = PROCESS + "  - {name: Paid is won, deal: paid, to: won, expect: {outcome: allowed, satisfied: [noted, paid]}}\n"


def write(folder: Path, cases: str, name: str = "tiny.cases.yaml", head: str = PROCESS) -> Path:
    path = folder / name
    path.write_text(head + cases)
    return path


def test_cases_that_hold_are_counted(stagerail: Stagerail, tmp_path: Path) -> None:
    assert stagerail("test", write(tmp_path, GOOD, head="")) == Said(0, "✓ 1 case passed\n", "")


def test_a_case_that_fails_shows_its_place_its_name_and_the_difference(stagerail: Stagerail, tmp_path: Path) -> None:
    path = write(tmp_path, "  - name: Won for nothing\n    to: won\n    expect: {outcome: allowed}\n")
    assert stagerail("test", path) == Said(
        1,
        f"✗ {path}:9: failed: Won for nothing\n"
        "    --- expected\n"
        "    +++ actual\n"
        "    @@ -1,2 +1,6 @@\n"
        "    -outcome: allowed\n"
        "    -findings: []\n"
        "    +outcome: blocked\n"
        "    +findings:\n"
        "    +  - requirement: paid\n"
        "    +    code: field_missing\n"
        "    +    severity: block\n"
        "    +    detail: the amount is missing; at least 1 needed\n"
        "\n"
        "✗ 1 case failed\n",
        "",
    )


def test_the_difference_is_told_in_italian(stagerail: Stagerail, tmp_path: Path) -> None:
    path = write(tmp_path, "  - {name: Per niente, to: won, expect: {outcome: allowed}}\n")
    lines = stagerail("test", path, "--lang", "it").out.splitlines()
    assert (lines[0], lines[1], lines[2], lines[-1]) == (
        f"✗ {path}:9: fallito: Per niente",
        "    --- atteso",
        "    +++ ottenuto",
        "✗ 1 caso fallito",
    )


UNPAID = "  - {name: c, to: won, expect: {outcome: blocked, findings: %s}}\n"


@pytest.mark.parametrize(
    "findings",
    [
        "[paid]",
        "[{requirement: paid, severity: block}]",
        "[{code: field_missing}]",
        "[{requirement: paid, code: field_missing, at: transition, expected: {at_least: 1}, actual: {value: null}}]",
        "[{requirement: paid, remediation: [{kind: fill_field, field: amount}]}]",
    ],
)
def test_a_finding_is_compared_in_the_keys_that_are_given(stagerail: Stagerail, tmp_path: Path, findings: str) -> None:
    assert stagerail("test", write(tmp_path, UNPAID % findings)).status == 0


@pytest.mark.parametrize(
    "findings",
    [
        "[]",
        "[noted]",
        "[paid, noted]",
        "[paid, paid]",
        "[{requirement: paid, severity: warn}]",
        "[{requirement: paid, code: field_mismatch}]",
        "[{requirement: paid, at: exit}]",
        "[{requirement: paid, expected: {}}]",
        "[{requirement: paid, actual: {value: 0}}]",
        "[{requirement: paid, remediation: []}]",
    ],
)
def test_a_missing_an_unexpected_and_another_finding_fail(stagerail: Stagerail, tmp_path: Path, findings: str) -> None:
    said = stagerail("test", write(tmp_path, UNPAID % findings))
    assert (said.status, said.out.splitlines()[-1]) == (1, "✗ 1 case failed")


def test_findings_left_out_stand_for_none(stagerail: Stagerail, tmp_path: Path) -> None:
    case = "  - {name: c, deal: {like: paid, fields: {note: null}}, to: won, expect: {outcome: allowed}}\n"
    said = stagerail("test", write(tmp_path, case))
    assert (said.status, "requirement: noted" in said.out) == (1, True)


def test_suggestions_and_the_plan_are_compared_as_whole_lists(stagerail: Stagerail, tmp_path: Path) -> None:
    good = "{plan: {stages: [won], open_requirements: 1}, suggestions: [{kind: fill_field, field: amount}]}"
    bad = "{plan: {stages: [won], open_requirements: 2}, suggestions: []}"
    case = "  - {name: c, goal: won, expect: %s}\n"
    assert [0, 1] == [stagerail("test", write(tmp_path, case % wanted)).status for wanted in (good, bad)]


def test_a_field_that_null_takes_away_is_absent(stagerail: Stagerail, tmp_path: Path) -> None:
    deal = "{like: paid, fields: {amount: null}}"
    case = f"  - {{name: c, deal: {deal}, to: won, expect: {{outcome: blocked, findings: [paid]}}}}\n"
    assert stagerail("test", write(tmp_path, case)).status == 0


def test_facts_that_nobody_brought_are_unknown(stagerail: Stagerail, tmp_path: Path) -> None:
    case = (
        "  - {name: c, to: won, missing: [fields], expect: {outcome: blocked, findings: [{code: cannot_evaluate}]}}\n"
    )
    assert stagerail("test", write(tmp_path, case)).status == 0


WRONG: dict[str, tuple[str, list[str]]] = {
    "an unknown key": (
        "  - {name: c, to: won, expcet: {outcome: allowed}}\n",
        ["9:5: error: `cases[0].expect`: this is required and missing", "9:24: error: `cases[0].expcet`: unknown"],
    ),
    "an unknown key of an expectation": (
        "  - {name: c, to: won, expect: {outcome: allowed, finding: []}}\n",
        ["9:51: error: `cases[0].expect.finding`: unknown field"],
    ),
    "an unknown key of a finding": (
        "  - {name: c, to: won, expect: {outcome: blocked, findings: [{requirement: paid, sverity: block}]}}\n",
        ["9:82: error: `cases[0].expect.findings[0].sverity`: unknown field"],
    ),
    "a finding without a name": (
        "  - {name: c, to: won, expect: {outcome: blocked, findings: [{severity: block}]}}\n",
        ["9:62: error: `cases[0].expect.findings[0]`: name the `requirement` or the `code`"],
    ),
    "neither a move nor a goal": (
        "  - {name: c, expect: {outcome: allowed}}\n",
        ["9:5: error: `cases[0]`: say either `to` (a decision) or `goal` (suggestions)"],
    ),
    "suggestions of a decision": (
        "  - {name: c, to: won, expect: {outcome: allowed, suggestions: []}}\n",
        ["9:5: error: `cases[0]`: this case does not ask for suggestions"],
    ),
    "no outcome": (
        "  - {name: c, to: won, expect: {findings: []}}\n",
        ["9:5: error: `cases[0]`: say which `outcome` is expected"],
    ),
    "an unknown stage": (
        "  - {name: c, to: wno, expect: {outcome: allowed}}\n",
        ["9:19: error: the process has no stage `wno`; its stages are `talks`, `won`"],
    ),
    "an unknown deal": (
        "  - {name: c, deal: payd, to: won, expect: {outcome: allowed}}\n",
        ["9:21: error: no deal `payd` stands under `deals`; there are: `paid`"],
    ),
    "a wrong fact in a deal of the case": (
        "  - {name: c, deal: {stage: 7}, to: won, expect: {outcome: allowed}}\n",
        ["9:29: error: `cases[0].deal.stage`: this must be text"],
    ),
    "the same name twice": (
        "  - {name: c, to: won, expect: {outcome: blocked, findings: [paid]}}\n" * 2,
        ["10:12: error: a case named “c” stands at line 9 already"],
    ),
    "no cases": ("  []\n", ["9:3: error: "]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_case_file_is_told_with_its_place(
    stagerail: Stagerail, tmp_path: Path, wrong: str
) -> None:
    cases, sentences = WRONG[wrong]
    path = write(tmp_path, cases)
    said = stagerail("test", path)
    lines = said.out.splitlines()
    assert (said.status, len(lines)) == (1, len(sentences) + 1)
    for sentence, line in zip(sentences, lines, strict=False):
        assert line.startswith(f"{path}:{sentence}")


def test_a_case_needs_an_instant(stagerail: Stagerail, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("as_of: 2026-11-23T10:00:00Z\n", ""), head="")
    assert stagerail("test", path).out.startswith(f"{path}:8:5: error: a case needs an `as_of`")


def test_a_wrong_fact_that_cases_share_is_told_once_where_it_stands(stagerail: Stagerail, tmp_path: Path) -> None:
    cases = "".join(f"  - {{name: c{n}, to: won, expect: {{outcome: allowed}}}}\n" for n in range(3))
    head = PROCESS.replace("stage: talks, fields", "stage: talks, owner: 7, fields")
    path = write(tmp_path, cases, head=head)
    assert stagerail("test", path).out.splitlines() == [
        f"{path}:6:29: error: `deal.owner`: this must be text [string_type]",
        "✗ 1 problem in the files",
    ]


def test_an_error_in_the_inline_process_is_placed_in_the_case_file(stagerail: Stagerail, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("kind: won}", "kind: wno}"), head="")
    assert stagerail("test", path).out.startswith(f"{path}:3:102: error: ")


def test_a_process_beside_the_case_file_is_found_from_anywhere(stagerail: Stagerail, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("process: p\nstages: [{key: talks}, {key: won, kind: won}]\npath: [talks, won]\n")
    case = (
        "as_of: 2026-11-23T10:00:00Z\ncases: [{name: c, deal: {stage: talks}, to: won, expect: {outcome: allowed}}]\n"
    )
    assert stagerail("test", write(tmp_path, case, head="process: p.yaml\n")).status == 0
    missing = write(tmp_path, case, head="process: q.yaml\n")
    assert stagerail("test", missing).out.startswith(f"{missing}:1:10: error: there is no file `{tmp_path}/q.yaml`")


def test_folders_are_searched_and_a_bad_file_does_not_hide_the_others(stagerail: Stagerail, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path, GOOD, "deep/a.cases.yaml", head="")
    write(tmp_path, "cases: 7\n", "b.cases.yaml", head="")
    write(tmp_path, "no case file", "notes.yaml", head="")
    said = stagerail("test", tmp_path)
    assert (said.status, said.out.splitlines()[-1]) == (1, "✗ 1 case passed, 2 problems in the files")


def test_a_folder_without_case_files_is_wrong_usage(stagerail: Stagerail, tmp_path: Path) -> None:
    said = stagerail("test", tmp_path)
    assert said == Said(2, "", f"stagerail: error: no file in `{tmp_path}` is named *.cases.yaml\n")


def test_as_json_each_case_tells_what_was_expected_and_what_came(stagerail: Stagerail, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "  - {name: c, to: won, expect: {outcome: allowed}}\n", head="")
    said = stagerail("test", path, "--json")
    came: dict[str, Any] = json.loads(said.out)
    finding = {
        "requirement": "paid",
        "code": "field_missing",
        "severity": "block",
        "detail": "the amount is missing; at least 1 needed",
    }
    assert (said.status, came) == (
        1,
        {
            "passed": 1,
            "failed": 1,
            "cases": [
                {"file": str(path), "line": 9, "name": "Paid is won", "passed": True},
                {
                    "file": str(path),
                    "line": 10,
                    "name": "c",
                    "passed": False,
                    "expected": {"outcome": "allowed", "findings": []},
                    "actual": {"outcome": "blocked", "findings": [finding]},
                },
            ],
            "problems": [],
        },
    )
