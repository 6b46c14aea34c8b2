"""The starters: each is good at its level, says so in both languages, and answers as its own cases say."""

from pathlib import Path

import pytest

from app.cli.cases import Case, CaseFile, read_case_file, run_case
from app.cli.terminal import Terminal
from app.engine.check import check_process
from app.i18n import LOCALES
from app.services.starters import list_starters, starter_process
from app.starters import KEYS

FOLDER = Path(__file__).parents[2] / "app" / "starters"
FILES = {key: read_case_file(str(FOLDER / f"{key}.cases.yaml"), Terminal("en")) for key in KEYS}
CASES = [(file, case) for file in FILES.values() for case in file.cases]


@pytest.mark.parametrize(
    ("file", "case"),
    [pytest.param(file, case, id=f"{file.compiled.key}: {case.shape.name}") for file, case in CASES],
)
def test_case(file: CaseFile, case: Case) -> None:
    comparison = run_case(file, case).comparison
    assert comparison.expected == comparison.actual


@pytest.mark.parametrize("key", KEYS)
def test_every_starter_has_cases_of_its_own_that_expect_whole_answers(key: str) -> None:
    shapes = [case.shape for case in FILES[key].cases]
    whole = [one for one in shapes if {"findings", "satisfied", "not_applicable"} <= one.expect.model_fields_set]
    assert (FILES[key].compiled.key, len(whole)) == (key, len(shapes))
    assert len(shapes) >= 6


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_passes_the_checker_at_its_level_without_a_finding(key: str) -> None:
    assert check_process(starter_process(key)) == ()


def test_what_each_is_for_is_told_in_both_languages() -> None:
    english, italian = ([one["for"] for one in list_starters(locale)] for locale in LOCALES)
    assert [one for one in zip(english, italian, strict=True) if one[0] == one[1]] == []
    assert [one["key"] for one in list_starters("en")] == list(KEYS)
    assert [one["maturity"] for one in list_starters("en")] == ["crawl", "walk", "run", "walk", "walk"]
