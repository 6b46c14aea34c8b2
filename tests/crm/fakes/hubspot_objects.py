"""What a fake HubSpot holds: objects whose properties keep every version, associations with labels."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tests.crm.builders import milliseconds

KEPT = 20
"""Versions that HubSpot tells of one property."""


def iso(at: datetime) -> str:
    """A time as HubSpot's API writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Thing:
    """One object: a deal, a contact, a meeting."""

    def __init__(self, own_id: str, created_at: datetime) -> None:
        self.id = own_id
        self.created_at = self.updated_at = created_at
        self.versions: dict[str, list[dict[str, Any]]] = {}

    def set(self, name: str, value: str | None, at: datetime, source: Mapping[str, Any]) -> None:
        """Give a property a value, from `at` on."""
        version = {"value": value or "", "timestamp": iso(at), **source}
        self.versions.setdefault(name, []).insert(0, version)
        self.updated_at = max(self.updated_at, at)

    def get(self, name: str) -> str | None:
        """What a property is now."""
        if name == "hs_object_id":
            return self.id
        if name in ("hs_createdate", "createdate"):
            return iso(self.created_at)
        if name == "hs_lastmodifieddate":
            return iso(self.updated_at)
        listed = self.versions.get(name)
        return (listed[0]["value"] or None) if listed else None

    def shown(self, properties: Iterable[str], with_history: Iterable[str] = ()) -> dict[str, Any]:
        """The object as the API writes it."""
        asked = [*properties, *with_history]
        document: dict[str, Any] = {
            "id": self.id,
            "properties": {name: self.get(name) for name in asked if name},
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": False,
        }
        histories = {name: self.versions.get(name, [])[:KEPT] for name in with_history if name}
        return document | ({"propertiesWithHistory": histories} if histories else {})

    def matches(self, one: Mapping[str, Any]) -> bool:
        """Whether a search's filter lets it through."""
        value = self.get(one["propertyName"])
        if one["operator"] == "IN":
            return value in one["values"]
        if one["propertyName"] == "hs_lastmodifieddate":
            return milliseconds(self.updated_at) >= int(one["value"])
        return value is not None and int(value) > int(one["value"])


class Associations:
    """Who belongs to whom, either way."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str, str], dict[str, list[dict[str, Any]]]] = {}

    def add(self, one: tuple[str, str], other: tuple[str, str], labels: Iterable[str] = ()) -> None:
        """Put two objects together; a kind and an id name each."""
        types: list[dict[str, Any]] = [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}]
        types += [{"category": "USER_DEFINED", "typeId": 36 + n, "label": label} for n, label in enumerate(labels)]
        self._of.setdefault((*one, other[0]), {})[other[1]] = types
        self._of.setdefault((*other, one[0]), {})[one[1]] = types

    def remove(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        """Take two objects apart."""
        self._of[*one, other[0]].pop(other[1])
        self._of[*other, one[0]].pop(one[1])

    def of(self, kind: str, own_id: str, other: str) -> list[dict[str, Any]]:
        """What of another kind an object has, as the API writes it."""
        found = self._of.get((kind, own_id, other), {})
        return [{"toObjectId": int(one), "associationTypes": types} for one, types in found.items()]
