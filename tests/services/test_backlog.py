"""What waits, counted for whoever watches: each queue, and how late the workers are."""

from datetime import timedelta

from app.services.backlog import FRESH, Backlogs, Waiting
from app.store import crm_records, deliveries
from app.store.database import Database, Transaction
from app.store.outbox import insert_item_if_new
from tests.store.rows import NOON, delivery, minutes, outbox_item, record


async def test_every_queue_is_counted_and_the_first_that_is_due_tells_how_late_its_worker_is(
    database: Database,
) -> None:
    backlogs = Backlogs(database)
    assert await backlogs.read(NOON) == (
        Waiting("deliveries", 0, 0.0), Waiting("deals", 0, 0.0), Waiting("outbox", 0, None),
    )  # fmt: skip

    async def work(tx: Transaction) -> None:
        await insert_item_if_new(tx, outbox_item("i-1"))
        await crm_records.lock_record(tx, "acme", "hub-1", "7")
        await crm_records.write_record(tx, record(judge_at=NOON + minutes(2)))

    await database.transaction(work)
    await deliveries.append_delivery(database, delivery())
    unchanged = await backlogs.read(NOON + FRESH - timedelta(seconds=1))
    assert [one.waiting for one in unchanged] == [0, 0, 0]
    assert await backlogs.read(NOON + minutes(3)) == (
        Waiting("deliveries", 1, 180.0), Waiting("deals", 1, 60.0), Waiting("outbox", 1, None),
    )  # fmt: skip


async def test_a_database_that_is_down_leaves_the_figures_out(database: Database) -> None:
    await database.stop()
    assert await Backlogs(database).read(NOON) == ()
