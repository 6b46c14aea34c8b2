"""What all verbs share: help, languages, wrong usage, where output goes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli.parser import wanted_language
from tests.unit.cli.said import EXAMPLES, Said, Stagerail

STARTERS = Path("app/starters")
PROCESS, DEAL = EXAMPLES / "b2b-saas.yaml", EXAMPLES / "deal.json"
VERBS = [
    "serve", "check", "decide", "suggest", "test", "graph", "schema", "migrate", "key", "publish", "starters", "init",
    "assess",
]  # fmt: skip


def test_the_help_names_every_verb(stagerail: Stagerail) -> None:
    said = stagerail("--help")
    assert (said.status, said.err, [verb for verb in VERBS if f"\n    {verb} " not in said.out]) == (0, "", [])


@pytest.mark.parametrize("verb", [*VERBS, "key create", "key list", "key revoke"])
@pytest.mark.parametrize("language", ["en", "it"])
def test_every_verb_explains_itself_in_both_languages(stagerail: Stagerail, verb: str, language: str) -> None:
    said = stagerail(*verb.split(), "--help", "--lang", language)
    head = {"en": "usage: stagerail", "it": "uso: stagerail"}[language]
    assert (said.status, said.out.startswith(f"{head} {verb}"), "cli." in said.out) == (0, True, False)


def test_the_version_is_told(stagerail: Stagerail) -> None:
    assert stagerail("--version") == Said(0, f"stagerail {__version__}\n", "")


WRONG = {
    "no verb": ([], "these are missing: VERB", "mancano: VERB"),
    "an unknown verb": (["chekc"], "'chekc' is not one of", "'chekc' non è tra"),
    "an unknown option": (["check", "x", "--fast"], "these are not understood: --fast", "non riconosciuti: --fast"),
    "an option without value": (["decide", "x", "y", "--to"], "--to: a value is needed", "--to: serve un valore"),
    "a missing option": (["decide", "x", "y"], "these are missing: --to", "mancano: --to"),
    "a limit that is none": (["suggest", "x", "y", "--limit", "-1"], "'-1' is not a good", "'-1' non è un valore"),
    "an unknown format": (["graph", "x", "--format", "png"], "'png' is not one of", "'png' non è tra"),
    "an unknown scope": (["key", "create", "--scope", "all"], "'all' is not one of", "'all' non è tra"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage_is_told_in_both_languages(
    stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    arguments, *sentences = WRONG[wrong]
    for language, sentence in zip(("en", "it"), sentences, strict=True):
        monkeypatch.setenv("STAGERAIL_LANG", language)
        said = stagerail(*arguments)
        assert (said.status, said.out, sentence in said.err) == (2, "", True), said.err


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "it_IT.UTF-8"}, "it"),
        ([], {"LANG": "de_DE.UTF-8"}, "en"),
        ([], {"LANG": "it_IT", "LC_ALL": "C"}, "en"),
        ([], {"LC_ALL": "C", "STAGERAIL_LANG": "it"}, "it"),
        (["check", "--lang", "en"], {"STAGERAIL_LANG": "it"}, "en"),
        (["--lang=it", "check"], {"STAGERAIL_LANG": "en"}, "it"),
    ],
)
def test_the_language_is_the_most_explicit_one(
    arguments: list[str], environment: dict[str, str], language: str
) -> None:
    assert wanted_language(arguments, environment) == language


def test_a_file_that_is_read_needs_neither_server_nor_database_nor_framework() -> None:
    code = (
        "import sys; from app.cli import main; main(sys.argv[1:]);"
        "print([name for name in ('fastapi', 'sqlalchemy', 'uvicorn', 'asyncio', 'alembic') if name in sys.modules])"
    )
    arguments = ["decide", str(PROCESS), str(DEAL), "--to", "demo_completed"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=False, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_read_enough_makes_no_noise() -> None:
    command = f"{sys.executable} -m app.cli schema | head -c 1; echo ${{PIPESTATUS[1]}}"
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, cwd=EXAMPLES.parent)
    assert (done.stdout, done.stderr) == ("{0\n", "")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, stagerail: Stagerail, environment: dict[str, str], coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    stagerail("decide", PROCESS, DEAL, "--to", "demo_completed")
    assert ("\x1b[31m✗ blocked" in screen.getvalue()) is coloured


def test_a_terminal_that_cannot_show_our_marks_gets_others() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "check", str(PROCESS)],
        check=False,
        capture_output=True,
        cwd=EXAMPLES.parent,
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout[:2], done.stderr) == (0, b"? ", b"")


def test_the_schema_is_json_schema(stagerail: Stagerail) -> None:
    said = stagerail("schema")
    assert (said.status, json.loads(said.out)["$schema"]) == (0, "https://json-schema.org/draft/2020-12/schema")


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ([], '---\ntitle: "B2B SaaS sales"\n---\nflowchart TD\n'),
        (["--format", "svg"], "<svg"),
        (["--format", "json"], "{"),
        (["--json"], "{"),
    ],
)
def test_the_picture_comes_in_every_form(stagerail: Stagerail, arguments: list[str], start: str) -> None:
    said = stagerail("graph", PROCESS, *arguments)
    assert (said.status, said.out.startswith(start)) == (0, True)


def test_the_picture_comes_as_the_buyer_sees_it(stagerail: Stagerail) -> None:
    said = stagerail("graph", STARTERS / "run.yaml", "--view", "buyer")
    box = '  stage_terms_agreement["Terms agreement<br/><small>Agreement on terms</small>"]'
    assert (said.status, box in said.out.splitlines()) == (0, True)
    assert box not in stagerail("graph", STARTERS / "run.yaml").out
