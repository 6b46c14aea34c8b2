"""The moves of a CRM: what one is known by may change, and what became of it stays."""

from app.store.crm_moves import list_moves, put_move, rename_move
from app.store.database import Database, Transaction
from tests.store.rows import crm_move


async def test_a_move_that_is_known_by_another_event_takes_the_place_of_what_stood_there(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await put_move(tx, crm_move(event_key="e-2", verdict="allowed"))
        await put_move(tx, crm_move(event_key="e-1"))
        await put_move(tx, crm_move(tenant_id="globex", event_key="e-2"))
        await rename_move(tx, "acme", "hub-1", "7", "e-1", new_key="e-2")

    await database.transaction(work)
    assert await list_moves(database, "acme", "hub-1", "7") == [crm_move(event_key="e-2")]
    assert await list_moves(database, "globex", "hub-1", "7") == [crm_move(tenant_id="globex", event_key="e-2")]
