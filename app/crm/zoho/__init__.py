"""Zoho CRM: its notifications, its API, its settings."""

from app.crm.zoho.client import ZohoClient
from app.crm.zoho.draft import configuration, record
from app.crm.zoho.events import read, verify
from app.crm.zoho.settings import ZohoSettings

__all__ = ["ZohoClient", "ZohoSettings", "configuration", "read", "record", "verify"]
