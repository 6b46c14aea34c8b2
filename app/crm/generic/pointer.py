"""JSON Pointers (RFC 6901): where something stands in a document. What is not there is MISSING, never an error."""

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

MISSING: Any = object()
"""In place of a value: nothing stands there."""

_POINTER = re.compile(r"(?:/(?:[^~/\x00]|~[01])*)*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def _is_pointer(text: str) -> str:
    if not _POINTER.fullmatch(text):
        raise PydanticCustomError("bad_pointer", "no JSON Pointer")
    return text


Pointer = Annotated[str, StringConstraints(max_length=200), AfterValidator(_is_pointer)]
"""`/deal/stage`, `/people/0/id`; empty for the whole document. In a name, `~1` is a slash and `~0` a tilde."""


def resolve(document: Any, pointer: str | None) -> Any:
    """What stands there; MISSING when nothing does, or when nobody said where to look."""
    if pointer is None:
        return MISSING
    for name in _names(pointer):
        if isinstance(document, dict):
            document = document.get(name, MISSING)
        elif isinstance(document, list) and _INDEX.fullmatch(name) and int(name) < len(document):
            document = document[int(name)]
        else:
            return MISSING
    return document


@lru_cache(maxsize=1024)
def _names(pointer: str) -> tuple[str, ...]:
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:])
