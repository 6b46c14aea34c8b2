"""Ids of Salesforce: fifteen characters, or the same with three more that tell the case of the others."""

import re
from typing import Any

from app.crm.reading import id_or_none

_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)
_SHORT, _CHUNK = 15, 5
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
OPPORTUNITY, CONTACT, USER = "006", "003", "005"
"""What the ids of these objects begin with, in every organisation."""


def long_id(text: str) -> str:
    """The form of eighteen characters of an id in either; anything else as it is."""
    if not _ID.fullmatch(text) or len(text) != _SHORT:
        return text
    return text + "".join(_check(text[start : start + _CHUNK]) for start in range(0, _SHORT, _CHUNK))


def id_in(value: Any) -> str | None:
    """A value that is an id of Salesforce, in its long form; None for what is none."""
    text = id_or_none(value)
    return long_id(text) if text is not None and _ID.fullmatch(text) else None


def _check(chunk: str) -> str:
    return _CHECKS[sum(1 << place for place, letter in enumerate(chunk) if "A" <= letter <= "Z")]
