"""Catalogues by code, the language a caller asked for, and the words of authors."""

import warnings

import pytest

from app.i18n import MissingText, author_text, pick_locale, texts
from app.i18n.texts import Catalogue, number


def test_a_text_is_filled_with_its_params() -> None:
    assert texts("en").text("cli.no_file", file="x.yaml") == "there is no file `x.yaml`"
    assert texts("it").text("cli.no_file", file="x.yaml") == "il file `x.yaml` non esiste"


def test_a_count_picks_singular_or_plural_and_is_written_the_local_way() -> None:
    said = [texts(locale).plural("cli.cases_passed", n) for locale in ("en", "it") for n in (0, 1, 1200)]
    assert said == [
        "0 cases passed", "1 case passed", "1,200 cases passed",
        "0 casi superati", "1 caso superato", "1.200 casi superati",
    ]  # fmt: skip


def test_a_missing_code_fails_in_tests() -> None:
    with pytest.raises(MissingText):
        texts("it").text("no.such.code")


def test_in_production_a_missing_code_is_english_and_then_the_code_itself() -> None:
    english = Catalogue("en", {"known": ("in {place}",)}, None)
    italian = Catalogue("it", {}, english)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert italian.text("known", place="Rome") == "in Rome"
        assert italian.text("un{known}") == "un{known}"
        assert english.text("known") == "in {place}"


def test_a_missing_placeholder_fails_in_tests() -> None:
    with pytest.raises(MissingText):
        texts("en").text("cli.no_file")


def test_users_words_are_never_read_as_placeholders() -> None:
    assert texts("en").text("cli.no_file", file="{file.__class__}") == "there is no file `{file.__class__}`"


def test_lists_are_joined_as_people_do() -> None:
    english, italian = texts("en"), texts("it")
    assert [english.either([]), english.either(["a"]), english.either("ab"), english.both("abc")] == [
        "", "a", "a or b", "a, b and c",
    ]  # fmt: skip
    assert [italian.either("abc"), italian.both("ab")] == ["a, b o c", "a e b"]


def test_numbers_are_written_the_local_way() -> None:
    assert [number(50000, "en"), number(50000, "it"), number(0.25, "it"), number(-1200.5, "en")] == [
        "50,000", "50.000", "0,25", "-1,200.5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "en"),
        ("", "en"),
        ("en", "en"),
        ("it", "it"),
        ("IT", "it"),
        ("it-IT", "it"),
        ("it-CH,de;q=0.9", "it"),
        ("de,fr;q=0.9", "en"),
        ("de,it;q=0.3", "it"),
        ("en;q=0.5, it;q=0.6", "it"),
        ("en, it", "en"),
        ("it, en", "it"),
        ("it;q=0", "en"),
        ("en;q=0, *", "it"),
        ("en;q=0, it;q=0", "en"),
        ("*", "en"),
        ("it, *;q=0.9", "it"),
        ("fr, *;q=0.1", "en"),
        ("it;q=x, en", "en"),
        ("it;level=1", "en"),
        ("it ; q=0.8 , en ; q=0.7", "it"),
        (";;;,,,=q", "en"),
        ("\x00\ud800", "en"),
        ("it," * 100_000, "it"),
        ("a" * 5000 + ",it", "en"),
    ],
)
def test_accept_language_picks_the_locale(header: str | None, locale: str) -> None:
    assert locale == pick_locale(header)


@pytest.mark.parametrize(
    ("text", "locale", "said"),
    [
        ({"en": "Won", "it": "Vinta"}, "it", "Vinta"),
        ({"en": "Won", "it": "Vinta"}, "en", "Won"),
        ({"": "Pitch"}, "it", "Pitch"),
        ({"": "Pitch", "en": "x"}, "it", "Pitch"),
        ({"en": "Won", "de": "Gewonnen"}, "it", "Won"),
        ({"de": "Gewonnen", "fr": "Gagné"}, "it", "Gewonnen"),
        (None, "it", ""),
        ({}, "it", ""),
    ],
)
def test_an_authors_text_is_read_in_the_nearest_language(text: dict[str, str] | None, locale: str, said: str) -> None:
    assert said == author_text(text, locale)


def test_a_language_we_do_not_speak_is_answered_in_english() -> None:
    assert texts("de") is texts("en")
