"""`stagerail check`."""

import json
from pathlib import Path

import pytest

from app.engine import digest_of
from app.engine.load import load_process
from tests.unit.cli.said import EXAMPLES, Said, Stagerail

PROCESS = EXAMPLES / "b2b-saas.yaml"
BROKEN = b"""process: broken
stages:
  - key: first
    colour: red
  - {key: won, kind: won}
path: [first, second, won]
"""


def test_a_sound_file_is_called_so_with_its_figures(stagerail: Stagerail) -> None:
    good = f"✓ {PROCESS}: no errors: 8 stages, 13 moves, 34 requirements\n"
    assert stagerail("check", PROCESS) == Said(0, good, "")


def test_every_error_has_its_line_and_column_and_they_come_all_at_once(stagerail: Stagerail) -> None:
    said = stagerail("check", "-", stdin=BROKEN)
    places = [line.partition(": ")[0] for line in said.out.splitlines()]
    assert (said.status, places[:2], said.err) == (1, ["<stdin>:4:5", "<stdin>:6:15"], "")
    assert places[-1] == "<stdin>"
    assert "2 errors" in said.out


def test_errors_are_told_in_italian(stagerail: Stagerail) -> None:
    said = stagerail("check", "-", "--lang", "it", stdin=BROKEN)
    assert (said.status, said.out.splitlines()[-1]) == (1, "<stdin>: 2 errori")


def test_as_json_every_problem_keeps_its_code_and_place(stagerail: Stagerail) -> None:
    said = stagerail("check", "-", "--json", stdin=BROKEN)
    answer = json.loads(said.out)
    assert (said.status, answer["type"], answer["status"]) == (1, "/problems/invalid-process-file", 422)
    wanted = [("unknown_key", "error", 4, 5), ("unknown_name", "error", 6, 15)]
    assert wanted == [(one["code"], one["severity"], one["line"], one["column"]) for one in answer["errors"]]


def test_a_sound_file_is_sound_as_json_too(stagerail: Stagerail) -> None:
    said = stagerail("check", PROCESS, "--json")
    digest = digest_of(load_process(PROCESS.read_bytes()))
    process = {"key": "b2b-saas", "version": None, "digest": digest}
    assert (said.status, json.loads(said.out)) == (0, {"process": process, "created": False, "warnings": []})


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"{", b"a: [", b"[" * 100_000, b"x" * (1024 * 1024 + 1)])
def test_what_is_no_process_file_is_one_line_and_no_traceback(stagerail: Stagerail, content: bytes) -> None:
    said = stagerail("check", "-", stdin=content)
    assert (said.status, said.err, "Traceback" in said.out) == (1, "", False)
    assert said.out.startswith("<stdin>:")


def test_a_file_that_is_not_there_is_wrong_usage(stagerail: Stagerail) -> None:
    assert stagerail("check", "nowhere.yaml") == Said(2, "", "stagerail: error: there is no file `nowhere.yaml`\n")


def test_a_folder_is_wrong_usage(stagerail: Stagerail, tmp_path: Path) -> None:
    said = stagerail("check", tmp_path)
    assert (said.status, said.err) == (2, f"stagerail: error: `{tmp_path}` cannot be read: is a directory\n")
