"""Starters: processes to begin from, with what each is for."""

from functools import cache
from typing import Any

from app.engine import Process
from app.engine.load import load_process
from app.i18n import Locale, author_text, texts
from app.services.refusals import UnknownStarter
from app.starters import KEYS, read_starter


def list_starters(locale: Locale) -> list[dict[str, Any]]:
    """All of them, in the order of maturity."""
    return [summary(key, locale) for key in KEYS]


def summary(key: str, locale: Locale) -> dict[str, Any]:
    """What a starter is called and what it is for."""
    process = starter_process(key)
    return {
        "key": key,
        "name": author_text(process.name, locale),
        "maturity": process.maturity,
        "for": texts(locale).text(f"starter.{key}.for"),
    }


def starter_file(key: str) -> bytes:
    """The file to take. Raises UnknownStarter."""
    if key not in KEYS:
        raise UnknownStarter(starter=key, known=list(KEYS))
    return read_starter(key)


@cache
def starter_process(key: str) -> Process:
    """The process of a starter. Raises UnknownStarter."""
    return load_process(starter_file(key), source=f"{key}.yaml")
