"""Deliveries: stored, claimed by one worker at a time, finished, refused or tried again."""

import asyncio

import pytest

from app.store.database import Database, Transaction
from app.store.deliveries import (
    StoredDelivery,
    append_delivery,
    claim_delivery,
    finish_delivery,
    insert_events_if_new,
    postpone_delivery,
    read_delivery,
    refuse_delivery,
)
from tests.store.rows import NOON, delivery, minutes


async def _claim(database: Database) -> StoredDelivery | None:
    return await database.transaction(lambda tx: claim_delivery(tx, NOON))


async def test_a_delivery_comes_back_as_it_was_received_to_the_byte(database: Database) -> None:
    await append_delivery(database, delivery())
    assert await read_delivery(database, "acme", "d-1") == delivery()
    assert await read_delivery(database, "acme", "D-1") is None


async def test_the_oldest_delivery_of_all_tenants_that_is_due_is_claimed(database: Database) -> None:
    await append_delivery(database, delivery("d-1", received_at=NOON - minutes(3), not_before=NOON + minutes(1)))
    await append_delivery(database, delivery("d-2", received_at=NOON - minutes(1)))
    await append_delivery(database, delivery("d-3", received_at=NOON - minutes(2), tenant_id="globex"))
    assert await _claim(database) == delivery("d-3", received_at=NOON - minutes(2), tenant_id="globex")


async def test_with_nothing_due_nothing_is_claimed(database: Database) -> None:
    await append_delivery(database, delivery(not_before=NOON + minutes(1)))
    assert await _claim(database) is None


async def test_what_was_finished_or_refused_is_never_claimed_again(database: Database) -> None:
    for number in (1, 2):
        await append_delivery(database, delivery(f"d-{number}", received_at=NOON + minutes(number)))

    async def work(tx: Transaction) -> list[bool]:
        first = await claim_delivery(tx, NOON)
        assert first is not None
        done = [await finish_delivery(tx, first, result='{"judged": 1}', at=NOON)]
        second = await claim_delivery(tx, NOON)
        assert second is not None
        done.append(await refuse_delivery(tx, second, reason="other portal", at=NOON))
        return [*done, await refuse_delivery(tx, first, reason="late", at=NOON)]

    assert await database.transaction(work) == [True, True, False]
    assert await _claim(database) is None
    finished = {"attempts": 1, "processed_at": NOON}
    assert await read_delivery(database, "acme", "d-1") == delivery(
        "d-1", received_at=NOON + minutes(1), status="processed", result='{"judged": 1}', **finished
    )
    assert await read_delivery(database, "acme", "d-2") == delivery(
        "d-2", received_at=NOON + minutes(2), status="refused", reason="other portal", **finished
    )


async def test_a_postponed_delivery_waits_for_its_time(database: Database) -> None:
    await append_delivery(database, delivery())
    until = NOON + minutes(1)

    async def work(tx: Transaction) -> bool:
        claimed = await claim_delivery(tx, NOON)
        assert claimed is not None
        return await postpone_delivery(tx, claimed, reason="boom", until=until)

    assert await database.transaction(work) is True
    assert await _claim(database) is None
    expected = delivery(reason="boom", attempts=1, not_before=until)
    assert await database.transaction(lambda tx: claim_delivery(tx, until)) == expected


async def test_a_worker_that_fails_leaves_its_delivery_to_the_next(database: Database) -> None:
    await append_delivery(database, delivery())

    async def work(tx: Transaction) -> None:
        assert await claim_delivery(tx, NOON) == delivery()
        raise LookupError

    with pytest.raises(LookupError):
        await database.transaction(work)
    assert await _claim(database) == delivery()


async def test_many_workers_never_work_on_the_same_delivery(database: Database) -> None:
    names = [f"d-{number}" for number in range(20)]
    for name in names:
        await append_delivery(database, delivery(name))

    async def work(tx: Transaction) -> str | None:
        claimed = await claim_delivery(tx, NOON)
        if claimed is None:
            return None
        await finish_delivery(tx, claimed, result="{}", at=NOON)
        return claimed.delivery_id

    async def worker() -> list[str]:
        taken = []
        while (name := await database.transaction(work)) is not None:
            taken.append(name)
        return taken

    shares = await asyncio.gather(*[worker() for _ in range(4)])
    assert sorted(name for share in shares for name in share) == sorted(names)


async def test_an_event_is_new_once_for_each_connection(database: Database) -> None:
    async def remember(tenant_id: str, connection_id: str, *keys: str) -> set[str]:
        return await database.transaction(
            lambda tx: insert_events_if_new(tx, tenant_id, connection_id, list(keys), NOON)
        )

    assert await remember("acme", "hub-1", "b", "a", "b") == {"a", "b"}
    assert await remember("acme", "hub-1", "b", "c", "B") == {"c", "B"}
    assert await remember("acme", "hub-2", "b") == {"b"}
    assert await remember("globex", "hub-1", "b") == {"b"}


async def test_two_batches_with_the_same_events_count_each_of_them_once(database: Database) -> None:
    keys = [str(number) for number in range(30)]
    batches = (keys, keys[::-1])
    calls = [
        database.transaction(lambda tx, batch=batch: insert_events_if_new(tx, "acme", "hub-1", batch, NOON))  # type: ignore[misc]
        for batch in batches
    ]
    first, second = await asyncio.gather(*calls)
    assert (first | second, first & second) == (set(keys), set())
