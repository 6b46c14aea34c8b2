"""What a CRM told about a deal: one document, one worker at a time; and when it is to be judged."""

import asyncio

from app.store.crm_records import (
    StoredRecord,
    ask_to_judge,
    connections_due,
    lease_due,
    lock_record,
    put_off,
    read_record,
    write_record,
)
from app.store.database import Database, Transaction
from tests.store.rows import NOON, minutes


async def _read(database: Database, tenant_id: str = "acme", object_id: str = "7") -> str | None:
    record = await database.transaction(lambda tx: lock_record(tx, tenant_id, "hub-1", object_id))
    return record.document


def _record(object_id: str = "7", minute: int | None = None, connection_id: str = "hub-1") -> StoredRecord:
    at = None if minute is None else NOON + minutes(minute)
    return StoredRecord("acme", connection_id, object_id, "{}", at)


async def _store(database: Database, *records: StoredRecord) -> None:
    async def work(tx: Transaction) -> None:
        for record in records:
            await lock_record(tx, *record[:3])
            await write_record(tx, record)

    await database.transaction(work)


async def test_a_document_is_written_and_read_and_is_nothing_before(database: Database) -> None:
    assert await _read(database) is None
    await _store(database, _record())
    assert [await _read(database), await _read(database, object_id="8")] == ["{}", None]


async def test_workers_on_the_same_deal_follow_each_other_from_the_first_event_on(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        known = await lock_record(tx, "acme", "hub-1", "7")
        await write_record(tx, known._replace(document=(known.document or "") + "x"))

    await asyncio.gather(*[database.transaction(work) for _ in range(8)])
    assert await _read(database) == "x" * 8


async def test_what_has_settled_is_taken_under_a_lease_by_one_worker(database: Database) -> None:
    await _store(database, _record("7", 1), _record("8", 2), _record("9", 9), _record("6"), _record("1", 0, "zoho"))
    now, until = NOON + minutes(5), NOON + minutes(7)
    assert await connections_due(database, now) == [("acme", "zoho"), ("acme", "hub-1")]

    async def lease(limit: int) -> list[StoredRecord]:
        return await database.transaction(lambda tx: lease_due(tx, "acme", "hub-1", now=now, until=until, limit=limit))

    assert [await lease(1), await lease(9), await lease(9)] == [[_record("7", 7)], [_record("8", 7)], []]
    assert await connections_due(database, now) == [("acme", "zoho")]


async def test_a_lease_ends_unless_something_new_has_set_a_time_of_its_own(database: Database) -> None:
    await _store(database, _record("7", 1))
    leased = (
        await database.transaction(
            lambda tx: lease_due(tx, "acme", "hub-1", now=NOON + minutes(5), until=NOON + minutes(7), limit=1)
        )
    )[0]._replace(attempts=1)
    assert await database.transaction(lambda tx: put_off(tx, leased, NOON + minutes(9)))
    assert await read_record(database, "acme", "hub-1", "7") == _record("7", 9)._replace(attempts=1)
    assert not await database.transaction(lambda tx: put_off(tx, leased, None))


async def test_a_deal_is_judged_at_the_earliest_time_that_was_asked_for(database: Database) -> None:
    for minute in (5, 3, 4):
        at = NOON + minutes(minute)
        await database.transaction(lambda tx, at=at: ask_to_judge(tx, "acme", "hub-1", "7", at))  # type: ignore[misc]
    assert await read_record(database, "acme", "hub-1", "7") == _record("7", 3)._replace(document=None)
