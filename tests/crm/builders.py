"""HubSpot as tests play it: its settings, its events, its signatures. Ids are made up."""

import json
from datetime import UTC, datetime
from typing import Any

from app.crm.hubspot import SIGNATURE, TIMESTAMP, HubspotSettings, sign

PORTAL = 5799819
SECRET = "0b6c1a52-5f0e-4b53-9d5e-8a6f6c1de7aa"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEAL = 332507367156


def settings_json(**changes: Any) -> dict[str, Any]:
    """The settings of a connection, as they are put; without its secret."""
    return {
        "crm": "hubspot",
        "portal_id": PORTAL,
        "pipelines": {
            "default": {
                "process": "sales",
                "stages": {
                    "appointmentscheduled": "demo_scheduled",
                    "qualifiedtobuy": "demo_completed",
                    "w": "won",
                    "l": "lost",
                },
            }
        },
        "fields": {
            "amount": {"field": "amount", "type": "number"},
            "next_step_text": {"field": "next_step", "type": "text"},
        },
        "people": {"77": {"id": "rep-7", "roles": ["rep"]}, "o-77": {"id": "rep-7", "roles": ["rep"]}},
        **changes,
    }


def hubspot_settings(**changes: Any) -> HubspotSettings:
    """The same, read."""
    return HubspotSettings.model_validate(settings_json(**changes))


def milliseconds(at: datetime) -> int:
    """A time as HubSpot writes it."""
    return round(at.timestamp() * 1000)


def change(
    name: str, value: Any, *, at: datetime = NOON, deal: int = DEAL, portal_id: int = PORTAL, by: str | None = None
) -> dict[str, Any]:
    """A `deal.propertyChange`."""
    event = {
        "objectId": deal,
        "propertyName": name,
        "propertyValue": value,
        "changeSource": "CRM_UI",
        "eventId": 802835955,
        "subscriptionId": 92894,
        "portalId": portal_id,
        "appId": 186886,
        "occurredAt": milliseconds(at),
        "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0,
    }
    return event if by is None else {**event, "sourceId": f"userId:{by}"}


def stage_change(stage: str, **options: Any) -> dict[str, Any]:
    """A change of the stage property."""
    return change("dealstage", stage, **options)


def creation(*, at: datetime = NOON, deal: int = DEAL) -> dict[str, Any]:
    """A `deal.creation`."""
    event = change("", None, at=at, deal=deal) | {"subscriptionType": "deal.creation", "changeFlag": "CREATED"}
    return {key: value for key, value in event.items() if not key.startswith("property")}


def body_of(*events: Any) -> bytes:
    """The body of a delivery."""
    return json.dumps(list(events)).encode()


def signed_headers(body: bytes, *, uri: str, at: datetime, secret: str = SECRET) -> dict[str, str]:
    """The headers that HubSpot adds."""
    timestamp = str(milliseconds(at))
    return {
        "content-type": "application/json",
        TIMESTAMP: timestamp,
        SIGNATURE: sign(secret, "POST", uri, body, timestamp),
    }
