"""How far each connection has come: reconciled until when, its channel good until when, how many gaps were filled."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, delete, select, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_new, named, page, select_shape
from app.store.tables import ConnectionRow, ConnectionStateRow, table_of

TABLE = table_of(ConnectionStateRow)
CONNECTIONS = table_of(ConnectionRow)


class ConnectionState(NamedTuple):
    """What changes by itself, apart from the settings."""

    tenant_id: str
    connection_id: str
    reconciled_until: datetime | None
    reconcile_at: datetime | None
    channel_expires_at: datetime | None
    gaps_filled: int


ONE = by_key(TABLE, "tenant_id", "connection_id")
INSERT = insert_new(TABLE)
READ = Query(select_shape(TABLE, ConnectionState).where(*ONE), ConnectionState._make)
WITHOUT = Query(
    page(
        select(CONNECTIONS.c.tenant_id, CONNECTIONS.c.connection_id)
        .outerjoin(
            TABLE,
            and_(TABLE.c.tenant_id == CONNECTIONS.c.tenant_id, TABLE.c.connection_id == CONNECTIONS.c.connection_id),
        )
        .where(CONNECTIONS.c.access_ciphertext.is_not(None), TABLE.c.tenant_id.is_(None))
    ),
    tuple,
)
EXPIRING = Query(
    select_shape(TABLE, ConnectionState)
    .where(TABLE.c.channel_expires_at <= named(TABLE, "channel_expires_at", "before"))
    .order_by(TABLE.c.channel_expires_at),
    ConnectionState._make,
)
DUE = Query(
    page(
        select_shape(TABLE, ConnectionState)
        .where(TABLE.c.reconcile_at <= named(TABLE, "reconcile_at", "now"))
        .order_by(TABLE.c.reconcile_at)
        .with_for_update(skip_locked=True)
    ),
    ConnectionState._make,
)
ANEW = command(
    update(TABLE)
    .where(*ONE)
    .values(
        channel_expires_at=named(TABLE, "channel_expires_at", "now"), reconcile_at=named(TABLE, "reconcile_at", "now")
    )
)
DELETE = command(delete(TABLE).where(*ONE))
CHANNEL = command(update(TABLE).where(*ONE).values(channel_expires_at=named(TABLE, "channel_expires_at", "expires_at")))
RECONCILE = command(update(TABLE).where(*ONE).values(reconcile_at=named(TABLE, "reconcile_at", "at")))
RECONCILED = command(update(TABLE).where(*ONE).values(reconciled_until=named(TABLE, "reconciled_until", "until")))
FILLED = command(
    update(TABLE).where(*ONE).values(gaps_filled=TABLE.c.gaps_filled + named(TABLE, "gaps_filled", "count"))
)


async def know_new_connections(tx: Transaction, now: datetime, limit: int) -> int:
    """Begin to care for connections whose CRM can be asked and that nobody has looked after yet; how many."""
    found = await tx.fetch_all(WITHOUT, {"limit": limit})
    for tenant_id, connection_id in found:
        await tx.execute(INSERT, ConnectionState(tenant_id, connection_id, now, now, now, 0)._asdict())
    return len(found)


async def look_anew(tx: Transaction, tenant_id: str, connection_id: str, now: datetime) -> None:
    """A connection has changed: there may be a channel or credentials where there were none."""
    await tx.execute(ANEW, {"tenant_id": tenant_id, "connection_id": connection_id, "now": now})


async def delete_state(tx: Transaction, tenant_id: str, connection_id: str) -> None:
    """Forget it with its connection."""
    await tx.execute(DELETE, {"tenant_id": tenant_id, "connection_id": connection_id})


async def read_state(db: Reader, tenant_id: str, connection_id: str) -> ConnectionState | None:
    """One connection's state."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "connection_id": connection_id})


async def expiring_channels(db: Reader, before: datetime) -> list[ConnectionState]:
    """Connections of all tenants whose channel expires before."""
    return await db.fetch_all(EXPIRING, {"before": before})


async def due_reconciling(tx: Transaction, now: datetime) -> ConnectionState | None:
    """A connection of any tenant whose reconciling read is due."""
    return await tx.fetch_one(DUE, {"now": now, "limit": 1})


async def set_channel(tx: Transaction, tenant_id: str, connection_id: str, expires_at: datetime | None) -> None:
    """Until when the channel is good; None where the CRM's do not expire."""
    await tx.execute(CHANNEL, {"tenant_id": tenant_id, "connection_id": connection_id, "expires_at": expires_at})


async def set_reconciling(tx: Transaction, tenant_id: str, connection_id: str, at: datetime | None) -> None:
    """When the next reconciling read is due; None for never."""
    await tx.execute(RECONCILE, {"tenant_id": tenant_id, "connection_id": connection_id, "at": at})


async def set_reconciled(tx: Transaction, tenant_id: str, connection_id: str, until: datetime) -> None:
    """Everything that changed in the CRM until then has been read."""
    await tx.execute(RECONCILED, {"tenant_id": tenant_id, "connection_id": connection_id, "until": until})


async def count_gaps(tx: Transaction, tenant_id: str, connection_id: str, count: int) -> None:
    """So many deals had moved without our being told."""
    await tx.execute(FILLED, {"tenant_id": tenant_id, "connection_id": connection_id, "count": count})
