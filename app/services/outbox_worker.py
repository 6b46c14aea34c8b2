"""The worker behind the outbox: hands what is due to its handlers, fairly, also what a dead worker left behind.

Any number of processes may have one. Each round goes through the targets that have something due, tenant by tenant in
turn; a target that hangs holds its few slots and nothing else.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from app import clock, logs
from app.services import outbox_claims as claims
from app.services.background import Background, Hands
from app.services.outbox import GiveUp, Handler, Later, work_of
from app.services.outbox_schedule import MOST_ATTEMPTS
from app.store.database import Database, DatabaseDown, StoreError, Transaction
from app.store.outbox import StoredItem
from app.store.outbox_targets import StoredTarget, due_targets

POLL = 0.5
"""Seconds between looks when nobody wakes the worker: items of other replicas, retries, leases that ended."""
SLOTS = 64
PER_TENANT = 8
PER_TARGET = 4
LEASE = timedelta(seconds=15)
"""What a worker has is another's when it has not been renewed for so long."""
RENEWALS = 4
"""So many times in each lease it is renewed while the item is at hand."""
LIMIT = 60.0
"""Seconds that a handler may take."""
UNKNOWN_KIND_WAITS = 60.0

_log = logs.get_logger(__name__)


async def nobody_told(_tx: Transaction, _item: StoredItem, _code: str, _params: dict[str, Any], _at: datetime) -> None:
    """What is told of dead items where nobody listens."""


class OutboxWorker(Background):
    """One task that hands out, and one for each item at hand."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        died: claims.Died = nobody_told,
        count: Callable[[str, str], None] = lambda _kind, _result: None,
        lease: timedelta = LEASE,
        limit: float = LIMIT,
        slots: int = SLOTS,
    ) -> None:
        """`count` is told kind and result (`done`, `later`, `dead`, `lost`) of every attempt."""
        super().__init__("outbox", self._round, poll=POLL)
        self._leases = Background("outbox leases", self._keep, poll=lease.total_seconds() / RENEWALS)
        self._hands = Hands(slots=slots, of_a_tenant=PER_TENANT, of_a_place=PER_TARGET)
        self._held: dict[asyncio.Task[None], StoredItem] = {}
        self._database = database
        self._handlers = handlers
        self._died = died
        self._count = count
        self._how = claims.Claim(uuid4().hex, lease)
        self._limit = limit
        self._kept_at: datetime | None = None
        self._last_tenant = ""

    async def start(self) -> None:
        """Begin; what was left waiting is taken first."""
        await super().start()
        await self._leases.start()

    async def stop(self) -> None:
        """Take nothing more; finish what is at hand, or give it back where that takes too long."""
        await super().stop()
        await self._hands.stop()
        await self._leases.stop()

    async def _keep(self) -> bool:
        """What is at hand stays ours, however long it takes; when we die nobody renews it any more.

        Where a lease ended all the same (we stood still, or the database did) and another has the item, we let go.
        """
        now, held = clock.now(), {item: task for task, item in self._held.items()}
        for lost in await claims.renew(self._database, list(held), self._how, now):
            held[lost].cancel()
        self._kept_at = now
        return False

    async def _round(self) -> bool:
        """Offer a turn to every target that has something due; False when nothing could be taken."""
        if self._kept_at is not None and clock.now() - self._kept_at > self._how.lease / 2:
            await self._keep()  # the clock was set on: what we are at must not look as if nobody had it
        took = False
        for target in in_turn(await due_targets(self._database, clock.now()), self._last_tenant):
            await self._hands.free()
            if self.stopping:
                return took
            if self._hands.room(target.tenant_id, target.target_id) > 0:
                took = await self._take(target) or took
        return took

    async def _take(self, target: StoredTarget) -> bool:
        room = self._hands.room(target.tenant_id, target.target_id)
        items = await claims.claim(self._database, target, self._how, clock.now(), room)
        for item in items:
            self._last_tenant = item.tenant_id
            task = self._hands.begin(item.tenant_id, item.target_id, self._work(item))
            self._held[task] = item
            task.add_done_callback(self._let_go)
        return bool(items)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        del self._held[task]
        self.wake()

    async def _work(self, item: StoredItem) -> None:
        try:
            result = await self._attempt(item)
            self._count(item.kind, result)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                self._count(item.kind, await claims.give_back(self._database, item, clock.now()))
            raise
        except StoreError as error:  # the lease ends, and somebody does it once more
            _log.warning("outbox_result_not_written", item_id=item.item_id, reason=str(error))
        except Exception:  # noqa: BLE001 - the same, whatever it was
            _log.exception("outbox_result_not_written", item_id=item.item_id)

    async def _attempt(self, item: StoredItem) -> str:
        """Let the handler do it, then write down what became of it."""
        why = await self._failure(item)
        if why is None:
            return await claims.settle_done(self._database, item, clock.now())
        result = await claims.settle_failed(self._database, item, why, clock.now(), self._died)
        if result == "dead":
            _log.warning("outbox_item_dead", item_id=item.item_id, kind=item.kind, reason=why.code)
        return result

    async def _failure(self, item: StoredItem) -> Later | GiveUp | None:
        """Why the handler could not do it; None when it is done."""
        if item.attempts > MOST_ATTEMPTS:  # every worker that had it died over it
            return GiveUp("outbox_never_finished", count=item.attempts - 1)
        handler = self._handlers.get(item.kind)
        if handler is None:  # a newer version enqueued it: one of its replicas will know
            return Later("outbox_unknown_kind", after=UNKNOWN_KIND_WAITS, counts=False, kind=item.kind)
        failure: Later | GiveUp | None = None
        try:
            async with asyncio.timeout(self._limit):
                await handler(work_of(item))
        except (Later, GiveUp) as why:
            failure = why
        except TimeoutError:
            failure = Later("outbox_timed_out", seconds=round(self._limit))
        except DatabaseDown:
            failure = Later("outbox_database_down", counts=False)
        except Exception:  # noqa: BLE001 - whatever one item does, the others go on; it is logged
            _log.exception("outbox_item_failed", item_id=item.item_id, kind=item.kind)
            failure = Later("outbox_failed")
        return failure


def in_turn(targets: Iterable[StoredTarget], last_tenant: str) -> Iterator[StoredTarget]:
    """One target of each tenant after another, beginning behind the tenant that was served last."""
    queues: defaultdict[str, deque[StoredTarget]] = defaultdict(deque)
    for target in targets:
        queues[target.tenant_id].append(target)
    names = sorted(queues, key=lambda name: (name <= last_tenant, name))
    while names:
        for name in names:
            yield queues[name].popleft()
        names = [name for name in names if queues[name]]
