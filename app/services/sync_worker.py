"""The worker behind syncs: one at a time in each process, also those that another process left behind."""

from app import clock, logs
from app.services.background import Background
from app.services.sync import LEASE, ClientOf, Filled, ReadBack, Running
from app.store.database import Database, DatabaseDown
from app.store.syncs import StoredSync, claim_sync

POLL = 1.0
"""Seconds between looks when nobody wakes the worker."""

_log = logs.get_logger(__name__)


class SyncWorker(Background):
    """One sync after another. The one at hand when we stop is left where it was last written, and taken up again."""

    def __init__(self, database: Database, client_of: ClientOf, read_back: ReadBack, filled: Filled) -> None:
        super().__init__("syncs", self.next, poll=POLL, patience=0)
        self._database = database
        self._client_of = client_of
        self._read_back = read_back
        self._filled = filled

    async def next(self) -> bool:
        """Carry one sync on; False when there is none, or none can be had now."""
        sync: StoredSync | None = None
        try:
            now = clock.now()
            sync = await self._database.transaction(lambda tx: claim_sync(tx, now, now + LEASE))
            if sync is None:
                return False
            result = await Running(self._database, sync, self._read_back, self._filled).run(self._client_of)
            _log.info("sync_" + result, sync_id=sync.sync_id, connection=sync.connection_id)
        except DatabaseDown:
            raise
        except Exception:  # noqa: BLE001 - whatever one sync does, the others go on; it is logged
            _log.exception("sync_broke_off", sync_id=None if sync is None else sync.sync_id)
            return False
        return True
