"""From a stored connection to what speaks with its CRM: secrets opened, a client made, renewed credentials kept."""

import json
from collections.abc import Mapping

from app import clock
from app.crm.adapters import ADAPTERS
from app.crm.client import Client, Credentials, Keep
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
    return make(settings_of(row), credentials, http, keeping(db, row, key))


def keeping(db: Database, row: StoredConnection, key: str | None) -> Keep:
    """What keeps renewed credentials in place of those of the row; not in place of others that were put meanwhile."""
    held = row

    async def keep(renewed: Credentials) -> None:
        nonlocal held
        before, sealed, now = held, encrypt(key, json.dumps(dict(renewed), ensure_ascii=False)), clock.now()
        held = before._replace(access_ciphertext=sealed)
        await db.transaction(lambda tx: keep_access(tx, before, sealed, now))

    return keep


def has_access(row: StoredConnection) -> bool:
    """Whether the CRM behind a connection can be asked, not only listened to."""
    return row.access_ciphertext is not None and ADAPTERS[row.kind].client is not None
