"""`stagerail migrate`, and the settings it reads."""

import json
from pathlib import Path

import pytest

from app.store.migrate import HEAD, pending
from tests.unit.cli.said import Said, Stagerail


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", database_url)
    return database_url


def test_a_database_is_brought_up_to_date_once(stagerail: Stagerail, url: str) -> None:
    done = [pending(url), stagerail("migrate"), stagerail("migrate"), pending(url)]
    first = Said(0, f"the database is up to date ({HEAD})\n", "")
    again = Said(0, f"the database was up to date already ({HEAD})\n", "")
    assert done == [True, first, again, False]


def test_as_json_it_says_whether_anything_changed(stagerail: Stagerail, url: str) -> None:
    assert pending(url)
    said = [json.loads(stagerail("migrate", "--json").out) for _ in range(2)]
    assert said == [{"revision": HEAD, "changed": True}, {"revision": HEAD, "changed": False}]


def test_a_database_that_is_down_is_one_line(stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/none")
    said = stagerail("migrate")
    assert (said.status, said.out, said.err.count("\n"), "secret" in said.err) == (2, "", 1, False)
    assert said.err.startswith("stagerail: error: the database cannot be reached: ")


def test_a_folder_that_is_not_there_is_one_line(
    stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", f"sqlite:///{tmp_path}/no/stagerail.db")
    said = stagerail("migrate")
    sentence = f"the database cannot be used: cannot open {tmp_path}/no/stagerail.db: no such file or directory"
    assert said == Said(2, "", f"stagerail: error: {sentence}\n")


def test_every_setting_that_is_refused_is_told_in_both_languages(
    stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGERAIL_PORT", "high")
    monkeypatch.setenv("STAGERAIL_DATABASE", "x")
    said = {language: stagerail("migrate", "--lang", language) for language in ("en", "it")}
    assert said["en"] == Said(
        2,
        "",
        "stagerail: error: STAGERAIL_DATABASE is not a setting; did you mean STAGERAIL_DATABASE_URL?; "
        "STAGERAIL_PORT must be a number from 1 to 65535\n",
    )
    assert (said["it"].status, "deve essere un numero" in said["it"].err) == (2, True)
