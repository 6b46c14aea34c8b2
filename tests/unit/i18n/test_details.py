"""What every kind of finding says, in both languages: `wordings.yaml` and `undrawn.yaml` hold the sentences."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.engine import Actor
from app.i18n import LOCALES, Locale
from app.i18n.details import FINDING_CODES
from tests.builders_engine import activity, deal, judged
from tests.unit.i18n.sales import sales, shape, words

Row = dict[str, Any]


def rows(file: str) -> list[Row]:
    read: list[Row] = yaml.safe_load(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    return read


WORDINGS, UNDRAWN = rows("wordings.yaml"), rows("undrawn.yaml")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("row", WORDINGS, ids=lambda row: row["en"][1][:90])
def test_findings_say_what_is_wrong_and_what_to_do(row: Row, locale: Locale) -> None:
    assert (row["code"], *row[locale]) == words(row["asked"], locale, **row.get("facts", {}))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("row", UNDRAWN, ids=lambda row: row["en"][1][:90])
def test_a_move_that_nothing_draws_names_those_that_are(row: Row, locale: Locale) -> None:
    compiled = sales()
    found = shape(judged(compiled, deal(row["from"]), row["to"]), compiled, locale)["findings"][0]
    assert [row["code"], *row[locale]] == [found["code"], found["message"], found["detail"]]


def test_no_finding_code_is_left_untested() -> None:
    tested = {row["code"] for row in (*WORDINGS, *UNDRAWN)} | {"unknown_stage"}  # in test_decisions.py
    tested |= {"reopen_not_allowed", "reopen_too_late", "first_touch_broken"}  # in test_house_rules.py
    assert set(FINDING_CODES) == tested


@pytest.mark.parametrize(
    ("missing", "asked", "english", "italian"),
    [
        ("activities", {"activity": "demo"}, "the deal's activities", "le attività della trattativa"),
        ("contacts", {"contact": "champion"}, "the deal's contacts", "i contatti della trattativa"),
        ("approvals", {"approval": "senior"}, "the deal's approvals", "le approvazioni della trattativa"),
        ("fields", {"field": "amount", "at_least": 1}, "the amount", "l'importo"),
    ],
)
def test_facts_that_nobody_sent_are_named(missing: str, asked: Row, english: str, italian: str) -> None:
    assert words(asked, "en", missing=missing)[2] == f"the facts to judge this were not sent: {english}"
    assert words(asked, "it", missing=missing)[2] == f"non sono arrivati i dati per valutarlo: {italian}"


@pytest.mark.parametrize("asked", [{"mover": ["senior"]}, {"approval": "senior"}, {"not": {"mover": ["senior"]}}])
def test_without_an_actor_the_actor_is_asked_for(asked: Row) -> None:
    assert words(asked, "en", actor=None)[2] == "it is not known who makes the move; name the actor"
    assert words(asked, "it", actor=None)[2] == "non si sa chi sposta la trattativa; indica l'`actor`"


def test_a_mover_without_any_role_is_told_so() -> None:
    said = words({"mover": ["senior"]}, "en", actor=Actor(id="x"))[2]
    assert said == "only a senior may make this move; the mover has no role"


def test_any_activity_counts_as_an_activity() -> None:
    asked = {"activity": "any", "at_least": 2}
    assert words(asked, "en", activities=[activity(1)])[2] == "activity done once; 2 needed"
    assert words(asked, "it")[2] == "nessun'attività svolta; ne servono 2"
