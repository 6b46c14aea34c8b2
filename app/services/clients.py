"""From a stored connection to what speaks with its CRM: secrets opened, a client made, renewed credentials kept."""

import json
from collections.abc import Mapping
from datetime import datetime

from app import clock
from app.crm.adapters import ADAPTERS
from app.crm.client import Client, Credentials
from app.crm.http import Http
from app.crm.secrets import decrypt, encrypt
from app.services.connection_settings import settings_of
from app.store.connections import StoredConnection, keep_access
from app.store.database import Database


def client_of(db: Database, row: StoredConnection, *, key: str | None, http: Http) -> Client | None:
    """The client of a connection; None where its CRM has none, or nobody gave it credentials.

    Raises NoKey and WrongKey when the credentials cannot be opened here.
    """
    make = ADAPTERS[row.kind].client
    if make is None or row.access_ciphertext is None:
        return None
    credentials: Mapping[str, str] = json.loads(decrypt(key, row.access_ciphertext))

    async def keep(renewed: Credentials) -> None:
        sealed = encrypt(key, json.dumps(dict(renewed), ensure_ascii=False))
        now = clock.now()
        await db.transaction(lambda tx: keep_access(tx, row.tenant_id, row.connection_id, sealed, now))

    return make(settings_of(row), credentials, http, keep)


def has_access(row: StoredConnection) -> bool:
    """Whether the CRM behind a connection can be asked, not only listened to."""
    return row.access_ciphertext is not None and ADAPTERS[row.kind].client is not None


def secrets_of(row: StoredConnection, key: str | None, now: datetime) -> list[str]:
    """What a delivery may prove itself with: the secret and, while a rotation lasts, the one before.

    Raises NoKey and WrongKey.
    """
    secrets = [decrypt(key, row.secret_ciphertext)]
    if row.previous_ciphertext is not None and row.previous_until is not None and now < row.previous_until:
        secrets.append(decrypt(key, row.previous_ciphertext))
    return secrets
