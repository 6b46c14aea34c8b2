"""Salesforce: Outbound Messages, relayed changes, its API, its settings."""

from app.crm.salesforce.client import SalesforceClient
from app.crm.salesforce.draft import configuration
from app.crm.salesforce.events import read, verify
from app.crm.salesforce.ids import long_id
from app.crm.salesforce.records import record
from app.crm.salesforce.settings import SalesforceSettings
from app.crm.salesforce.soap import ACK, scrub, wants_ack

__all__ = [
    "ACK",
    "SalesforceClient",
    "SalesforceSettings",
    "configuration",
    "long_id",
    "read",
    "record",
    "scrub",
    "verify",
    "wants_ack",
]
