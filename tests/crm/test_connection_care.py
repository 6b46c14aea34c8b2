"""What is looked after for connections by the clock: begun when one is put, ended when it goes, each on its own."""

from collections import Counter
from datetime import datetime, timedelta

from app.crm.client import Client, ClientError
from app.services import connections
from app.services.connection_care import renew_channels
from app.services.events import Events
from app.store.connection_states import ConnectionState, know_new_connections, read_state, set_channel, set_reconciling
from app.store.connections import put_connection
from app.store.database import Database, Transaction
from app.store.outbox import insert_item_if_new, read_item
from tests.crm.test_connection_secrets import TOKEN, change
from tests.services.test_sync import Crm
from tests.store.rows import NOON, connection, minutes, outbox_item


async def known(database: Database) -> ConnectionState | None:
    return await read_state(database, "acme", "hs")


async def test_a_connection_that_changes_is_looked_after_anew(database: Database) -> None:
    await change(database, "secret", access=TOKEN, reconcile="1d")

    async def later(tx: Transaction) -> None:
        await know_new_connections(tx, NOON, 9)
        await set_channel(tx, "acme", "hs", None)
        await set_reconciling(tx, "acme", "hs", None)

    await database.transaction(later)
    assert await known(database) == ConnectionState("acme", "hs", NOON, None, None, 0)
    now = NOON + minutes(5)
    await change(database, now=now)
    assert await known(database) == ConnectionState("acme", "hs", NOON, now, now, 0)


async def test_a_connection_that_goes_takes_along_what_waits_for_it(database: Database) -> None:
    await change(database, "secret", access=TOKEN)

    async def fill(tx: Transaction) -> None:
        await know_new_connections(tx, NOON, 9)
        await insert_item_if_new(tx, outbox_item("i-1", target_id="connection:hs"))
        await insert_item_if_new(tx, outbox_item("i-2", target_id="connection:other"))

    await database.transaction(fill)
    now = NOON + minutes(5)
    for removed in (True, False):
        assert await database.transaction(lambda tx: connections.delete(tx, "acme", "hs", now)) is removed
    assert await known(database) is None
    found = [await read_item(database, "acme", name) for name in ("i-1", "i-2")]
    assert [(one.status, one.reason) if one else None for one in found] == [
        ("cancelled", '{"code": "connection_gone", "params": {}}'), ("waiting", None),
    ]  # fmt: skip


async def test_one_channel_s_trouble_is_no_other_s(database: Database) -> None:
    crm, names = Crm(), [f"hub-{number}" for number in range(120)]
    for name in names:
        row = connection(connection_id=name, access_ciphertext="sealed")
        await database.transaction(lambda tx, row=row: put_connection(tx, row))  # type: ignore[misc]
    week, refused = timedelta(days=7), ClientError("client_refused", again=False)
    crm.renewed = [ZeroDivisionError(), *[refused] * 100, *[week] * 19]

    async def client_of(tenant_id: str, connection_id: str) -> Client | None:
        return await crm.client_of(tenant_id, connection_id)

    await renew_channels(database, client_of, Events("urn:test"), NOON)
    found: Counter[datetime | None] = Counter()
    for name in names:
        state = await read_state(database, "acme", name)
        found[state.channel_expires_at if state else None] += 1
    assert found == {NOON + week: 19, NOON: 101}
