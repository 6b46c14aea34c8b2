"""The worker behind syncs: one at a time in each process, also those that another process left behind."""

import asyncio
import contextlib

from app import clock, logs
from app.services.sync import LEASE, ClientOf, Filled, ReadBack, Running
from app.store.database import Database, DatabaseDown
from app.store.syncs import StoredSync, claim_sync

POLL = 1.0
"""Seconds between looks when nobody wakes the worker."""
PATIENCE = 5.0

_log = logs.get_logger(__name__)


class SyncWorker:
    """One task in the background of one server process; any number of processes may have one."""

    def __init__(self, database: Database, client_of: ClientOf, read_back: ReadBack, filled: Filled) -> None:
        self._database = database
        self._client_of = client_of
        self._read_back = read_back
        self._filled = filled
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; what was left behind is taken up first."""
        self._task = asyncio.create_task(self._run(), name="syncs")

    async def stop(self) -> None:
        """Leave the sync at hand where it was last written; another takes it up when the lease ends."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=PATIENCE)

    def wake(self) -> None:
        """Say that there is something to do; call it after the commit."""
        self._awake.set()

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            if not await self.next():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._awake.wait()

    async def next(self) -> bool:
        """Carry one sync on; False when there is none, or none can be had now."""
        sync: StoredSync | None = None
        try:
            now = clock.now()
            sync = await self._database.transaction(lambda tx: claim_sync(tx, now, now + LEASE))
            if sync is None:
                return False
            client = await self._client_of(sync.tenant_id, sync.connection_id)
            result = await Running(self._database, sync, self._read_back, self._filled).run(client)
            _log.info("sync_" + result, sync_id=sync.sync_id, connection=sync.connection_id)
        except DatabaseDown as error:
            _log.warning("syncs_wait_for_the_database", reason=str(error))
            return False
        except Exception:  # noqa: BLE001 - whatever one sync does, the others go on; it is logged
            _log.exception("sync_broke_off", sync_id=None if sync is None else sync.sync_id)
            return False
        return True
