"""Rebuilding deals from their CRM: asked for, carried out page by page by whichever replica has it, and told of."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app import clock
from app.crm.client import Client, ClientError
from app.crm.http import Unreachable
from app.i18n import Locale
from app.services.ids import new_id
from app.services.outbox import reason
from app.services.outbox_report import why
from app.services.refusals import Refused
from app.store.database import Database, Reader, Transaction
from app.store.syncs import StoredSync, insert_sync, read_sync, save_sync

ClientOf = Callable[[str, str], Awaitable[Client | None]]
"""Tenant and connection -> what speaks with its CRM; None where it cannot be spoken to."""
ReadBack = Callable[[str, str, str], Awaitable[bool]]
"""Tenant, connection, the CRM's id of a deal: reads it and takes it in; whether it stood elsewhere than we knew.

Raises ClientError and Unreachable.
"""
Filled = Callable[[Transaction, StoredSync, list[str], datetime], Awaitable[None]]
"""Told in the same transaction which deals a reconciling read found elsewhere than we knew."""

LEASE = timedelta(seconds=120)
SAVE_EVERY = timedelta(seconds=2)
"""So often its progress is written, and the lease renewed with it."""
PATIENCE = 5.0
"""Seconds that a worker waits itself when the CRM asks for a pause; for longer the sync is put aside."""
MOST_TRIES = 5
FIRST_WAIT = 1.0
MOST_FAILING = 20
"""So many deals in a row that cannot be read end a sync: it is not the deals that are at fault."""


class UnknownSync(Refused):
    """No such sync: `sync`."""

    kind = "unknown-sync"


class NoAccess(Refused):
    """The connection's CRM cannot be asked: `connection`."""

    kind = "connection-without-access"


class Asked(NamedTuple):
    """What is to be rebuilt: one deal, or all that have changed since; all of them where neither is said."""

    connection_id: str
    object_id: str | None = None
    changed_since: datetime | None = None
    reconciles: bool = False


async def begin(tx: Transaction, tenant_id: str, asked: Asked, now: datetime) -> StoredSync:
    """Put a sync down to be carried out."""
    sync = StoredSync(
        tenant_id=tenant_id,
        sync_id=new_id(now),
        connection_id=asked.connection_id,
        object_id=asked.object_id,
        changed_since=asked.changed_since,
        reconciles=asked.reconciles,
        status="running",
        done=0,
        failed=0,
        total=None if asked.object_id is None else 1,
        cursor=None,
        reason=None,
        lease_until=now,
        started_at=now,
        updated_at=now,
        finished_at=None,
    )
    await insert_sync(tx, sync)
    return sync


async def read(db: Reader, tenant_id: str, connection_id: str, sync_id: str) -> StoredSync:
    """One sync of a connection."""
    found = await read_sync(db, tenant_id, sync_id)
    if found is None or found.connection_id != connection_id:
        raise UnknownSync(sync=sync_id)
    return found


def document(sync: StoredSync, locale: Locale) -> dict[str, Any]:
    """A sync in JSON."""
    return {
        "id": sync.sync_id,
        "connection": sync.connection_id,
        "deal": sync.object_id,
        "changed_since": sync.changed_since,
        "status": sync.status,
        "done": sync.done,
        "failed": sync.failed,
        "total": sync.total,
        **why(sync.reason, locale),
        "started_at": sync.started_at,
        "updated_at": sync.updated_at,
        "finished_at": sync.finished_at,
    }


class _Pause(Exception):
    """The CRM wants to be left alone for longer than a worker waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Lost(Exception):
    """Another has the sync: it was not renewed in time, or its connection is gone."""


class Running:
    """A sync in the hands of a worker. Where it stands is kept as the page's cursor and how many of it are done."""

    def __init__(self, db: Database, sync: StoredSync, read_back: ReadBack, filled: Filled) -> None:
        self._db = db
        self._sync = sync
        self._read_back = read_back
        self._filled = filled
        place = json.loads(sync.cursor) if sync.cursor else {}
        self._page: str | None = place.get("page")
        self._skip: int = place.get("skip", 0)
        self._failing = 0
        self._elsewhere: list[str] = []
        self._saved_at = clock.now()

    async def run(self, client: Client | None) -> str:
        """Carry it out as far as it goes: `done`, `failed`, `paused` or `lost`."""
        try:
            if client is None:
                raise ClientError("connection_without_access", again=False, connection=self._sync.connection_id)  # noqa: TRY301
            await self._all(client)
        except _Lost:
            return "lost"
        except _Pause as pause:
            await self._save(lease_until=clock.now() + timedelta(seconds=pause.seconds))
            return "paused"
        except (ClientError, Unreachable) as error:
            now = clock.now()
            await self._save(status="failed", reason=reason(error.code, **error.params), finished_at=now)
            return "failed"
        await self._save(status="done", cursor=None, finished_at=clock.now())
        return "done"

    async def _all(self, client: Client) -> None:
        if self._sync.object_id is not None:
            await self._one(self._sync.object_id)
            return
        while True:
            page = await _patiently(lambda: client.list_deals(self._sync.changed_since, self._page))
            self._sync = self._sync._replace(total=page.total if page.total is not None else self._sync.total)
            for object_id in page.ids[self._skip :]:
                await self._one(object_id)
                self._skip += 1
                if clock.now() - self._saved_at >= SAVE_EVERY:
                    await self._save()
            if page.cursor is None:
                return
            self._page, self._skip = page.cursor, 0
            await self._save()

    async def _one(self, object_id: str) -> None:
        sync = self._sync
        try:
            moved = await _patiently(lambda: self._read_back(sync.tenant_id, sync.connection_id, object_id))
        except (ClientError, Unreachable) as error:
            self._failing += 1
            self._sync = sync._replace(failed=sync.failed + 1, reason=reason(error.code, **error.params))
            if sync.object_id is not None or self._failing == MOST_FAILING:
                raise
            return
        self._failing = 0
        self._sync = sync._replace(done=sync.done + 1)
        if moved:
            self._elsewhere.append(object_id)

    async def _save(self, **changes: Any) -> None:
        """Write where it stands; with it, the deals that a reconciling read found elsewhere."""
        now = clock.now()
        held = self._sync.lease_until
        place = json.dumps({"page": self._page, "skip": self._skip})
        saved = self._sync._replace(**{"cursor": place, "lease_until": now + LEASE, "updated_at": now, **changes})
        found = self._elsewhere if saved.reconciles else []

        async def work(tx: Transaction) -> bool:
            if not await save_sync(tx, saved, held):
                return False
            await self._filled(tx, saved, found, now)
            return True

        if not await self._db.transaction(work):
            raise _Lost
        self._sync, self._elsewhere, self._saved_at = saved, [], now


async def _patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again a few times where that may help; where the CRM asks for a long pause, let go of the sync."""
    for attempt in range(MOST_TRIES):
        try:
            return await call()
        except ClientError as error:
            if not error.again or attempt == MOST_TRIES - 1:
                raise
            wait = error.after if error.after is not None else FIRST_WAIT * 2**attempt
        except Unreachable:
            if attempt == MOST_TRIES - 1:
                raise
            wait = FIRST_WAIT * 2**attempt
        if wait > PATIENCE:
            raise _Pause(min(wait, 3600.0))
        await asyncio.sleep(wait)
    raise AssertionError("unreachable")
