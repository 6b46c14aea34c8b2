"""From a stored connection to what speaks with its CRM: secrets opened, a client made, renewed credentials kept."""

import json

from app import clock
from app.crm.adapters import ADAPTERS
from app.crm.client import Client, Credentials, Keep
from app.crm.http import Http
from app.crm.secrets import decrypt, encrypt
from app.services.connection_settings import settings_of
from app.store.connections import StoredConnection, keep_access, lock_connection
from app.store.database import Database, Transaction


def client_of(db: Database, row: StoredConnection, *, key: str | None, http: Http) -> Client | None:
    """The client of a connection; None where its CRM has none, or nobody gave it credentials.

    Raises NoKey and WrongKey when the credentials cannot be opened here.
    """
    make = ADAPTERS[row.kind].client
    if make is None or row.access_ciphertext is None:
        return None
    return make(settings_of(row), _opened(row, key), http, keeping(db, row, key))


def keeping(db: Database, row: StoredConnection, key: str | None) -> Keep:
    """What keeps renewed credentials in place of those of the row; not in place of others that were put meanwhile."""
    held = _opened(row, key)

    async def keep(renewed: Credentials) -> None:
        nonlocal held
        before, held = held, dict(renewed)
        sealed, now = encrypt(key, json.dumps(held, ensure_ascii=False)), clock.now()

        async def work(tx: Transaction) -> None:
            stored = await lock_connection(tx, row.connection_id)
            mine = stored is not None and stored.tenant_id == row.tenant_id and stored.access_ciphertext is not None
            if stored is not None and mine and _opened(stored, key) == before:
                await keep_access(tx, row.tenant_id, row.connection_id, sealed, now)

        await db.transaction(work)

    return keep


def _opened(row: StoredConnection, key: str | None) -> dict[str, str]:
    """The credentials of a row that has some. Raises NoKey, WrongKey."""
    credentials: dict[str, str] = json.loads(decrypt(key, row.access_ciphertext or ""))
    return credentials


def has_access(row: StoredConnection) -> bool:
    """Whether the CRM behind a connection can be asked, not only listened to."""
    return row.access_ciphertext is not None and ADAPTERS[row.kind].client is not None
