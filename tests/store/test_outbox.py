"""The outbox: taken once, in order, a few of each target at a time, and nobody waits for another's target."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.store import outbox
from app.store.backlog import count_waiting
from app.store.database import Database, Transaction
from app.store.migrate import migrate
from app.store.outbox import Lease, StoredItem
from app.store.outbox_targets import (
    StoredTarget,
    due_targets,
    know_target,
    lock_target,
    note_answer,
    note_failure,
    read_target,
    try_lock_target,
)
from app.store.sqlite import sqlite_path
from tests.store.rows import NOON, minutes, outbox_item

LATER = NOON + minutes(1)


async def add(database: Database, *items: StoredItem) -> list[bool]:
    async def work(tx: Transaction) -> list[bool]:
        for item in items:
            await know_target(tx, item.tenant_id, item.target_id)
        return [await outbox.insert_item_if_new(tx, item) for item in items]

    return await database.transaction(work)


async def take(
    database: Database, limit: int = 9, *, now: datetime = NOON, owner: str = "w", target: str = "endpoint:e-1"
) -> list[str]:
    async def work(tx: Transaction) -> list[StoredItem]:
        assert await lock_target(tx, "acme", target) is not None
        return await outbox.lease_items(tx, "acme", target, owner=owner, now=now, until=now + minutes(1), limit=limit)

    return [item.item_id for item in await database.transaction(work)]


def held(item_id: str, attempts: int = 1, owner: str = "w") -> Lease:
    return Lease("acme", item_id, owner, attempts)


async def finish(database: Database, lease: Lease, status: str = "done") -> bool:
    return await database.transaction(lambda tx: outbox.finish_item(tx, lease, status=status, reason=None, at=NOON))


async def test_a_dedupe_key_is_taken_once_in_each_tenant(database: Database) -> None:
    assert await add(database, outbox_item("i-1")) == [True]
    assert await add(database, outbox_item("i-2", dedupe_key="key i-1")) == [False]
    assert await add(database, outbox_item("i-2", tenant_id="globex", dedupe_key="key i-1")) == [True]
    assert await outbox.read_item(database, "acme", "i-1") == outbox_item("i-1")
    assert await outbox.read_item(database, "acme", "i-2") is None


async def test_what_is_due_is_leased_and_not_due_again_before_the_lease_ends(database: Database) -> None:
    await add(database, outbox_item("i-1"), outbox_item("i-2", not_before=NOON + minutes(5)))
    assert await take(database) == ["i-1"]
    assert await take(database) == []
    until = NOON + minutes(1)
    assert await outbox.read_item(database, "acme", "i-1") == outbox_item(
        "i-1", attempts=1, lease_until=until, not_before=until, leased_by="w"
    )
    assert await take(database, now=until, owner="other") == ["i-1"]


async def test_who_has_lost_the_lease_writes_nothing(database: Database) -> None:
    await add(database, outbox_item("i-1"))
    await take(database)
    await take(database, now=NOON + minutes(1))
    assert await finish(database, held("i-1", attempts=1)) is False
    assert await finish(database, held("i-1", attempts=2, owner="other")) is False
    assert await finish(database, held("i-1", attempts=2)) is True
    assert await finish(database, held("i-1", attempts=2)) is False


async def test_items_of_one_order_key_go_one_after_another(database: Database) -> None:
    await add(
        database,
        outbox_item("i-1", order_key="D-1", not_before=NOON - minutes(1)),
        outbox_item("i-2", order_key="D-1", not_before=NOON - minutes(2)),
        outbox_item("i-3", order_key="D-2"),
        outbox_item("i-4", order_key="D-1", target_id="endpoint:e-2"),
    )
    assert await take(database) == ["i-1", "i-3"]
    assert await take(database, target="endpoint:e-2") == ["i-4"]
    await database.transaction(
        lambda tx: outbox.put_off_item(tx, held("i-1"), until=NOON + minutes(5), reason="{}", attempts=1)
    )
    assert await take(database) == []
    assert await take(database, now=NOON + minutes(5)) == ["i-3", "i-1"]
    assert await finish(database, held("i-1", attempts=2), status="dead") is True
    assert await take(database, now=NOON + minutes(5)) == ["i-2"]


async def test_an_older_item_waits_while_somebody_is_at_a_younger_one(database: Database) -> None:
    await add(database, outbox_item("i-1", order_key="D-1"), outbox_item("i-2", order_key="D-1"))
    await take(database)
    await finish(database, held("i-1"))
    assert await take(database) == ["i-2"]
    assert await database.transaction(lambda tx: outbox.replay_item(tx, "acme", "i-1", NOON)) is True
    assert await take(database) == []
    await finish(database, held("i-2"))
    assert await take(database) == ["i-1"]


async def test_the_leased_items_of_a_target_are_counted_until_their_leases_end(database: Database) -> None:
    await add(database, outbox_item("i-1"), outbox_item("i-2"), outbox_item("i-3"))
    await take(database, limit=2)

    async def counted(now: datetime) -> int:
        return await database.transaction(lambda tx: outbox.count_leased(tx, "acme", "endpoint:e-1", now))

    assert [await counted(NOON), await counted(NOON + minutes(1))] == [2, 0]
    assert [(await count_waiting(database, most))["outbox"] for most in (2, 9)] == [(2, None), (3, None)]


async def test_what_waits_is_cancelled_and_what_is_being_done_is_not(database: Database) -> None:
    async def cancel(item_id: str, now: datetime = NOON) -> bool:
        return await database.transaction(lambda tx: outbox.cancel_item(tx, "acme", item_id, reason="{}", now=now))

    await add(database, outbox_item("i-1"), outbox_item("i-2"))
    await take(database, limit=1)
    assert [await cancel("i-1"), await cancel("i-2"), await cancel("i-2"), await cancel("i-3")] == [
        False, True, False, False,
    ]  # fmt: skip
    assert await cancel("i-1", NOON + minutes(1)) is True
    assert await outbox.read_item(database, "acme", "i-2") == outbox_item(
        "i-2", status="cancelled", reason="{}", finished_at=NOON
    )


async def test_what_was_withdrawn_may_be_enqueued_once_more(database: Database) -> None:
    async def withdraw() -> bool:
        return await database.transaction(lambda tx: outbox.withdraw_item(tx, "acme", "key i-1", reason="{}", now=NOON))

    await add(database, outbox_item("i-1"))
    assert [await withdraw(), await withdraw()] == [True, False]
    assert await add(database, outbox_item("i-2", dedupe_key="key i-1")) == [True]
    assert [item.item_id for item in await outbox.list_items(database, "acme", limit=9)] == ["i-2", "i-1"]


async def test_what_is_over_is_replayed_from_its_first_attempt(database: Database) -> None:
    async def replay() -> bool:
        return await database.transaction(lambda tx: outbox.replay_item(tx, "acme", "i-1", LATER))

    await add(database, outbox_item("i-1"))
    assert await replay() is False
    await take(database)
    await finish(database, held("i-1"), status="dead")
    assert await replay() is True
    assert await outbox.read_item(database, "acme", "i-1") == outbox_item("i-1", not_before=LATER)


async def test_items_are_listed_newest_first_by_status_target_and_kind(database: Database) -> None:
    await add(
        database,
        outbox_item("i-1"),
        outbox_item("i-2", kind="remedy"),
        outbox_item("i-3", target_id="connection:crm"),
        outbox_item("i-4", tenant_id="globex"),
    )
    await database.transaction(lambda tx: outbox.cancel_item(tx, "acme", "i-1", reason="{}", now=NOON))

    async def names(**wanted: Any) -> list[str]:
        return [item.item_id for item in await outbox.list_items(database, "acme", limit=2, **wanted)]

    assert await names() == ["i-3", "i-2"]
    assert await names(cursor="i-2") == ["i-1"]
    assert await names(status="cancelled") == ["i-1"]
    assert await names(kind="remedy") == ["i-2"]
    assert await names(target_id="connection:crm", status="waiting") == ["i-3"]


@pytest.mark.parametrize("given", [("status", "cursor"), ("status", "target_id", "kind", "cursor")])
def test_the_dead_are_found_by_an_index_of_their_own(fresh_sqlite_url: str, given: tuple[str, ...]) -> None:
    migrate(fresh_sqlite_url)
    query = outbox._list_query(given, undone=True).sqlite
    params = dict.fromkeys(("tenant_id", "status", "target_id", "kind", "cursor"), "x") | {"limit": 9}
    with closing(sqlite3.connect(sqlite_path(fresh_sqlite_url))) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.sql}", query.arguments(params)).fetchall()
    assert "ix_outbox_undone (tenant_id=? AND status=? AND item_id<?)" in plan[0][3]


async def test_what_is_long_over_is_forgotten_the_dead_later(database: Database) -> None:
    await add(database, outbox_item("i-1"), outbox_item("i-2"), outbox_item("i-3"))
    await take(database, limit=2)
    await finish(database, held("i-1"))
    await finish(database, held("i-2"), status="dead")

    async def forget(over: timedelta, dead: timedelta) -> int:
        return await database.transaction(
            lambda tx: outbox.forget_items(tx, over=NOON + over, dead=NOON + dead, limit=9)
        )

    assert await forget(minutes(0), minutes(0)) == 0
    assert await forget(minutes(1), minutes(0)) == 1
    assert await forget(minutes(1), minutes(1)) == 1
    assert [item.item_id for item in await outbox.list_items(database, "acme", limit=9)] == ["i-3"]


async def test_only_targets_with_something_due_and_no_open_circuit_are_offered(database: Database) -> None:
    await add(
        database,
        outbox_item("i-1"),
        outbox_item("i-2", target_id="endpoint:later", not_before=LATER),
        outbox_item("i-3", target_id="endpoint:open"),
        outbox_item("i-4", tenant_id="globex"),
    )
    opened = StoredTarget("acme", "endpoint:open", 5, LATER)
    await database.transaction(lambda tx: note_failure(tx, opened))
    mine, theirs = (StoredTarget(tenant, "endpoint:e-1", 0, None) for tenant in ("acme", "globex"))
    late = StoredTarget("acme", "endpoint:later", 0, None)
    assert await due_targets(database, NOON) == [mine, theirs]
    assert await due_targets(database, LATER) == [mine, late, opened, theirs]
    await database.transaction(lambda tx: note_answer(tx, "acme", "endpoint:open", LATER))
    assert await read_target(database, "acme", "endpoint:open") == StoredTarget("acme", "endpoint:open", 0, None)


async def test_workers_who_choose_at_the_same_time_never_take_the_same_item(database: Database) -> None:
    await add(database, *[outbox_item(f"i-{number:03}") for number in range(40)])

    async def work(tx: Transaction) -> list[StoredItem]:
        if await try_lock_target(tx, "acme", "endpoint:e-1") is None:
            return []
        return await outbox.lease_items(
            tx, "acme", "endpoint:e-1", owner="w", now=NOON, until=NOON + minutes(1), limit=3
        )

    async def worker() -> list[str]:
        taken: list[str] = []
        while (await count_waiting(database, 99))["outbox"].waiting > 0 and len(taken) < 60:
            found = await database.transaction(work)
            taken += [item.item_id for item in found]
            if not found and not await due_targets(database, NOON):
                break
        return taken

    shares = await asyncio.gather(*[worker() for _ in range(4)])
    assert sorted(name for share in shares for name in share) == [f"i-{number:03}" for number in range(40)]
