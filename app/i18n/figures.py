"""Dates, durations and values as people read them. Cached: the same few days and figures come up all the time."""

from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from babel.dates import format_date

from app.engine.values import calendar_day, relative_days
from app.i18n.texts import REGIONS, Catalogue, Locale, number, texts
from app.i18n.words import Word

_LONGEST_VALUE = 80
_ALMOST = 1e-6
_MINUTES_IN_HOUR = 60
_MINUTES_IN_DAY = 24 * 60
_UNIT = {"m": "unit.minutes", "h": "unit.hours", "d": "unit.days", "w": "unit.weeks"}


@lru_cache(maxsize=4096)
def day(when: date, locale: Locale) -> Word:
    """A calendar day, written out, with the articles Italian asks for."""
    text = format_date(when, format="long", locale=REGIONS[locale])
    if locale == "en":
        return Word(text)
    text = text.replace("1 ", "1º ", 1) if when.day == 1 else text
    # l'8 and l'11: the only days of a month that begin with a vowel.
    articles = ("dall'", "all'", "dell'", "l'") if when.day in (8, 11) else ("dal ", "al ", "del ", "il ")
    return Word(text, "", dict(zip(("since", "to the", "of the", "the"), (a + text for a in articles), strict=True)))


def moment(when: datetime, zone: tzinfo, locale: Locale) -> Word:
    """The day an instant falls on, in the process's timezone."""
    return day(when.astimezone(zone).date(), locale)


def timed(when: datetime, zone: tzinfo, locale: Locale) -> Word:
    """The day and, unless it is midnight, the time of an instant in the process's timezone."""
    local = when.astimezone(zone)
    word = day(local.date(), locale)
    if not (local.hour or local.minute or local.second):
        return word
    clock = texts(locale).text("figure.clock", time=f"{local:%H:%M}")
    return Word(f"{word} {clock}", "", {form: f"{text} {clock}" for form, text in word.forms.items()})


@lru_cache(maxsize=1024)
def span(text: str, locale: Locale) -> str:
    """A duration of a process file: `3d` is `3 days`."""
    return texts(locale).text(_UNIT[text[-1]], count=int(text[:-1]))


@lru_cache(maxsize=4096)
def age(minutes: int, locale: Locale) -> str:
    """A time spent, by its largest unit: 2 days, 5 hours, 10 minutes."""
    if minutes >= _MINUTES_IN_DAY:
        return texts(locale).text("unit.days", count=minutes // _MINUTES_IN_DAY)
    if minutes >= _MINUTES_IN_HOUR:
        return texts(locale).text("unit.hours", count=minutes // _MINUTES_IN_HOUR)
    return texts(locale).text("unit.minutes", count=max(minutes, 0))


def percent(share: float, locale: Locale) -> str:
    """A share of one as a percentage, never rounded up to what it does not reach: `66.6%`, `66,6%`."""
    tenths = int(share * 1000 + _ALMOST)
    return f"{number(tenths // 10 if tenths % 10 == 0 else tenths / 10, locale)}%"


def quoted(text: str, catalogue: Catalogue) -> str:
    """Somebody's words between quotation marks, cut short where they are long."""
    line = " ".join(text.split())
    if len(line) > _LONGEST_VALUE:
        line = line[: _LONGEST_VALUE - 1].rstrip() + "…"
    return catalogue.text("figure.quote", text=line)


def value(raw: Any, kind: str, unit: str | None, catalogue: Catalogue) -> str:
    """A field's value, whatever it holds: 50,000 EUR; 10 November 2026, il 10 novembre 2026; yes; “proposal”."""
    if raw is None:
        return catalogue.text("figure.nothing")
    if isinstance(raw, bool):
        return catalogue.text("figure.yes" if raw else "figure.no")
    if isinstance(raw, int | float):
        written = number(raw, catalogue.locale)
        return catalogue.text("figure.amount", number=written, unit=unit) if unit and kind == "number" else written
    if isinstance(raw, str):
        when = calendar_day(raw) if kind == "date" else None
        return quoted(raw, catalogue) if when is None else format(day(when, catalogue.locale), "the")
    return catalogue.text("figure.list" if isinstance(raw, list) else "figure.object")


def day_point(text: str, today: date, locale: Locale) -> Word:
    """A day that a date is compared with (`2026-11-10`, `today`, `+7d`, `-30d`), as the calendar day it means."""
    ahead = relative_days(text)
    when = calendar_day(text) if ahead is None else today + timedelta(days=ahead)
    return Word(text) if when is None else day(when, locale)
