"""Rebuilding deals from their CRM: asked for, carried out page by page by whichever replica has it, and told of."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from app import clock, logs
from app.crm.client import Client, ClientError, Page
from app.crm.http import Unreachable
from app.i18n import Locale
from app.services.ids import new_id
from app.services.outbox import reason
from app.services.outbox_report import why
from app.services.refusals import Refused
from app.services.unlisted import kept_deals, was_passed_over
from app.store.crm_records import ask_to_judge
from app.store.database import Database, DatabaseDown, Reader, Transaction
from app.store.syncs import StoredSync, insert_sync, read_sync, save_sync

ClientOf = Callable[[str, str], Awaitable[Client | None]]
"""Tenant and connection -> what speaks with its CRM; None where it cannot be spoken to. Raises ClientError."""
ReadBack = Callable[[str, str, str], Awaitable[bool]]
"""Tenant, connection, the CRM's id of a deal: reads it and takes it in; whether it had moved without our being told.

Raises ClientError and Unreachable.
"""
Filled = Callable[[Transaction, StoredSync, list[str], datetime], Awaitable[None]]
"""Told in the same transaction of which deals a reconciling read found moves that nobody had told us of."""

LEASE = timedelta(seconds=120)
SAVE_EVERY = timedelta(seconds=2)
"""So often its progress is written, and the lease renewed with it."""
TURN = timedelta(seconds=30)
"""So long one sync goes on while others wait: a large one holds up no other."""
PATIENCE = 5.0
"""Seconds that a worker waits itself, at most; where the CRM asks for more the sync is put aside."""
LONGEST_PAUSE = 3600.0
MOST_TRIES = 5
FIRST_WAIT = 1.0
WAIT_FOR_CRM = 60.0
"""Seconds for which a sync is put aside when its CRM keeps asking for less, or lists nothing: it is no deal's fault."""
MOST_FAILING = 20
"""So many deals in a row that cannot be read end a sync: it is not the deals that are at fault."""
OF_ALL = ("client_token_refused", "connection_without_access", "secret_unavailable")
"""What stands in the way of every deal alike."""

T = TypeVar("T")
_log = logs.get_logger(__name__)


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
    """The sync is put aside: the CRM wants to be left alone for longer than a worker waits, or it is others' turn."""

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
        self._failing: int = place.get("failing", 0)
        self._unlisted: bool = place.get("unlisted", False)
        self._elsewhere: list[str] = []
        self._unread: list[str] = []
        self._began_at = self._saved_at = clock.now()

    async def run(self, client_of: ClientOf) -> str:
        """Carry it out as far as it goes: `done`, `failed`, `paused` or `lost`."""
        try:
            client = await client_of(self._sync.tenant_id, self._sync.connection_id)
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
        """Every deal that the CRM lists; where all of them are asked for, also those that only we know of."""
        if self._sync.object_id is not None:
            await self._one(self._sync.object_id)
            return
        while True:
            page = await self._list(client)
            self._sync = self._sync._replace(total=page.total if page.total is not None else self._sync.total)
            for object_id in page.ids[self._skip :]:
                if not self._unlisted or await was_passed_over(self._db, self._sync, object_id):
                    await self._one(object_id)
                self._skip += 1
                await self._save_if_due()
                if clock.now() - self._began_at >= TURN:
                    raise _Pause(0.0)
            if page.cursor is None:
                if self._unlisted or self._sync.changed_since is not None:
                    return
                self._unlisted = True
            self._page, self._skip = page.cursor, 0
            await self._save()

    async def _list(self, client: Client) -> Page:
        """The next page. What keeps it from us may pass, and ends nothing but this turn."""
        if self._unlisted:
            return await kept_deals(self._db, self._sync, self._page)
        try:
            return await self._patiently(
                lambda: self._ours(client.list_deals(self._sync.changed_since, self._page), "outbox_failed")
            )
        except (ClientError, Unreachable) as error:
            self._failing += 1
            if not _may_help(error) or self._failing == MOST_FAILING:
                raise
            raise _Pause(WAIT_FOR_CRM) from error

    async def _one(self, object_id: str) -> None:
        """Read one deal. One that may be readable later is left to those who read what has settled."""
        sync = self._sync
        try:
            gap = await self._patiently(
                lambda: self._ours(self._read_back(sync.tenant_id, sync.connection_id, object_id), "deal_not_taken_in")
            )
        except (ClientError, Unreachable) as error:
            _log.warning("deal_not_read", connection=sync.connection_id, object_id=object_id, reason=error.code)
            if self._unlisted and not _may_help(error) and error.code not in OF_ALL:
                return  # it was told of when it was listed, or is as much out of our sight as out of the list
            self._failing += 1
            self._count(failed=sync.failed + 1, reason=reason(error.code, **error.params))
            if sync.object_id is not None or self._failing == MOST_FAILING:
                raise
            if _may_help(error):
                self._unread.append(object_id)
            return
        self._failing = 0
        self._count(done=sync.done + 1)
        if gap:
            self._elsewhere.append(object_id)

    def _count(self, **changes: Any) -> None:
        """One deal more; one that was not listed is one more of all."""
        total = self._sync.total
        if self._unlisted and total is not None:
            total += 1
        self._sync = self._sync._replace(total=total, **changes)

    async def _ours(self, call: Awaitable[T], code: str) -> T:
        """What we fail on ourselves has failed: a sync that is taken up over and over again ends nowhere."""
        try:
            return await call
        except (ClientError, Unreachable, DatabaseDown):
            raise
        except Exception as error:
            _log.exception(code, connection=self._sync.connection_id)
            raise ClientError(code, again=False) from error

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask again a few times where that may help; where the CRM asks for a long pause, let go of the sync."""
        for attempt in range(1, MOST_TRIES + 1):
            try:
                return await call()
            except (ClientError, Unreachable) as error:
                asked = error.after if isinstance(error, ClientError) else None
                if not _may_help(error):
                    raise
                if asked is not None and asked > PATIENCE:
                    raise _Pause(min(asked, LONGEST_PAUSE)) from error
                if attempt == MOST_TRIES and error.code == "client_throttled":
                    raise _Pause(WAIT_FOR_CRM) from error
                if attempt == MOST_TRIES:
                    raise
            await asyncio.sleep(min(FIRST_WAIT * 2 ** (attempt - 1), PATIENCE) if asked is None else asked)
            await self._save_if_due()
        raise AssertionError("unreachable")

    async def _save_if_due(self) -> None:
        if clock.now() - self._saved_at >= SAVE_EVERY:
            await self._save()

    async def _save(self, **changes: Any) -> None:
        """Write where it stands; with it, the gaps that a reconciling read found, and what is to be read again."""
        now = clock.now()
        held = self._sync.lease_until
        place = {"page": self._page, "skip": self._skip, "failing": self._failing, "unlisted": self._unlisted}
        saved = self._sync._replace(
            **{"cursor": json.dumps(place), "lease_until": now + LEASE, "updated_at": now, **changes}
        )
        found, unread = self._elsewhere if saved.reconciles else [], self._unread

        async def work(tx: Transaction) -> bool:
            if not await save_sync(tx, saved, held):
                return False
            for object_id in sorted(unread):
                await ask_to_judge(tx, saved.tenant_id, saved.connection_id, object_id, now)
            await self._filled(tx, saved, found, now)
            return True

        if not await self._db.transaction(work):
            raise _Lost
        self._sync, self._elsewhere, self._unread, self._saved_at = saved, [], [], now


def _may_help(error: ClientError | Unreachable) -> bool:
    """Whether another try may."""
    return error.again if isinstance(error, ClientError) else True
