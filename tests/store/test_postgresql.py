"""What only a server has to promise: it goes away and comes back, and transactions meet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from sqlalchemy import text

from app.store.database import Conflict, Database, DatabaseDown, Transaction, Unstorable, command, open_database
from app.store.deals import read_deal, read_deal_for_update, update_deal
from app.store.decisions import append_decision, read_decision
from app.store.migrate import migrate
from app.store.postgresql import ATTEMPTS
from tests.postgres import execute, postgres_server
from tests.store.rows import add_deal, deal, decision

SERIALIZATION_FAILURE = command(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))
DISK_FULL = command(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$"))
CUT_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stagerail'"


async def _settled(call: Awaitable[object]) -> object:
    """What became of a call: its value or its exception."""
    return (await asyncio.gather(call, return_exceptions=True))[0]


@pytest.fixture
async def server_database(fresh_postgres_url: str) -> AsyncIterator[Database]:
    migrate(fresh_postgres_url)
    database = open_database(fresh_postgres_url)
    await database.start()
    yield database
    await database.stop()


@pytest.mark.parametrize("url", ["postgresql://postgres@127.0.0.1:1/x", "postgresql://postgres@127.0.0.1:notaport/x"])
async def test_a_server_that_cannot_be_reached_is_told_in_one_sentence_at_start(url: str) -> None:
    with pytest.raises(DatabaseDown, match=r"^the database [^\n]+$"):
        await open_database(url).start()


async def test_a_database_that_does_not_exist_is_told_in_one_sentence_at_start(postgres_url: str) -> None:
    with pytest.raises(DatabaseDown, match=r'^the database cannot be reached: database "nowhere" does not exist$'):
        await open_database(postgres_url.removesuffix("/postgres") + "/nowhere").start()


async def test_everything_says_that_the_database_is_down_when_the_server_is_stopped() -> None:
    with postgres_server() as url:
        await asyncio.to_thread(migrate, url)
        database = open_database(url)
        await database.start()
        await database.ping()
    outcomes = [
        await asyncio.gather(
            read_deal(database, "acme", "D-1"),
            append_decision(database, decision()),
            add_deal(database, deal()),
            database.ping(),
            return_exceptions=True,
        )
        for _ in range(3)
    ]
    assert [[type(outcome) for outcome in row] for row in outcomes] == [[DatabaseDown] * 4] * 3
    await database.stop()


async def test_after_every_connection_was_cut_it_works_again(
    server_database: Database, fresh_postgres_url: str
) -> None:
    await add_deal(server_database, deal())
    await execute(fresh_postgres_url, CUT_ALL)
    outcomes = [await _settled(read_deal(server_database, "acme", "D-1")) for _ in range(3)]
    assert outcomes[-1] == deal()
    assert {type(outcome) for outcome in outcomes} <= {type(deal()), DatabaseDown}
    await append_decision(server_database, decision())
    assert await read_decision(server_database, "acme", "0199-1") == decision()


async def test_a_connection_cut_in_the_middle_of_work_is_an_outage_and_leaves_nothing(
    server_database: Database, fresh_postgres_url: str
) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(command(text("SELECT 1")), {})
        await execute(fresh_postgres_url, CUT_ALL)
        await update_deal(tx, deal(), expected_revision=1)

    with pytest.raises(DatabaseDown):
        await server_database.transaction(work)


async def test_a_full_disk_is_an_outage(server_database: Database) -> None:
    for call in (server_database.append(DISK_FULL, {}), server_database.fetch_all(DISK_FULL, {})):
        with pytest.raises(DatabaseDown):
            await call


async def test_two_works_that_block_each_other_are_both_done_in_the_end(server_database: Database) -> None:
    for name in ("a", "b"):
        await add_deal(server_database, deal(deal_id=name, revision=0))
    both_hold_one = asyncio.Barrier(2)
    runs: list[str] = []

    async def work(tx: Transaction, first: str, second: str) -> None:
        runs.append(first)
        one = await read_deal_for_update(tx, "acme", first)
        if runs.count(first) == 1:
            await both_hold_one.wait()
        other = await read_deal_for_update(tx, "acme", second)
        for row in (one, other):
            assert row is not None
            await update_deal(tx, row._replace(revision=row.revision + 1), expected_revision=row.revision)

    await asyncio.gather(
        server_database.transaction(lambda tx: work(tx, "a", "b")),
        server_database.transaction(lambda tx: work(tx, "b", "a")),
    )
    found = [await read_deal(server_database, "acme", name) for name in ("a", "b")]
    assert (found, len(runs)) == ([deal(deal_id="a", revision=2), deal(deal_id="b", revision=2)], 3)


async def test_work_that_always_meets_others_is_given_up_after_a_few_attempts(server_database: Database) -> None:
    runs = []

    async def work(tx: Transaction) -> None:
        runs.append("run")
        await tx.execute(SERIALIZATION_FAILURE, {})

    with pytest.raises(DatabaseDown, match="too busy"):
        await server_database.transaction(work)
    assert len(runs) == ATTEMPTS


async def test_more_callers_than_connections_are_all_served(server_database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(command(text("SELECT pg_sleep(0.01)")), {})

    await asyncio.gather(*[server_database.transaction(work) for _ in range(40)])
    await server_database.ping()


async def test_a_caller_that_goes_away_leaves_no_open_transaction_behind(server_database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await update_deal(tx, deal(stage="won", revision=2), expected_revision=1)
        await tx.execute(command(text("SELECT pg_sleep(5)")), {})

    await add_deal(server_database, deal())
    task = asyncio.create_task(server_database.transaction(work))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    calls = [
        server_database.transaction(lambda tx: update_deal(tx, deal(owner="x"), expected_revision=1)) for _ in range(20)
    ]
    assert await asyncio.gather(*calls) == [True] * 20
    assert await read_deal(server_database, "acme", "D-1") == deal(owner="x")


async def test_a_nul_in_a_text_is_told_apart_from_an_outage(server_database: Database) -> None:
    with pytest.raises(Unstorable):
        await read_deal(server_database, "acme", "D\x001")
    with pytest.raises(Unstorable):
        await append_decision(server_database, decision(actor_id="\x00"))
    await append_decision(server_database, decision())
    with pytest.raises(Conflict):
        await append_decision(server_database, decision())
