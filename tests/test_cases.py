"""Behaviours written down as cases, in the very format that `stagerail test` runs."""

from pathlib import Path

import pytest

from app.cli.cases import Case, CaseFile, read_case_file, run_case
from app.cli.terminal import Terminal

FILES = sorted(Path(__file__).with_name("cases").glob("*.cases.yaml"))


def every_case() -> list[tuple[CaseFile, Case]]:
    files = [read_case_file(str(path), Terminal("en")) for path in FILES]
    return [(file, case) for file in files for case in file.cases]


CASES = every_case()


@pytest.mark.parametrize(
    ("file", "case"),
    [pytest.param(file, case, id=f"{file.compiled.key}: {case.shape.name}") for file, case in CASES],
)
def test_case(file: CaseFile, case: Case) -> None:
    comparison = run_case(file, case).comparison
    assert comparison.expected == comparison.actual


def test_there_is_a_table_of_cases_worth_the_name() -> None:
    assert len(CASES) >= 120
    assert len({file.compiled.key for file, _ in CASES}) == len(FILES)
