"""The texts: one gettext catalogue a language, read with Babel once, asked by code.

To add a text: write it in BOTH catalogues, `en.po` and `it.po`, under the section of its prefix, the code as `msgid`
and brace placeholders inside: `msgid "cli.published"`, `msgstr "published {process} as version {version}"`. A text
with a plural has `msgid_plural` (the same code) and `msgstr[0]`, `msgstr[1]`, and is asked with `count`:

    texts("it").text("cli.published", process="b2b-saas", version=3)
    texts("it").text("cli.cases_failed", count=2)

Numbers given as `count` are written the way the language writes them. A code or placeholder that is missing warns,
so it fails in the tests; in production people get the English text, or the code itself, rather than an error.
"""

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

Locale = Literal["en", "it"]
LOCALES: tuple[Locale, ...] = get_args(Locale)
DEFAULT: Locale = "en"
REGIONS: dict[Locale, str] = {"en": "en_GB", "it": "it_IT"}
"""Whose habits dates and numbers follow: 10 November 2026, 50,000; 10 novembre 2026, 50.000."""

_FOLDER = Path(__file__).parent
_QUALITY = re.compile(r"^q=([01](?:\.[0-9]{0,3})?)$")
_LONGEST_HEADER = 1000


class MissingText(UserWarning):
    """A text or a placeholder that the catalogues lack."""


class _Blanks(dict[str, Any]):
    """Params that show a missing placeholder instead of failing on it."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


class Catalogue:
    """The texts of one language."""

    def __init__(self, locale: Locale, templates: dict[str, tuple[str, ...]], fallback: "Catalogue | None") -> None:
        """Keep the templates: one form, or singular and plural."""
        self.locale = locale
        self.templates = templates
        self._fallback = fallback

    def text(self, code: str, /, **params: Any) -> str:
        """The text of a code with its params put in; `count` also picks singular or plural."""
        forms = self.templates.get(code) or self._missing(code)
        template = forms[0]
        if "count" in params:
            template = forms[0 if params["count"] == 1 else -1]
            params["count"] = number(params["count"], self.locale)
        try:
            return template.format(**params)
        except KeyError as error:
            warnings.warn(MissingText(f"{code} needs {error}"), stacklevel=2)
            return template.format_map(_Blanks(params))

    def plural(self, code: str, n: int, /, **params: Any) -> str:
        """The text of a code for so many."""
        return self.text(code, count=n, **params)

    def has(self, code: str) -> bool:
        """Whether the language has a text for this code."""
        return code in self.templates

    def either(self, items: Iterable[str]) -> str:
        """`a`, `a or b`, `a, b or c`."""
        return self._joined("list.or", list(items))

    def both(self, items: Iterable[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        return self._joined("list.and", list(items))

    def _joined(self, code: str, items: list[str]) -> str:
        if len(items) < 2:  # noqa: PLR2004 (one needs no joining)
            return "".join(items)
        return self.text(code, list=", ".join(items[:-1]), last=items[-1])

    def _missing(self, code: str) -> tuple[str, ...]:
        warnings.warn(MissingText(f"no text for {code} in {self.locale}"), stacklevel=3)
        return (self._fallback and self._fallback.templates.get(code)) or (code.replace("{", "{{").replace("}", "}}"),)


def read_catalogue(locale: str) -> Catalog:
    """The catalogue of a language as Babel reads it."""
    with (_FOLDER / f"{locale}.po").open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def _forms(string: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


@lru_cache(maxsize=32)
def texts(locale: str) -> Catalogue:
    """The texts of a language; English for one we do not speak."""
    known: Locale = "it" if locale == "it" else "en"
    if known != locale:
        return texts(known)
    templates = {
        message.id if isinstance(message.id, str) else message.id[0]: _forms(message.string)
        for message in read_catalogue(known)
        if message.id and message.string
    }
    return Catalogue(known, templates, None if known == DEFAULT else texts(DEFAULT))


@lru_cache(maxsize=4096)
def number(value: float, locale: Locale) -> str:
    """A number as the language writes it: 50,000 or 50.000."""
    return format_decimal(value, format="#,##0.######", locale=REGIONS[locale])


def pick_locale(accept_language: str | None) -> Locale:
    """The language a caller asked for with `Accept-Language`; English when none of ours is wanted."""
    if accept_language is None or accept_language == "en":
        return "en"
    if accept_language == "it":
        return "it"
    return _negotiated(accept_language[:_LONGEST_HEADER])


@lru_cache(maxsize=512)
def _negotiated(header: str) -> Locale:
    wanted: dict[str, float] = {}
    for part in header.split(","):
        tag, _, parameter = (piece.strip() for piece in part.lower().partition(";"))
        quality = _QUALITY.match(parameter.replace(" ", "")) if parameter else None
        if tag and (quality or not parameter):
            language = tag.partition("-")[0]
            wanted[language] = max(wanted.get(language, 0.0), min(float(quality[1]), 1.0) if quality else 1.0)
    # A language that is named counts by its own weight, even 0; `*` speaks for the others. Ties: as written.
    rank = {name: place for place, name in enumerate(wanted)}
    weights = {locale: wanted.get(locale, wanted.get("*", 0.0)) for locale in LOCALES}
    best = max(LOCALES, key=lambda locale: (weights[locale], -rank.get(locale, len(rank))))
    return best if weights[best] > 0 else DEFAULT


def author_text(text: dict[str, str] | None, locale: str) -> str:
    """An author's words: in this language, or said for all, or in English, or in whatever there is; `""` for none."""
    if not text:
        return ""
    for choice in (locale, "", DEFAULT):
        if choice in text:
            return text[choice]
    return next(iter(text.values()))
