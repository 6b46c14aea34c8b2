"""Names as words: what stands in a key and in each language's name, told apart by language."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from app.engine.nodes import Path

Lexicon = Mapping[str, frozenset[str]]
"""Language -> words."""

_LETTERS = re.compile(r"[^\W\d_]+")
_NONE: frozenset[str] = frozenset()


class Spoken(NamedTuple):
    """A key or a name as words. Keys and plain names may be of either language: their language is empty."""

    language: str
    words: tuple[str, ...]
    path: Path


def row(words: str) -> frozenset[str]:
    """Words written in a row."""
    return frozenset(words.split())


def lexicon(**languages: str) -> Lexicon:
    """Words by language."""
    return {language: row(words) for language, words in languages.items()}


def known(words: Lexicon, language: str) -> frozenset[str]:
    """The words of a language; those of all of them where the language is not known."""
    return words.get(language, _NONE) if language else _NONE.union(*words.values())


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in small letters; digits and signs part them."""
    return tuple(_LETTERS.findall(unicodedata.normalize("NFC", text).casefold()))


def spoken(key: str, name: Mapping[str, str] | None, path: Path) -> Iterator[Spoken]:
    """The key, then each name, with their places under `path`."""
    yield Spoken("", words_of(key), (*path, "key"))
    yield from spoken_names(name, path)


def spoken_names(name: Mapping[str, str] | None, path: Path) -> Iterator[Spoken]:
    """Each name, with its place under `path`."""
    for language, text in (name or {}).items():
        yield Spoken(language, words_of(text), (*path, "name", language) if language else (*path, "name"))


def joined(words: tuple[str, ...], pairs: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    """The words with known pairs as one: `fuori sede`."""
    done: list[str] = []
    for word in words:
        if done and (done[-1], word) in pairs:
            done[-1] += f" {word}"
        else:
            done.append(word)
    return tuple(done)
