"""The CRMs there are: what each adapter offers, by the kind that a connection names."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from app.crm import hubspot
from app.crm.connection import ConnectionSettings
from app.crm.events import Batch


class Verify(Protocol):
    """Says whether a request carries its CRM's signature."""

    def __call__(
        self, secret: str, *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> bool:
        """True only for what the CRM itself has sent, lately."""
        ...


class Adapter(NamedTuple):
    """One CRM: its settings, its signature, its events."""

    settings: type[ConnectionSettings]
    verify: Verify
    read: Callable[[bytes, Any], Batch]


ADAPTERS: dict[str, Adapter] = {
    "hubspot": Adapter(hubspot.HubspotSettings, hubspot.verify, hubspot.read),
}
