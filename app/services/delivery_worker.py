"""The worker behind the webhooks: takes deliveries one after another, also those that another process left behind."""

import contextlib
import json
from collections.abc import Callable
from datetime import timedelta

from app import clock, logs
from app.services.background import Background
from app.services.deliveries import Progress, work_on
from app.services.delivery_refusal import refuse
from app.services.events import Events
from app.services.processes import Processes
from app.store.database import Database, DatabaseDown, Transaction
from app.store.deliveries import StoredDelivery, postpone_delivery

POLL = 0.5
"""Seconds between looks at the queue when nobody wakes the worker: deliveries of other replicas, and retries."""
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(milliseconds=100)
WAIT_GROWS = 4
LONGEST_WAIT = timedelta(minutes=5)

_log = logs.get_logger(__name__)


class DeliveryWorker(Background):
    """One delivery after another. One that takes too long when we stop is undone, and taken up by the next worker."""

    def __init__(
        self,
        database: Database,
        processes: Processes,
        decided: Callable[[str, str], None] = lambda _outcome, _source: None,
        events: Events | None = None,
    ) -> None:
        """`decided` is told the outcome and the source of every decision, once it is committed."""
        super().__init__("deliveries", self._next, poll=POLL)
        self._database = database
        self._processes = processes
        self._decided = decided
        self._events = events

    async def _next(self) -> bool:
        """Work on one delivery; False when there is none, or none can be had now."""
        progress = Progress()
        try:
            found = await self._database.transaction(
                lambda tx: work_on(tx, self._processes, clock.now(), progress, self._events)
            )
        except DatabaseDown:
            raise
        except Exception:  # noqa: BLE001 - whatever one delivery does, the others go on; it is logged
            failed = progress.delivery
            _log.exception("delivery_failed", delivery_id=failed.delivery_id if failed else None)
            return failed is not None and await self._put_off(failed)
        for outcome in progress.outcomes:
            self._decided(outcome, "webhook")
        return found

    async def _put_off(self, delivery: StoredDelivery) -> bool:
        """Try it again later, and less and less often; others go on meanwhile. In the end it is refused."""
        now, attempt = clock.now(), delivery.attempts + 1
        reason = json.dumps({"code": "delivery_failed", "params": {"count": attempt}})
        wait = min(FIRST_WAIT * WAIT_GROWS**delivery.attempts, LONGEST_WAIT)

        async def work(tx: Transaction) -> bool:
            if attempt >= MOST_ATTEMPTS:
                return await refuse(tx, delivery, reason, self._events, now)
            return await postpone_delivery(tx, delivery, reason=reason, until=now + wait)

        with contextlib.suppress(DatabaseDown):
            return await self._database.transaction(work)
        return False
