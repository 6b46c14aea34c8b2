"""What the clock asks for: passes over all tenants, each run by exactly one replica each time it is due.

Whoever moves a pass on in the database runs it, beside the others, and breaks it off when its next time comes, so that
two are never at the same. What a pass leaves, as one whose replica dies leaves everything, is taken up the next time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from app import clock, logs
from app.services.background import Background
from app.services.connection_care import begin_reconciling, renew_channels
from app.services.events import Events
from app.services.forgetting import KEPT
from app.services.rotting import tell_rotten
from app.services.sync import ClientOf
from app.store.clock_passes import take_pass
from app.store.database import Database, DatabaseDown, Transaction
from app.store.deliveries import erase_bodies, forget_events
from app.store.idempotency import purge_answers
from app.store.outbox import forget_items
from app.store.outbox_targets import forget_targets
from app.store.syncs import forget_syncs
from app.store.tenants import list_tenants

POLL = 5.0
"""Seconds between looks at what is due."""
_LONGEST = 0.9
"""So much of its period a pass may take: clocks of replicas differ by seconds."""
_ITEMS_KEPT = timedelta(days=30)
_DEAD_KEPT = timedelta(days=90)
_EVENTS_KEPT = timedelta(days=30)
_AT_ONCE = 500

_log = logs.get_logger(__name__)


class Pass(NamedTuple):
    """Something to do again and again."""

    every: timedelta
    run: Callable[[datetime], Awaitable[None]]


class ClockWork:
    """A task for each pass in the background of one server process; any number of processes may have them."""

    def __init__(self, database: Database, passes: Mapping[str, Pass], poll: float = POLL) -> None:
        self._database = database
        self._passes = passes
        self._tasks = [Background(f"clock {name}", partial(self._look, name), poll=poll) for name in passes]

    async def start(self) -> None:
        """Begin; what is due is done first."""
        for task in self._tasks:
            await task.start()

    async def stop(self) -> None:
        """End what is at hand, where it stands if that takes too long."""
        await asyncio.gather(*(task.stop() for task in self._tasks))

    async def run_due(self, now: datetime) -> list[str]:
        """Run what is due and nobody else has; which those were."""
        ran = await asyncio.gather(*(self._run(name, now) for name in self._passes))
        return [name for name, did in zip(self._passes, ran, strict=True) if did]

    async def _look(self, name: str) -> bool:
        await self._run(name, clock.now())
        return False

    async def _run(self, name: str, now: datetime) -> bool:
        one, begun = self._passes[name], asyncio.get_running_loop().time()
        if not await take_pass(self._database, name, now=now, following=now + one.every):
            return False
        try:
            async with asyncio.timeout_at(begun + one.every.total_seconds() * _LONGEST):
                await one.run(now)
        except DatabaseDown:
            raise
        except TimeoutError:
            _log.warning("clock_pass_broken_off", name=name)
        except Exception:  # noqa: BLE001 - whatever one pass does, the others go on; it is logged
            _log.exception("clock_pass_failed", name=name)
        return True


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
    await _all(database, lambda tx: erase_bodies(tx, now, _AT_ONCE))


async def _forget(database: Database, now: datetime) -> None:
    await _all(database, lambda tx: forget_items(tx, over=now - _ITEMS_KEPT, dead=now - _DEAD_KEPT, limit=_AT_ONCE))
    await _all(database, lambda tx: forget_events(tx, now - _EVENTS_KEPT, _AT_ONCE))
    await database.transaction(forget_targets)
    await database.transaction(lambda tx: forget_syncs(tx, now - KEPT))
    for tenant in await list_tenants(database):
        await database.transaction(partial(purge_answers, tenant_id=tenant.tenant_id, before=now - KEPT))


async def _all(database: Database, some: Callable[[Transaction], Awaitable[int]]) -> None:
    """Again and again, in transactions of their own, until there are none left; others have their turn in between."""
    while await database.transaction(some):
        pass
