"""The worker that judges what has settled: any number of processes may have one, and each deal is judged by one.

A connection whose CRM hangs holds its few slots and nothing else.
"""

import asyncio
import contextlib

from app import clock, logs
from app.services.background import Background, Hands
from app.services.settling import Judges, claim, give_up_for_now, settle
from app.store.crm_records import StoredRecord, connections_due
from app.store.database import DatabaseDown, StoreError

POLL = 0.5
"""Seconds between looks: what settles is due by the clock."""
SLOTS = 48
PER_TENANT = 12
PER_CONNECTION = 4
LIMIT = 60.0
"""Seconds that one deal may take: less than a lease, so that nobody takes what is still in good hands."""

_log = logs.get_logger(__name__)


class Settler(Background):
    """One task that hands out, and one for each deal at hand."""

    def __init__(self, judges: Judges, *, poll: float = POLL, slots: int = SLOTS) -> None:
        super().__init__("settling", self._round, poll=poll)
        self._judges = judges
        self._hands = Hands(slots=slots, of_a_tenant=PER_TENANT, of_a_place=PER_CONNECTION)

    async def stop(self) -> None:
        """Finish what is at hand. What takes too long is let go; its lease ends, and another takes it up."""
        await super().stop()
        await self._hands.stop()

    async def _round(self) -> bool:
        """Offer a turn to every connection with something due; False when nothing could be taken."""
        took = False
        for tenant_id, connection_id in await connections_due(self._judges.database, clock.now()):
            room = self._hands.room(tenant_id, connection_id)
            if room <= 0 or self.stopping:
                continue
            found = await claim(self._judges.database, tenant_id, connection_id, now=clock.now(), limit=room)
            for record in found:
                task = self._hands.begin(tenant_id, connection_id, self._work(record))
                task.add_done_callback(lambda _task: self.wake())
            took = took or bool(found)
        return took

    async def _work(self, record: StoredRecord) -> None:
        try:
            async with asyncio.timeout(LIMIT):
                await settle(self._judges, record)
        except DatabaseDown as error:  # the lease ends, and somebody takes it up
            _log.warning("settling_waits_for_the_database", reason=str(error))
        except Exception:  # noqa: BLE001 - whatever one deal does, the others go on; it is logged
            _log.exception("deal_not_judged", connection=record.connection_id, object_id=record.object_id)
            with contextlib.suppress(StoreError):
                await give_up_for_now(self._judges.database, record)
