"""Deals being rebuilt from their CRM: how far each sync has come, and who is at it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, literal_column, select, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, named, page, select_shape
from app.store.tables import SyncRow, table_of

TABLE = table_of(SyncRow)


class StoredSync(NamedTuple):
    """A sync. Status: `running`, then `done` or `failed`. `reconciles`: started by the clock, to fill gaps."""

    tenant_id: str
    sync_id: str
    connection_id: str
    object_id: str | None
    changed_since: datetime | None
    reconciles: bool
    status: str
    done: int
    failed: int
    total: int | None
    cursor: str | None
    reason: str | None
    lease_until: datetime
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None


ONE = by_key(TABLE, "tenant_id", "sync_id")
# Spelled out, as in the partial index: a parameter would keep SQLite from using it.
RUNNING = TABLE.c.status == literal_column("'running'")
CHANGED = ("status", "done", "failed", "total", "cursor", "reason", "lease_until", "updated_at", "finished_at")
INSERT = insert_into(TABLE)
READ = Query(select_shape(TABLE, StoredSync).where(*ONE), StoredSync._make)
NEXT = Query(
    page(
        select_shape(TABLE, StoredSync)
        .where(RUNNING, TABLE.c.lease_until <= named(TABLE, "lease_until", "now"))
        .order_by(TABLE.c.lease_until)
        .with_for_update(skip_locked=True)
    ),
    StoredSync._make,
)
RECONCILING: Query[tuple[str]] = Query(
    page(select(TABLE.c.sync_id).where(*by_key(TABLE, "tenant_id", "connection_id"), RUNNING, TABLE.c.reconciles)),
    tuple,
)
LEASE = command(update(TABLE).where(*ONE).values(lease_until=named(TABLE, "lease_until", "until")))
SAVE = command(
    update(TABLE)
    .where(*ONE, RUNNING, TABLE.c.lease_until == named(TABLE, "lease_until", "held_until"))
    .values({name: named(TABLE, name, f"new_{name}") for name in CHANGED})
)
FORGET = command(
    delete(TABLE).where(TABLE.c.finished_at.is_not(None), TABLE.c.finished_at < named(TABLE, "finished_at", "before"))
)


async def insert_sync(tx: Transaction, sync: StoredSync) -> None:
    """Begin a sync."""
    await tx.execute(INSERT, sync._asdict())


async def read_sync(db: Reader, tenant_id: str, sync_id: str) -> StoredSync | None:
    """One sync."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "sync_id": sync_id})


async def is_reconciling(db: Reader, tenant_id: str, connection_id: str) -> bool:
    """Whether a reconciling read of a connection is under way."""
    params = {"tenant_id": tenant_id, "connection_id": connection_id, "limit": 1}
    return await db.fetch_one(RECONCILING, params) is not None


async def claim_sync(tx: Transaction, now: datetime, until: datetime) -> StoredSync | None:
    """A sync of any tenant that nobody is at; the worker's until then."""
    found = await tx.fetch_one(NEXT, {"now": now, "limit": 1})
    if found is None:
        return None
    await tx.execute(LEASE, {"tenant_id": found.tenant_id, "sync_id": found.sync_id, "until": until})
    return found._replace(lease_until=until)


async def save_sync(tx: Transaction, sync: StoredSync, held_until: datetime) -> bool:
    """Write how far it has come; False when the lease that ran until then was lost."""
    params = {f"new_{name}": getattr(sync, name) for name in CHANGED}
    key = {"tenant_id": sync.tenant_id, "sync_id": sync.sync_id, "held_until": held_until}
    return await tx.execute(SAVE, {**key, **params}) == 1


async def forget_syncs(tx: Transaction, before: datetime) -> int:
    """Forget what was over before; of all tenants."""
    return await tx.execute(FORGET, {"before": before})
