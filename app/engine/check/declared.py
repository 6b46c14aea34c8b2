"""What a process declares, read from its plain values so that a misshapen entry still counts as declared."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from app.engine.process import Process

Keys = dict[str, None] | None
"""Declared keys in file order; None when they cannot be known, and then nothing is said about names."""


class DeclaredField(NamedTuple):
    """What a field says of itself; `type` is None when it says nothing sound."""

    type: str | None
    choices: Keys


class Declared(NamedTuple):
    """The names of a process."""

    stages: Keys
    activities: Keys
    fields: Keys
    roles: Keys
    contacts: Keys
    outcomes: Mapping[str, Keys]
    field_facts: Mapping[str, DeclaredField]


def declared_in(raw: Mapping[str, Any]) -> Declared:
    """Gather the names from a file's plain values."""
    outcomes = {entry["key"]: _keys(entry, "outcomes") for entry in _entries(raw, "activities")}
    facts = {entry["key"]: _field(entry) for entry in _entries(raw, "fields")}
    return Declared(
        stages=_keys(raw, "stages"),
        activities=_keys(raw, "activities"),
        fields=_keys(raw, "fields"),
        roles=_keys(raw, "roles"),
        contacts=_keys(raw, "contacts"),
        outcomes=outcomes,
        field_facts=facts,
    )


def declared_by(process: Process) -> Declared:
    """Gather the names from a process."""
    return declared_in(process.model_dump(by_alias=True))


def _field(entry: Mapping[str, Any]) -> DeclaredField:
    kind = entry.get("type")
    sound = kind in ("number", "text", "boolean", "date", "choice")
    return DeclaredField(kind if sound else None, _keys(entry, "choices"))


def _entries(raw: Mapping[str, Any], section: str) -> list[Mapping[str, Any]]:
    found = raw.get(section)
    entries = found if isinstance(found, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("key"), str)]


def _keys(raw: Mapping[str, Any], section: str) -> Keys:
    """The keys of a list of names or of `{key: …}`; unknown when it is no list, or stands under a misspelt name."""
    if section not in raw:
        misspelt = [key for key in list(raw)[:50] if key not in _NOT_MISSPELT]
        return None if get_close_matches(section, misspelt) else {}
    found = raw[section]
    if not isinstance(found, list):
        return None
    keys = [entry.get("key") if isinstance(entry, dict) else entry for entry in found]
    return dict.fromkeys(key for key in keys if isinstance(key, str))


_NOT_MISSPELT = frozenset(Process.model_fields)
