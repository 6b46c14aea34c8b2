"""Dynamics 365: execution contexts of its steps, its Web API, its settings."""

from app.crm.dynamics.client import DynamicsClient
from app.crm.dynamics.draft import configuration
from app.crm.dynamics.events import read, verify
from app.crm.dynamics.records import record
from app.crm.dynamics.settings import DynamicsSettings, plain_guid

__all__ = ["DynamicsClient", "DynamicsSettings", "configuration", "plain_guid", "read", "record", "verify"]
