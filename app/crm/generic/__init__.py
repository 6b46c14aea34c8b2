"""Any other CRM, form or flow: its signature, and a mapping in JSON Pointers that says where everything stands."""

from app.crm.generic.reading import read, read_at, record
from app.crm.generic.settings import GenericSettings
from app.crm.generic.signatures import verify

__all__ = ["GenericSettings", "read", "read_at", "record", "verify"]
