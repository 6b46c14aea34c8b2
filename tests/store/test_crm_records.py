"""What a CRM told about a deal: one document, one worker at a time."""

import asyncio

from app.store.crm_records import lock_record, write_record
from app.store.database import Database, Transaction


async def _read(database: Database, tenant_id: str = "acme", object_id: str = "7") -> str | None:
    return await database.transaction(lambda tx: lock_record(tx, tenant_id, "hub-1", object_id))


async def test_a_document_is_written_and_read_and_is_nothing_before(database: Database) -> None:
    assert await _read(database) is None
    await database.transaction(lambda tx: write_record(tx, "acme", "hub-1", "7", "{}"))
    assert [await _read(database), await _read(database, object_id="8")] == ["{}", None]


async def test_workers_on_the_same_deal_follow_each_other_from_the_first_event_on(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        known = await lock_record(tx, "acme", "hub-1", "7")
        await write_record(tx, "acme", "hub-1", "7", (known or "") + "x")

    await asyncio.gather(*[database.transaction(work) for _ in range(8)])
    assert await _read(database) == "x" * 8
