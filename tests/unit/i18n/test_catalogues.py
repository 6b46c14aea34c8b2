"""Both catalogues are complete, agree with each other, and hold every code that the product can utter."""

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Message

from app.engine.process import ActivityKind, FieldType
from app.i18n import LOCALES, PROBLEM_TYPES, texts
from app.i18n.details import FINDING_CODES
from app.i18n.remedies import REMEDY_KINDS
from app.i18n.texts import read_catalogue
from app.settings import EXPECTED

APP = Path(__file__).parents[3] / "app"
FORMS = {"", "a", "the", "no", "since", "to the", "of the"}
SAME_IN_BOTH = {"figure.no"}
"""Words that the two languages share; anything else that is equal was copied and never translated."""

BECAUSE = (
    "no_actor", "wrong_type", "outside_choices", "stage_entry_unknown", "deal_start_unknown",
    "lost_from_unknown", "stage_history_missing", "stage_never_entered",
    "other_field_absent", "other_field_wrong_type", "other_field_outside_choices", "facts_missing", "when_unknown",
)  # fmt: skip
IGNORED = (
    "status", "as_of", "outcome", "direction", "since", "within", "with", "move", "stage_entry", "same_person",
)  # fmt: skip
USED = re.compile(
    r'"((?:cli|problem|file|request|finding|remedy|need|fact|because|figure|unit|option|suggestion)\.[a-z_.-]*[a-z])"'
)


def messages(locale: str) -> dict[str, Message]:
    found = [message for message in read_catalogue(locale) if message.id]
    ids = [message.id if isinstance(message.id, str) else message.id[0] for message in found]
    assert sorted(set(ids)) == sorted(ids)
    return dict(zip(ids, found, strict=True))


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def placeholders(template: str) -> Iterator[tuple[str, str]]:
    for _, name, form, _ in string.Formatter().parse(template):
        if name is not None:
            yield name, form or ""


def test_both_catalogues_hold_the_same_codes_in_the_same_order() -> None:
    assert list(messages("en")) == list(messages("it"))


@pytest.mark.parametrize("locale", LOCALES)
def test_no_code_has_two_texts(locale: str) -> None:
    source = (APP / "i18n" / f"{locale}.po").read_text(encoding="utf-8")
    codes = re.findall(r'^msgid "(.+)"$', source, re.MULTILINE)
    assert [code for code in set(codes) if codes.count(code) > 1] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_is_empty_and_none_ends_with_a_full_stop(locale: str) -> None:
    bad = [
        code
        for code, message in messages(locale).items()
        for text in forms(message)
        if not text.strip() or text.rstrip().endswith(".")
    ]
    assert [] == bad


def filled(message: Message) -> set[str]:
    """The names a text puts in; one that only makes other words agree puts nothing in."""
    return {name for text in forms(message) for name, form in placeholders(text) if "|" not in form}


def test_both_languages_fill_the_same_placeholders() -> None:
    english, italian = messages("en"), messages("it")
    assert [] == [code for code in english if filled(english[code]) != filled(italian[code])]


def test_both_languages_have_plurals_for_the_same_codes() -> None:
    english, italian = messages("en"), messages("it")
    assert {code: len(forms(message)) for code, message in english.items()} == {
        code: len(forms(message)) for code, message in italian.items()
    }


@pytest.mark.parametrize("locale", LOCALES)
def test_templates_ask_only_for_forms_that_words_have(locale: str) -> None:
    asked = {form for message in messages(locale).values() for text in forms(message) for _, form in placeholders(text)}
    assert {form for form in asked if "|" not in form} <= FORMS
    assert locale == "it" or not {form for form in asked if "|" in form}


def test_no_english_was_left_in_italian() -> None:
    english, italian = messages("en"), messages("it")
    wordless = re.compile(r"\{[^}]*\}|%\([a-z_]*\)s|[^A-Za-z]")
    copied = {
        code
        for code in english
        if forms(english[code]) == forms(italian[code]) and any(wordless.sub("", text) for text in forms(english[code]))
    }
    assert SAME_IN_BOTH == copied


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "code",
    [
        *(f"finding.{code}.message" for code in FINDING_CODES),
        *(f"because.{value}" for value in BECAUSE),
        *(f"ignored.{value}" for value in IGNORED),
        *(f"problem.{kind}.{part}" for kind in PROBLEM_TYPES for part in ("title", "detail")),
        *(f"type.{kind}" for kind in get_args(FieldType)),
        *(f"kind.{kind}.done" for kind in get_args(ActivityKind)),
        *(f"remedy.do_activity.{kind}" for kind in get_args(ActivityKind)),
        "remedy.do_activity.inbound",
        *(f"remedy.{kind}" for kind in REMEDY_KINDS if kind != "do_activity"),
        *(f"outcome.{outcome}" for outcome in ("allowed", "blocked", "not_judged")),
        *(f"severity.{severity}" for severity in ("block", "warn", "info", "error", "warning")),
        *(f"note.{code}" for code in ("undeclared_field", "unknown_activity")),
        *(f"setting_{name}" for name in EXPECTED),
    ],
)
def test_every_code_the_product_utters_has_a_text(code: str, locale: str) -> None:
    assert texts(locale).has(code)


@pytest.mark.parametrize("room", ["i18n", "cli", "api", "services", "crm"])
def test_every_text_that_the_code_names_is_there(room: str) -> None:
    english = texts("en")
    named = {code for file in (APP / room).rglob("*.py") for code in USED.findall(file.read_text(encoding="utf-8"))}
    assert set() == {code for code in named if not any(known.startswith(code) for known in english.templates)}
