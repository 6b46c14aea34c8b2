"""Every stored secret encrypted anew with the first key, so that the others can be taken away."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, NamedTuple

from app.crm.secrets import WrongKey, encrypt_anew
from app.store.connections import StoredConnection, list_connections, lock_connection, put_connection
from app.store.database import Database, Transaction
from app.store.endpoints import StoredEndpoint, list_endpoints, lock_endpoint, put_endpoint
from app.store.tenants import list_tenants

_AT_ONCE = 100
_SEALED = ("secret_ciphertext", "access_ciphertext")


class Unopened(NamedTuple):
    """What none of the keys opens: it is of no use to anybody, and is left as it is. `kind`: connection, endpoint."""

    tenant_id: str
    kind: str
    id: str


class Reencrypted(NamedTuple):
    """How much was encrypted anew, and what could not be."""

    connections: int
    endpoints: int
    unopened: tuple[Unopened, ...]


async def reencrypt(db: Database, key: str) -> Reencrypted:
    """Encrypt anew, one row at a time: a server may go on working meanwhile, and it can be done again."""
    counts = {"connection": 0, "endpoint": 0}
    unopened: list[Unopened] = []
    async for one in _everything(db):
        work = _connection if one.kind == "connection" else _endpoint
        try:
            counts[one.kind] += await db.transaction(partial(work, one=one, key=key))
        except WrongKey:
            unopened.append(one)
    return Reencrypted(counts["connection"], counts["endpoint"], tuple(unopened))


async def _everything(db: Database) -> AsyncIterator[Unopened]:
    for tenant in await list_tenants(db):
        for connection in await list_connections(db, tenant.tenant_id):
            yield Unopened(tenant.tenant_id, "connection", connection.connection_id)
        cursor: str | None = None
        while found := await list_endpoints(db, tenant.tenant_id, limit=_AT_ONCE, cursor=cursor):
            for endpoint in found:
                yield Unopened(tenant.tenant_id, "endpoint", endpoint.endpoint_id)
            cursor = found[-1].endpoint_id


async def _connection(tx: Transaction, *, one: Unopened, key: str) -> bool:
    row = await lock_connection(tx, one.id)
    if row is None or row.tenant_id != one.tenant_id:
        return False
    await put_connection(tx, row._replace(**_anew(row, key)))
    return True


async def _endpoint(tx: Transaction, *, one: Unopened, key: str) -> bool:
    row = await lock_endpoint(tx, one.tenant_id, one.id)
    if row is None:
        return False
    await put_endpoint(tx, row._replace(**_anew(row, key)))
    return True


def _anew(row: StoredConnection | StoredEndpoint, key: str) -> dict[str, Any]:
    """What changes of a row. An older secret that no key opens is accepted nowhere any more: it is let go."""
    sealed = {name: getattr(row, name, None) for name in _SEALED}
    anew: dict[str, Any] = {name: encrypt_anew(key, text) for name, text in sealed.items() if text is not None}
    if row.previous_ciphertext is not None:
        try:
            anew["previous_ciphertext"] = encrypt_anew(key, row.previous_ciphertext)
        except WrongKey:
            anew |= {"previous_ciphertext": None, "previous_until": None}
    return anew
