"""The buyer's people on a HubSpot deal, with the roles that their association labels or a property of theirs give."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.crm.events import Fact
from app.crm.hubspot.settings import HubspotSettings
from app.crm.hubspot.words import id_of


def labels_of(associated: Mapping[str, Any]) -> list[str]:
    """The labels of one associated object, in HubSpot's order."""
    types = associated.get("associationTypes")
    listed = types if isinstance(types, list) else []
    return [one["label"] for one in listed if isinstance(one, dict) and isinstance(one.get("label"), str)]


def words_of(found: Mapping[str, Any], settings: HubspotSettings) -> list[str]:
    """What the property for roles says of a contact; one with several choices holds them apart by semicolons."""
    properties = found.get("properties")
    value = properties.get(settings.contact_role_property) if isinstance(properties, dict) else None
    return [one.strip() for one in value.split(";")] if isinstance(value, str) else []


def contacts(
    associated: Sequence[Mapping[str, Any]],
    objects: Sequence[Mapping[str, Any]],
    object_id: str,
    settings: HubspotSettings,
    now: datetime,
) -> list[Fact]:
    """One fact for each role of each contact; a contact without one is on the deal all the same.

    HubSpot dates no association: what is read is so from the reading on.
    """
    said: dict[str, list[str]] = {}
    for one in associated:
        contact = id_of(one.get("toObjectId"))
        if contact is not None:
            said.setdefault(contact, []).extend(labels_of(one))
    for one in objects:
        contact = id_of(one.get("id"))
        if contact in said:
            said[contact] += words_of(one, settings)
    facts: list[Fact] = []
    for contact, words in said.items():
        roles = list(dict.fromkeys(settings.contact_roles[word] for word in words if word in settings.contact_roles))
        named: dict[str, dict[str, str]] = {f"{contact}:{role}": {"id": contact, "role": role} for role in roles}
        facts += [
            Fact(object_id, "contact", key, now, value) for key, value in (named or {contact: {"id": contact}}).items()
        ]
    return facts
