"""The two transactions around every attempt: taking items under a lease, and writing down what became of one.

Nothing is sent inside either: whoever answers slowly holds up no row of the database.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.services.outbox import GiveUp, Later, reason
from app.services.outbox_schedule import NOT_COUNTED, after_failure, is_half_open, next_try
from app.store.database import Database, Transaction
from app.store.outbox import Lease, StoredItem, count_leased, finish_item, lease_items, put_off_item, renew_lease
from app.store.outbox_targets import StoredTarget, lock_target, note_answer, note_failure, try_lock_target

Died = Callable[[Transaction, StoredItem, str, dict[str, Any], datetime], Awaitable[None]]
"""Told in the same transaction that an item is dead: the item, the code and params of the reason, the time."""

_chance = random.Random()  # noqa: S311 - jitter need not be secret


class Claim(NamedTuple):
    """How a worker takes items: who it is, and for how long; it renews the lease while it is at them."""

    owner: str
    lease: timedelta


async def claim(db: Database, target: StoredTarget, how: Claim, now: datetime, most: int) -> list[StoredItem]:
    """Take at most so many items of a target that are due; none when another replica is choosing there just now."""

    async def work(tx: Transaction) -> list[StoredItem]:
        found = await try_lock_target(tx, target.tenant_id, target.target_id)
        if found is None or (found.open_until is not None and found.open_until > now):
            return []
        room = most
        if is_half_open(found):
            room = min(most, 1 - await count_leased(tx, target.tenant_id, target.target_id, now))
            if room <= 0:
                return []
        until = now + how.lease
        return await lease_items(
            tx, target.tenant_id, target.target_id, owner=how.owner, now=now, until=until, limit=room
        )

    return await db.transaction(work)


async def renew(db: Database, items: Sequence[StoredItem], how: Claim, now: datetime) -> list[StoredItem]:
    """The worker is still at these items, and at no others that it once took; those that it has lost."""

    async def work(tx: Transaction) -> list[StoredItem]:
        until = now + how.lease
        return [item for item in items if not await renew_lease(tx, _lease_of(item), until)]

    return await db.transaction(work) if items else []


def _lease_of(item: StoredItem) -> Lease:
    return Lease(item.tenant_id, item.item_id, item.leased_by or "", item.attempts)


async def settle_done(db: Database, item: StoredItem, now: datetime) -> str:
    """The item is done, its target has answered."""

    async def work(tx: Transaction) -> str:
        await note_answer(tx, item.tenant_id, item.target_id, now)  # the target first, as whoever blames one has it
        held = await finish_item(tx, _lease_of(item), status="done", reason=None, at=now)
        return "done" if held else "lost"

    return await db.transaction(work)


async def settle_failed(db: Database, item: StoredItem, why: Later | GiveUp, now: datetime, died: Died) -> str:
    """The item waits for its next try, or is dead; where the target is to blame it has failed once more."""

    async def work(tx: Transaction) -> str:
        if isinstance(why, GiveUp):
            return await _bury(tx, item, why, now, died)
        told = reason(why.code, **why.params)
        if not why.counts:
            until = now + timedelta(seconds=NOT_COUNTED if why.after is None else max(why.after, 0.0))
            if why.whole:
                await _rest(tx, item, until)
            return await _put_off(tx, item, until, told, item.attempts - 1)
        await _blame(tx, item, why.after, now)
        again = next_try(item.attempts, why.after, now, _chance)
        if again is None:
            return await _bury(tx, item, why, now, died)
        return await _put_off(tx, item, again, told, item.attempts)

    return await db.transaction(work)


async def give_back(db: Database, item: StoredItem, now: datetime) -> str:
    """The worker stops: whoever comes next may have the item at once, and this attempt does not count."""
    return await db.transaction(lambda tx: _put_off(tx, item, now, item.reason, item.attempts - 1))


async def _put_off(tx: Transaction, item: StoredItem, until: datetime, why: str | None, attempts: int) -> str:
    held = await put_off_item(tx, _lease_of(item), until=until, reason=why, attempts=attempts)
    return "later" if held else "lost"


async def _bury(tx: Transaction, item: StoredItem, why: Later | GiveUp, now: datetime, died: Died) -> str:
    if not await finish_item(tx, _lease_of(item), status="dead", reason=reason(why.code, **why.params), at=now):
        return "lost"
    await died(tx, item, why.code, why.params, now)
    return "dead"


async def _blame(tx: Transaction, item: StoredItem, after: float | None, now: datetime) -> None:
    target = await lock_target(tx, item.tenant_id, item.target_id)
    if target is not None:
        await note_failure(tx, after_failure(target, after, now, _chance))


async def _rest(tx: Transaction, item: StoredItem, until: datetime) -> None:
    target = await lock_target(tx, item.tenant_id, item.target_id)
    if target is not None and (target.open_until is None or target.open_until < until):
        await note_failure(tx, target._replace(open_until=until))
