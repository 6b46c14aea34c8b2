"""What the clock does for connections: channels renewed before they expire, gaps found by a reconciling read."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from app import logs
from app.crm.client import ClientError
from app.crm.http import Unreachable
from app.engine import instant
from app.engine.values import duration
from app.services.connection_settings import settings_of
from app.services.events import Events, OurEvent
from app.services.sync import Asked, ClientOf, begin
from app.store import connection_states as states
from app.store.connection_states import ConnectionState
from app.store.connections import read_connection
from app.store.database import Database, Transaction
from app.store.syncs import StoredSync, is_reconciling

AHEAD = timedelta(hours=12)
"""So long before it expires a channel is renewed."""
OVERLAP = timedelta(minutes=10)
"""So much of what was read already is read again: the CRM's own index lags behind."""
SOON = timedelta(minutes=1)
_AT_ONCE = 100
_SIDE_BY_SIDE = 10
"""So many CRMs may hang before anybody's channel is late."""
_MOST_TOLD = 20
_log = logs.get_logger(__name__)


async def renew_channels(db: Database, client_of: ClientOf, events: Events, now: datetime) -> None:
    """Renew every channel that expires soon; tell of one that cannot be renewed, once for each time it expires."""
    while await db.transaction(lambda tx: states.know_new_connections(tx, now, _AT_ONCE)):
        pass
    expiring = deque(await states.expiring_channels(db, now + AHEAD))

    async def renew_some() -> None:
        while expiring:
            state = expiring.popleft()
            try:
                await _renew(db, client_of, events, state, now)
            except Exception:  # noqa: BLE001 - whatever one connection does, the others go on; it is logged
                _log.exception("channel_not_renewed", connection=state.connection_id)

    await asyncio.gather(*(renew_some() for _ in range(_SIDE_BY_SIDE)))


async def _renew(db: Database, client_of: ClientOf, events: Events, state: ConnectionState, now: datetime) -> None:
    try:
        client = await client_of(state.tenant_id, state.connection_id)
        expires_at = None if client is None else await client.renew_channel(now)
    except (ClientError, Unreachable) as error:
        _log.warning("channel_not_renewed", connection=state.connection_id, reason=error.code)
        await _tell_expiring(db, events, state, error.code, now)
    else:
        await db.transaction(lambda tx: states.set_channel(tx, state.tenant_id, state.connection_id, expires_at))


async def _tell_expiring(db: Database, events: Events, state: ConnectionState, code: str, now: datetime) -> None:
    expires = None if state.channel_expires_at is None else instant(state.channel_expires_at)
    data = {"connection": state.connection_id, "expires_at": expires, "code": code}
    event = OurEvent(
        state.tenant_id, "connection.channel_expiring", state.connection_id, data,
        once=f"channel:{state.connection_id}:{expires}",
    )  # fmt: skip
    await db.transaction(lambda tx: events.tell(tx, event, now))


async def begin_reconciling(db: Database, now: datetime, wake: Callable[[], None]) -> None:
    """Begin the reconciling reads that are due, each as a sync of what has changed since the last one.

    While the last one still goes on, none is begun beside it, but soon after.
    """

    async def work(tx: Transaction) -> bool:
        state = await states.due_reconciling(tx, now)
        if state is None:
            return False
        connection = await read_connection(tx, state.tenant_id, state.connection_id)
        if connection is None or connection.access_ciphertext is None:
            await states.set_reconciling(tx, state.tenant_id, state.connection_id, None)
            return True
        pause = duration(settings_of(connection).reconcile)
        going_on = await is_reconciling(tx, state.tenant_id, state.connection_id)
        following = now + (min(pause, SOON) if going_on else pause)
        await states.set_reconciling(tx, state.tenant_id, state.connection_id, following)
        if going_on:
            return True
        since = (state.reconciled_until or now) - OVERLAP
        asked = Asked(state.connection_id, changed_since=since, reconciles=True)
        await begin(tx, state.tenant_id, asked, now)
        return True

    while await db.transaction(work):
        pass
    wake()


class Reconciled:
    """Told by a sync how far it has come: keeps until when a connection is reconciled, and which gaps were filled."""

    def __init__(self, events: Events) -> None:
        self._events = events

    async def __call__(self, tx: Transaction, sync: StoredSync, elsewhere: list[str], now: datetime) -> None:
        """In the transaction that writes the sync's progress."""
        if not sync.reconciles:
            return
        if sync.status == "done":
            await states.set_reconciled(tx, sync.tenant_id, sync.connection_id, sync.started_at)
        if elsewhere:
            await states.count_gaps(tx, sync.tenant_id, sync.connection_id, len(elsewhere))
            deals = [f"{sync.connection_id}:{one}" for one in elsewhere[:_MOST_TOLD]]
            data = {"connection": sync.connection_id, "count": len(elsewhere), "deals": deals}
            event = OurEvent(sync.tenant_id, "connection.gap", sync.connection_id, data)
            await self._events.tell(tx, event, now)
