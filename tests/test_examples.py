"""The examples are true: each case by itself, the files as a whole, and what README.md beside them prints."""

import re
from pathlib import Path

import pytest
import yaml

from app.cli import main
from app.cli.cases import Case, CaseFile, read_case_file, run_case
from app.cli.terminal import Terminal
from app.engine.conditions import KINDS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
STARTERS = ROOT / "app" / "starters"


def every_case() -> list[tuple[CaseFile, Case]]:
    files = [read_case_file(str(path), Terminal("en")) for path in sorted(EXAMPLES.rglob("*.cases.yaml"))]
    return [(file, case) for file in files for case in file.cases]


@pytest.mark.parametrize(
    ("file", "case"), [pytest.param(file, case, id=case.shape.name) for file, case in every_case()]
)
def test_example(file: CaseFile, case: Case) -> None:
    comparison = run_case(file, case).comparison
    assert comparison.expected == comparison.actual


def test_the_examples_pass_as_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["test", str(EXAMPLES)])
    count = len(every_case())
    assert (status, capsys.readouterr().out) == (0, f"✓ {count} cases passed\n")
    assert f"{count} cases" in (EXAMPLES / "README.md").read_text()
    assert count >= 25


@pytest.mark.parametrize(
    "path",
    [
        EXAMPLES / "b2b-saas.yaml",
        *sorted(path for path in STARTERS.glob("*.yaml") if ".cases" not in path.name),
    ],
    ids=lambda p: p.stem,
)
def test_every_process_that_ships_is_sound_without_a_warning(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check", str(path)])
    said = capsys.readouterr().out
    assert (status, len(said.splitlines())) == (0, 1), said


def test_the_example_is_the_process_of_the_demo() -> None:
    assert (EXAMPLES / "b2b-saas.yaml").read_text() == (STARTERS / "b2b-saas.yaml").read_text()


def test_the_example_uses_every_kind_of_requirement() -> None:
    text = (EXAMPLES / "b2b-saas.yaml").read_text()
    assert [] == [kind for kind in KINDS if not re.search(rf"\b{kind}:", text)]


def test_every_text_of_the_example_is_in_both_languages() -> None:
    def texts(value: object) -> list[dict[str, str]]:
        if isinstance(value, dict):
            own = [found for key, found in value.items() if key in ("name", "say", "how") and isinstance(found, dict)]
            return own + [text for part in value.values() for text in texts(part)]
        return [text for part in value for text in texts(part)] if isinstance(value, list) else []

    found = texts(yaml.safe_load((EXAMPLES / "b2b-saas.yaml").read_text()))
    assert [] == [text for text in found if set(text) != {"en", "it"}]
    assert len(found) > 50


def test_the_case_file_of_the_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.findall(r"```yaml\n(process: .*?)```", (EXAMPLES / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "readme.cases.yaml"
    path.write_text(shown[0].replace("process: b2b-saas.yaml", f"process: {EXAMPLES / 'b2b-saas.yaml'}"))
    assert (len(shown), main(["test", str(path)]), capsys.readouterr().out) == (1, 0, "✓ 2 cases passed\n")
