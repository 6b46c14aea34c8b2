"""The command line, run inside the test: its exit status, and what it said on both outputs."""

import io
import sys
from pathlib import Path

import pytest

from app.cli import main
from tests.unit.cli.said import Said, Stagerail


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stagerail(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Stagerail:
    """Run `stagerail …`."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main([str(argument) for argument in arguments])
        return Said(status, *capsys.readouterr())

    return run
