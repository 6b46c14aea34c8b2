"""Pipedrive: webhooks of both versions, its API, its settings."""

from app.crm.pipedrive.client import PipedriveClient
from app.crm.pipedrive.draft import configuration, record
from app.crm.pipedrive.events import read, verify
from app.crm.pipedrive.settings import PipedriveSettings

__all__ = ["PipedriveClient", "PipedriveSettings", "configuration", "read", "record", "verify"]
