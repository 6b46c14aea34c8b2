"""The settings of a stored connection, read once for each text: every delivery asks for them."""

from functools import lru_cache

from app.crm.adapters import ADAPTERS
from app.crm.connection import STORED, ConnectionSettings
from app.store.connections import StoredConnection


def settings_of(connection: StoredConnection) -> ConnectionSettings:
    """The settings of a stored connection."""
    return _settings(connection.kind, connection.settings)


@lru_cache(maxsize=256)
def _settings(kind: str, stored: str) -> ConnectionSettings:
    return ADAPTERS[kind].settings.model_validate_json(stored, context=STORED)
