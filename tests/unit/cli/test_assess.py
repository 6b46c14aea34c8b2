"""`stagerail assess`: a file alone, or a process on a server with its deals."""

import json
from pathlib import Path

import pytest

from app.starters import read_starter
from tests.unit.cli.said import Said, Stagerail

TOO_LITTLE = (
    "there is too little data on “the process is kept: deviations among requirements asked”: keep deals here until"
    " there are 30 to look at; now there are 0"
)


def test_a_file_is_assessed_alone_and_what_needs_deals_is_not_guessed(stagerail: Stagerail) -> None:
    said = stagerail("assess", "-", stdin=read_starter("walk"))
    lines = said.out.splitlines()
    assert (said.status, said.err) == (0, "")
    assert lines[0] == "✓ crawl: there is a process: 1, wanted ≥ 1; evidence: processes=1"
    assert lines[5] == "✓ walk: key activities: 5, wanted ≥ 1 ≤ 5; evidence: activities=5"
    assert lines[6] == (
        "? walk: deals with an activity on record: -, wanted ≥ 0.8;"
        " evidence: deals=0 deals_with_activity=0 activities=0 least=20"
    )
    assert lines[-3:] == [
        "stands at: not known yet, there is too little data",
        f"next step: {TOO_LITTLE}",
        "the starter that fits it: stagerail init walk",
    ]


def test_below_the_first_level_stands_only_who_fails_in_it(stagerail: Stagerail) -> None:
    ruleless = read_starter("crawl").partition(b"policies:")[0]
    said = stagerail("assess", "-", stdin=ruleless)
    assert ("stands at: not yet crawl" in said.out, said.status) == (True, 0), said


def test_as_json_the_shape_is_that_of_the_server_in_either_language(stagerail: Stagerail) -> None:
    answer = json.loads(stagerail("assess", "-", "--json", "--lang", "it", stdin=read_starter("run")).out)
    assert (answer["process"]["key"], answer["claims"], answer["stands"]) == ("run", "run", None)
    assert [one["name"] for one in answer["criteria"]][-1] == "fasi che sono passi del cliente"


def test_a_vague_process_is_told_to_mend_its_stages(stagerail: Stagerail) -> None:
    vague = read_starter("walk").replace(b"en: Demo completed", b"en: Could be interested")
    answer = json.loads(stagerail("assess", "-", "--json", stdin=vague).out)
    factual = next(one for one in answer["criteria"] if one["criterion"] == "stages_factual")
    assert (factual["result"], factual["evidence"]) == ("fail", {"findings": {"vague_stage_name": 1}})
    assert (answer["next_step"]["criterion"], answer["next_step"]["starter"]) == ("stages_factual", "walk")


@pytest.mark.parametrize("arguments", [[], ["x.yaml", "--process", "walk"]])
def test_either_a_file_or_a_process_is_named(stagerail: Stagerail, arguments: list[str]) -> None:
    assert stagerail("assess", *arguments) == Said(2, "", "stagerail: error: say either a FILE or --process KEY\n")


def test_a_file_with_errors_is_told_as_by_check(stagerail: Stagerail, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("process: x\nstages: [{key: a, colour: red}]\n")
    said = stagerail("assess", file)
    assert (said.status, said.out, said.err.startswith(f"{file}:2:19: error")) == (1, "", True), said.err


def test_a_server_needs_a_key_and_must_be_there(stagerail: Stagerail) -> None:
    assert stagerail("assess", "--process", "walk").err.startswith("stagerail: error:")
    said = stagerail("assess", "--process", "walk", "--key", "srl_a_b", "--url", "http://127.0.0.1:1")
    assert (said.status, said.out, "http://127.0.0.1:1" in said.err) == (2, "", True)
