"""HubSpot: its signature, its events, its settings, its API. Pure: bytes and the time come in, values go out."""

from app.crm.hubspot.client import HubspotClient
from app.crm.hubspot.draft import configuration
from app.crm.hubspot.events import DEAL_TYPE, MOST_EVENTS, read
from app.crm.hubspot.history import record
from app.crm.hubspot.settings import HubspotSettings
from app.crm.hubspot.signature import SIGNATURE, TIMESTAMP, WINDOW, sign, sign_v1, sign_v2, signed_text, verify

__all__ = [
    "DEAL_TYPE",
    "MOST_EVENTS",
    "SIGNATURE",
    "TIMESTAMP",
    "WINDOW",
    "HubspotClient",
    "HubspotSettings",
    "configuration",
    "read",
    "record",
    "sign",
    "sign_v1",
    "sign_v2",
    "signed_text",
    "verify",
]
