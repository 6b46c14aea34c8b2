"""What the clock asks for: passes over all tenants, each run by exactly one replica each time it is due.

Whoever moves a pass on in the database runs it. A replica that dies over one leaves it to the next time: every pass
takes up whatever is due, however long it has been.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from app import clock, logs
from app.services.connection_care import begin_reconciling, renew_channels
from app.services.events import Events
from app.services.forgetting import KEPT
from app.services.rotting import tell_rotten
from app.services.sync import ClientOf
from app.store.clock_passes import take_pass
from app.store.database import Database, DatabaseDown, Transaction
from app.store.deliveries import erase_bodies
from app.store.idempotency import purge_answers
from app.store.outbox import forget_items
from app.store.syncs import forget_syncs
from app.store.tenants import list_tenants

POLL = 5.0
"""Seconds between looks at what is due."""
PATIENCE = 5.0
_ITEMS_KEPT = timedelta(days=30)
_DEAD_KEPT = timedelta(days=90)
_AT_ONCE = 500

_log = logs.get_logger(__name__)


class Pass(NamedTuple):
    """Something to do again and again."""

    every: timedelta
    run: Callable[[datetime], Awaitable[None]]


class ClockWork:
    """One task in the background of one server process; any number of processes may have one."""

    def __init__(self, database: Database, passes: Mapping[str, Pass], poll: float = POLL) -> None:
        self._database = database
        self._passes = passes
        self._poll = poll
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; what is due is done first."""
        self._stopped.clear()
        self._task = asyncio.create_task(self._run(), name="clock work")

    async def stop(self) -> None:
        """End the pass at hand where it stands."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopped.set()
        if not (await asyncio.wait({task}, timeout=PATIENCE))[0]:
            task.cancel()
            await asyncio.wait({task}, timeout=PATIENCE)

    async def run_due(self, now: datetime) -> list[str]:
        """Run what is due and nobody else has; which those were. One that fails holds up no other."""
        ran = []
        for name, one in self._passes.items():
            try:
                if await take_pass(self._database, name, now=now, following=now + one.every):
                    ran.append(name)
                    await one.run(now)
            except DatabaseDown as error:
                _log.warning("clock_work_waits_for_the_database", name=name, reason=str(error))
            except Exception:  # noqa: BLE001 - whatever one pass does, the others go on; it is logged
                _log.exception("clock_pass_failed", name=name)
        return ran

    async def _run(self) -> None:
        while not self._stopped.is_set():
            await self.run_due(clock.now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._stopped.wait()


def usual_passes(database: Database, events: Events, wake: Callable[[], None]) -> dict[str, Pass]:
    """What every server does: tell of rotting deals, erase what was kept long enough, forget what is long over."""

    async def rotting(now: datetime) -> None:
        await tell_rotten(database, events, now)
        wake()

    return {
        "rotting": Pass(timedelta(minutes=1), rotting),
        "erase": Pass(timedelta(minutes=5), lambda now: _erase(database, now)),
        "forget": Pass(timedelta(hours=1), lambda now: _forget(database, now)),
    }


def connection_passes(
    database: Database, client_of: ClientOf, events: Events, outbox: Callable[[], None], syncs: Callable[[], None]
) -> dict[str, Pass]:
    """What is done for connections whose CRM can be asked. `outbox` and `syncs` wake those workers."""

    async def channels(now: datetime) -> None:
        await renew_channels(database, client_of, events, now)
        outbox()

    return {
        "channels": Pass(timedelta(minutes=5), channels),
        "reconcile": Pass(timedelta(minutes=1), lambda now: begin_reconciling(database, now, syncs)),
    }


async def _erase(database: Database, now: datetime) -> None:
    while await database.transaction(lambda tx: erase_bodies(tx, now, _AT_ONCE)):
        pass


async def _forget(database: Database, now: datetime) -> None:
    async def items(tx: Transaction) -> int:
        return await forget_items(tx, over=now - _ITEMS_KEPT, dead=now - _DEAD_KEPT, limit=_AT_ONCE)

    while await database.transaction(items):
        pass
    await database.transaction(lambda tx: forget_syncs(tx, now - KEPT))
    for tenant in await list_tenants(database):
        await database.transaction(partial(purge_answers, tenant_id=tenant.tenant_id, before=now - KEPT))
