"""The worker that judges what has settled: any number of processes may have one, and each deal is judged by one.

A connection whose CRM hangs holds its few slots and nothing else.
"""

import asyncio
import contextlib
from collections import Counter

from app import clock, logs
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
PATIENCE = 5.0

_log = logs.get_logger(__name__)


class Settler:
    """One task that hands out, and one for each deal at hand."""

    def __init__(self, judges: Judges, *, poll: float = POLL, slots: int = SLOTS) -> None:
        self._judges = judges
        self._poll = poll
        self._slots = slots
        self._at_hand: set[asyncio.Task[None]] = set()
        self._busy: Counter[tuple[str, str]] = Counter()
        self._busy_tenants: Counter[str] = Counter()
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Begin; what was left waiting is taken first."""
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name="settling")

    async def stop(self) -> None:
        """Finish what is at hand. What takes too long is let go; its lease ends, and another takes it up."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping = True
        self._awake.set()
        await asyncio.wait({task}, timeout=PATIENCE)
        for each in ({task}, self._at_hand):
            if each and (await asyncio.wait(each, timeout=PATIENCE))[1]:
                for one in each:
                    one.cancel()
                await asyncio.wait(each, timeout=PATIENCE)

    def wake(self) -> None:
        """Say that something may be due; call it after the commit."""
        self._awake.set()

    async def _run(self) -> None:
        while not self._stopping:
            self._awake.clear()
            took = False
            try:
                took = await self._round()
            except DatabaseDown as error:
                _log.warning("settling_waits_for_the_database", reason=str(error))
            except Exception:  # noqa: BLE001 - one bad round must not end all that follow; it is logged
                _log.exception("settling_round_failed")
            if not took and not self._stopping:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._awake.wait()

    async def _round(self) -> bool:
        """Offer a turn to every connection with something due; False when nothing could be taken."""
        took = False
        for tenant_id, connection_id in await connections_due(self._judges.database, clock.now()):
            room = min(
                self._slots - len(self._at_hand),
                PER_TENANT - self._busy_tenants[tenant_id],
                PER_CONNECTION - self._busy[tenant_id, connection_id],
            )
            if room <= 0 or self._stopping:
                continue
            found = await claim(self._judges.database, tenant_id, connection_id, now=clock.now(), limit=room)
            for record in found:
                self._begin(record)
            took = took or bool(found)
        return took

    def _begin(self, record: StoredRecord) -> None:
        self._busy[record.tenant_id, record.connection_id] += 1
        self._busy_tenants[record.tenant_id] += 1
        task = asyncio.create_task(self._work(record), name=f"settling {record.connection_id}:{record.object_id}")
        self._at_hand.add(task)
        task.add_done_callback(self._at_hand.discard)

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
        finally:
            self._busy -= Counter({(record.tenant_id, record.connection_id): 1})
            self._busy_tenants -= Counter({record.tenant_id: 1})
            self._awake.set()
