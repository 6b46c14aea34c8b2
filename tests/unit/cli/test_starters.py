"""`stagerail starters` and `stagerail init`."""

import json
from pathlib import Path

import pytest

from app.starters import KEYS, read_starter
from tests.unit.cli.said import Said, Stagerail

KNOWN = ", ".join(f"`{key}`" for key in KEYS)


def test_the_starters_are_listed_with_their_maturity(stagerail: Stagerail) -> None:
    said = stagerail("starters")
    lines = said.out.splitlines()
    assert (said.status, [line.split()[0] for line in lines], said.err) == (0, list(KEYS), "")
    assert lines[0] == (
        "crawl                 First process (crawl): a team without a process: three stages, two house rules and no"
        " empty records"
    )


def test_the_starters_are_listed_as_the_server_does(stagerail: Stagerail) -> None:
    said = stagerail("starters", "--json", "--lang", "it")
    assert json.loads(said.out)["items"][0] == {
        "key": "crawl",
        "name": "Primo processo",
        "maturity": "crawl",
        "for": "una squadra senza processo: tre fasi, due regole di casa e nessuna scheda vuota",
    }


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_is_written_as_it_is_and_passes_the_check(stagerail: Stagerail, tmp_path: Path, key: str) -> None:
    file = tmp_path / "process.yaml"
    said = stagerail("init", key, "--to", file)
    cases = tmp_path / "process.cases.yaml"
    told = f"✓ `{file}` holds the starter `{key}`, `{cases}` its cases; next: stagerail check {file}\n"
    assert said == Said(0, told, "")
    assert file.read_bytes() == read_starter(key)
    assert stagerail("check", file).status == 0
    assert stagerail("test", cases).status == 0


def test_without_a_name_for_the_file_it_is_named_for_the_starter(
    stagerail: Stagerail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stagerail("init", "run").status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.cases.yaml", "run.yaml"]


def test_a_file_that_is_there_is_never_overwritten_unless_told_to(stagerail: Stagerail, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"mine")
    refused = f"stagerail: error: `{file}` is there already; use --force to overwrite it, or --to for another file\n"
    assert (stagerail("init", "walk", "--to", file), file.read_bytes()) == (Said(2, "", refused), b"mine")
    assert (stagerail("init", "walk", "--to", file, "--force").status, file.read_bytes()) == (0, read_starter("walk"))


def test_cases_that_are_there_are_kept_and_nothing_is_half_written(stagerail: Stagerail, tmp_path: Path) -> None:
    file, cases = tmp_path / "mine.yaml", tmp_path / "mine.cases.yaml"
    cases.write_bytes(b"mine")
    assert (stagerail("init", "walk", "--to", file).status, file.exists(), cases.read_bytes()) == (2, False, b"mine")


def test_a_starter_that_does_not_exist_is_refused_with_those_that_do(stagerail: Stagerail, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    expected = Said(2, "", f"stagerail: error: there is no starter `../walk`; there are {KNOWN}\n")
    assert (stagerail("init", "../walk", "--to", file), file.exists()) == (expected, False)


def test_a_folder_that_does_not_exist_is_told(stagerail: Stagerail, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "x.yaml"
    said = stagerail("init", "walk", "--to", file)
    assert said == Said(2, "", f"stagerail: error: `{file}` cannot be written: no such file or directory\n")


def test_as_json_the_file_and_the_starter_are_told(stagerail: Stagerail, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    answer = json.loads(stagerail("init", "crawl", "--to", file, "--json").out)
    assert (answer["file"], answer["starter"]["key"]) == (str(file), "crawl")
