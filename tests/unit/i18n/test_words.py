"""Names that authors chose, fitted into sentences."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.i18n.figures import age, day, day_point, moment, quoted, span, timed, value
from app.i18n.texts import texts
from app.i18n.words import Word, decapitalised, italian_gender, noun, short_name, spaced

ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("text", "with_article"),
    [
        ("demo", "a demo"),
        ("email", "an email"),
        ("offer", "an offer"),
        ("use case", "a use case"),
        ("NDA", "an NDA"),
        ("ROI review", "an ROI review"),
        ("POC", "a POC"),
        ("hour", "an hour"),
    ],
)
def test_english_nouns_take_a_or_an(text: str, with_article: str) -> None:
    assert with_article == format(noun(text, "en"), "a")


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("demo", ["la demo", "una demo", "nessuna demo", "alla demo", "della demo", "svolta"]),
        ("chiamata di scoperta", [
            "la chiamata di scoperta", "una chiamata di scoperta", "nessuna chiamata di scoperta",
            "alla chiamata di scoperta", "della chiamata di scoperta", "svolta"]),
        ("offerta", ["l'offerta", "un'offerta", "nessun'offerta", "all'offerta", "dell'offerta", "svolta"]),
        ("incontro", ["l'incontro", "un incontro", "nessun incontro", "all'incontro", "dell'incontro", "svolto"]),
        ("sopralluogo", [
            "il sopralluogo", "un sopralluogo", "nessun sopralluogo", "al sopralluogo", "del sopralluogo", "svolto"]),
        ("studio", ["lo studio", "uno studio", "nessuno studio", "allo studio", "dello studio", "svolto"]),
        ("go-live", ["«go-live»", "«go-live»", "nessun «go-live»", "a «go-live»", "di «go-live»", "svolto"]),
    ],
)  # fmt: skip
def test_italian_nouns_take_their_articles(text: str, forms: list[str]) -> None:
    word = noun(text, "it")
    assert forms == [format(word, form) for form in ("the", "a", "no", "to the", "of the", "svolto|svolta")]


@pytest.mark.parametrize(
    ("text", "gender"),
    [
        ("security review", "f"),
        ("presentazione", "f"),
        ("priorità", "f"),
        ("data di chiusura", "f"),
        ("trattativa", "f"),
        ("budget approvato", "m"),
        ("preventivo", "m"),
        ("problema", "m"),
        ("valore", "m"),
        ("settore", "m"),
        ("data quality", ""),
        ("criteri di decisione", ""),
        ("analisi", "f"),
        ("kickoff", "m"),
        ("", ""),
    ],
)
def test_italian_genders_are_told_where_they_can_be(text: str, gender: str) -> None:
    assert gender == italian_gender(text)


def test_an_activity_of_unknown_gender_is_carried_by_the_word_activity() -> None:
    assert format(noun("go-live", "it", carrier="attività"), "no") == "nessun'attività «go-live»"


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("sales manager", "un sales manager"),
        ("specialista", "uno specialista"),
        ("direttrice", "una direttrice"),
        ("economic buyer", "un economic buyer"),
    ],
)
def test_people_are_masculine_unless_their_word_says_otherwise(role: str, said: str) -> None:
    assert said == format(noun(role, "it", person=True), "a")


def test_names_lose_their_capital_inside_a_sentence_but_acronyms_do_not() -> None:
    assert [decapitalised(text) for text in ("Product demo", "NDA", "IT review", "A", "", "éa")] == [
        "product demo", "NDA", "IT review", "A", "", "éa",
    ]  # fmt: skip


def test_keys_are_shown_as_words() -> None:
    assert [spaced(key) for key in ("economic_buyer", "go-live", "__")] == ["economic buyer", "go live", "__"]


@pytest.mark.parametrize(
    ("key", "name", "short"),
    [
        ("demo", "Product demo", "demo"),
        ("demo", "Demo di prodotto", "demo"),
        ("security_review", "Full security review", "security review"),
        ("nda", "Signed NDA", "NDA"),
        ("follow_up", "Offer", "offer"),
    ],
)
def test_the_short_name_is_the_key_where_the_name_only_says_more(key: str, name: str, short: str) -> None:
    assert short == short_name(key, name)


def test_a_form_that_a_word_lacks_is_the_word_itself() -> None:
    assert format(Word("10 November 2026"), "of the") == "10 November 2026"


@pytest.mark.parametrize(
    ("when", "english", "italian"),
    [
        (date(2026, 11, 10), "10 November 2026", ["10 novembre 2026", "dal 10 novembre 2026", "del 10 novembre 2026"]),
        (date(2026, 3, 1), "1 March 2026", ["1º marzo 2026", "dal 1º marzo 2026", "del 1º marzo 2026"]),
        (date(2026, 3, 8), "8 March 2026", ["8 marzo 2026", "dall'8 marzo 2026", "dell'8 marzo 2026"]),
        (date(2026, 3, 11), "11 March 2026", ["11 marzo 2026", "dall'11 marzo 2026", "dell'11 marzo 2026"]),
    ],
)
def test_days_are_written_out(when: date, english: str, italian: list[str]) -> None:
    assert english == str(day(when, "en"))
    assert italian == [format(day(when, "it"), form) for form in ("", "since", "of the")]


def test_an_instant_falls_on_the_day_it_is_in_the_process_timezone() -> None:
    late = datetime(2026, 11, 9, 23, 30, tzinfo=UTC)
    assert [str(moment(late, ROME, "en")), str(moment(late, UTC, "en"))] == ["10 November 2026", "9 November 2026"]


def test_the_time_is_told_unless_it_is_midnight() -> None:
    assert str(timed(datetime(2026, 11, 9, 23, tzinfo=UTC), ROME, "en")) == "10 November 2026"
    assert (
        format(timed(datetime(2026, 11, 9, 9, 5, tzinfo=UTC), ROME, "it"), "to the") == "al 9 novembre 2026 alle 10:05"
    )


def test_durations_are_said_in_their_own_units_and_ages_in_the_largest() -> None:
    assert [span(text, "en") for text in ("30m", "1h", "14d", "2w")] == ["30 minutes", "1 hour", "14 days", "2 weeks"]
    assert [age(minutes, "it") for minutes in (-5, 1, 61, 1440, 4320)] == [
        "0 minuti", "1 minuto", "1 ora", "1 giorno", "3 giorni",
    ]  # fmt: skip


def test_relative_days_become_the_days_they_mean() -> None:
    today = date(2026, 11, 23)
    said = [str(day_point(text, today, "en")) for text in ("today", "+7d", "-2w", "2027-01-01", "whenever")]
    assert said == ["23 November 2026", "30 November 2026", "9 November 2026", "1 January 2027", "whenever"]


def test_values_are_shown_by_the_type_of_their_field() -> None:
    english, italian = texts("en"), texts("it")
    assert [
        value(None, "text", None, english),
        value(True, "boolean", None, english),
        value(50000, "number", "EUR", english),
        value(50000.5, "number", None, italian),
        value("2026-11-10", "date", None, english),
        value("2026-11-10", "date", None, italian),
        value("2026-11-10", "text", None, english),
        value("soon", "date", None, english),
        value([1], "text", None, english),
        value({}, "text", None, italian),
    ] == [
        "nothing", "yes", "50,000 EUR", "50.000,5", "10 November 2026", "il 10 novembre 2026", "“2026-11-10”", "“soon”",
        "a list", "un oggetto",
    ]  # fmt: skip


def test_long_values_are_cut_and_lines_joined() -> None:
    assert quoted("x" * 500, texts("en")) == "“" + "x" * 79 + "…”"
    assert quoted(" a\n\tb ", texts("it")) == "«a b»"
