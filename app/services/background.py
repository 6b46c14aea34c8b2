"""What the workers of a server share: a task that does one step after another, and the work that it has at hand.

Any number of processes may run the same worker; what a step takes, it takes in the database.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from app import logs
from app.store.database import DatabaseDown

PATIENCE = 5.0
"""Seconds that stopping waits for what is at hand, before it is broken off."""

Step = Callable[[], Awaitable[bool]]
"""Does what there is to do now; False when there is nothing, or nothing can be had now."""

_log = logs.get_logger(__name__)


class Background:
    """One task in the background of one server process."""

    def __init__(self, name: str, step: Step, *, poll: float, patience: float | None = None) -> None:
        """`poll`: seconds between looks when nobody wakes it; `patience`: those that stopping waits for a step."""
        self._name = name
        self._step = step
        self._poll = poll
        self._patience = patience
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.stopping = False
        """A step that takes long looks here whether it is to end."""

    async def start(self) -> None:
        """Begin; what was left waiting is taken first."""
        self.stopping = False
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Finish the step at hand, or break it off where that takes too long."""
        task, self._task = self._task, None
        if task is not None:
            self.stopping = True
            self._awake.set()
            await ended({task}, PATIENCE if self._patience is None else self._patience)

    def wake(self) -> None:
        """Say that there is something to do; call it after the commit."""
        self._awake.set()

    async def _run(self) -> None:
        while not self.stopping:
            self._awake.clear()
            took = False
            try:
                took = await self._step()
            except DatabaseDown as error:
                _log.warning("worker_waits_for_the_database", worker=self._name, reason=str(error))
            except Exception:  # noqa: BLE001 - one bad step must not end all that follow; it is logged
                _log.exception("worker_step_failed", worker=self._name)
            if not took and not self.stopping:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._awake.wait()


class Hands:
    """What a worker is at: so much at once, so much of each tenant and of each place, so that nobody takes all."""

    def __init__(self, *, slots: int, of_a_tenant: int, of_a_place: int) -> None:
        self._most = (slots, of_a_tenant, of_a_place)
        self._tenants: Counter[str] = Counter()
        self._places: Counter[tuple[str, str]] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def room(self, tenant_id: str, place: str) -> int:
        """How much more may be begun there."""
        slots, of_a_tenant, of_a_place = self._most
        return min(
            slots - len(self._tasks),
            of_a_tenant - self._tenants[tenant_id],
            of_a_place - self._places[tenant_id, place],
        )

    def begin(self, tenant_id: str, place: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it beside everything else."""
        self._tenants[tenant_id] += 1
        self._places[tenant_id, place] += 1
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._tenants -= Counter({tenant_id: 1})
            self._places -= Counter({(tenant_id, place): 1})

        task.add_done_callback(done)
        return task

    async def free(self) -> None:
        """Wait until no more is at hand than may be, less one."""
        while len(self._tasks) >= self._most[0]:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Finish what is at hand, or break it off where that takes too long."""
        await ended(self._tasks, PATIENCE)


async def ended(tasks: set[asyncio.Task[None]], patience: float) -> None:
    """Wait for tasks to end by themselves; then have them end."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=patience)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=PATIENCE)
