"""What a transaction and an append promise, on both databases."""

import asyncio
import contextlib

import pytest

from app.store.database import Conflict, Database, DatabaseDown, StoreError, Transaction, Unstorable, open_database
from app.store.deals import insert_deal, list_deals, read_deal, update_deal
from app.store.decisions import INSERT, append_decision, list_decisions, read_decision
from tests.store.rows import add_deal, deal, decision


async def _ids(database: Database) -> list[str]:
    return [row.deal_id for row in await list_deals(database, "acme", limit=200)]


async def test_work_is_committed_when_the_call_returns_and_its_value_comes_out(database: Database) -> None:
    async def work(tx: Transaction) -> str:
        await insert_deal(tx, deal())
        return "made"

    assert await database.transaction(work) == "made"
    assert await read_deal(database, "acme", "D-1") == deal()


async def test_work_reads_what_it_wrote_before_anybody_else_does(database: Database) -> None:
    async def work(tx: Transaction) -> list[bool]:
        await insert_deal(tx, deal())
        return [await read_deal(tx, "acme", "D-1") == deal(), await read_deal(database, "acme", "D-1") is None]

    assert await database.transaction(work) == [True, True]


async def test_an_exception_undoes_the_whole_work_and_comes_out_as_it_is(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await insert_deal(tx, deal())
        raise LookupError("no such stage")

    with pytest.raises(LookupError, match="no such stage"):
        await database.transaction(work)
    assert await _ids(database) == []


async def test_failing_work_does_not_harm_its_neighbours(database: Database) -> None:
    async def work(tx: Transaction, number: int) -> int:
        await insert_deal(tx, deal(deal_id=f"D-{number}"))
        if number % 2:
            raise LookupError(number)
        return number

    calls = [database.transaction(lambda tx, number=number: work(tx, number)) for number in range(6)]  # type: ignore[misc]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == [
        "0", "LookupError(1)", "2", "LookupError(3)", "4", "LookupError(5)",
    ]  # fmt: skip
    assert await _ids(database) == ["D-0", "D-2", "D-4"]


async def test_a_failing_append_does_not_harm_its_neighbours(database: Database) -> None:
    await append_decision(database, decision("2"))
    calls = [append_decision(database, decision(str(number))) for number in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), Conflict, type(None), type(None)]
    logged = await list_decisions(database, "acme", limit=10)
    assert [row.decision_id for row in logged] == ["4", "3", "2", "1", "0"]


async def test_a_second_row_with_the_same_key_is_a_conflict(database: Database) -> None:
    await add_deal(database, deal())
    with pytest.raises(Conflict):
        await add_deal(database, deal(stage="won"))
    assert await read_deal(database, "acme", "D-1") == deal()


async def test_work_that_swallows_a_failed_statement_has_failed_all_the_same(database: Database) -> None:
    await add_deal(database, deal())

    async def work(tx: Transaction) -> None:
        await insert_deal(tx, deal(deal_id="D-2"))
        with contextlib.suppress(Conflict):
            await insert_deal(tx, deal())

    with pytest.raises(Conflict):
        await database.transaction(work)
    assert await _ids(database) == ["D-1"]


async def test_after_a_failed_statement_nothing_more_can_be_done_in_the_same_work(database: Database) -> None:
    await add_deal(database, deal())

    async def work(tx: Transaction) -> None:
        try:
            await insert_deal(tx, deal())
        except Conflict:
            await insert_deal(tx, deal(deal_id="D-2"))

    with pytest.raises(Conflict):
        await database.transaction(work)
    assert await _ids(database) == ["D-1"]


async def test_a_transaction_cannot_be_used_after_its_end(database: Database) -> None:
    kept: list[Transaction] = []

    async def work(tx: Transaction) -> None:
        kept.append(tx)

    await database.transaction(work)
    with pytest.raises(StoreError, match="has ended"):
        await read_deal(kept[0], "acme", "D-1")


async def test_an_append_whose_caller_went_away_leaves_its_neighbours_alone(database: Database) -> None:
    going = asyncio.create_task(append_decision(database, decision("1")))
    staying = asyncio.create_task(append_decision(database, decision("2")))
    await asyncio.sleep(0)
    going.cancel()
    await staying
    assert await read_decision(database, "acme", "2") == decision("2")


async def test_of_many_movers_with_the_same_revision_exactly_one_wins(database: Database) -> None:
    await add_deal(database, deal(revision=1))

    async def work(tx: Transaction, number: int) -> bool:
        return await update_deal(tx, deal(revision=2, owner=f"rep-{number}"), expected_revision=1)

    calls = [database.transaction(lambda tx, number=number: work(tx, number)) for number in range(8)]  # type: ignore[misc]
    won = await asyncio.gather(*calls)
    assert sorted(won) == [False] * 7 + [True]
    assert await read_deal(database, "acme", "D-1") == deal(revision=2, owner=f"rep-{won.index(True)}")


@pytest.mark.parametrize("text", ["lone \ud800 surrogate"])
async def test_a_text_that_cannot_be_stored_is_told_apart_from_a_database_that_is_down(
    database: Database, text: str
) -> None:
    with pytest.raises(Unstorable):
        await add_deal(database, deal(owner=text))
    with pytest.raises(Unstorable):
        await append_decision(database, decision(actor_id=text))
    with pytest.raises(Unstorable):
        await read_deal(database, "acme", text)
    assert await _ids(database) == []


async def test_a_missing_parameter_is_refused_before_anything_runs(database: Database) -> None:
    with pytest.raises(KeyError, match="decision_id"):
        await database.append(INSERT, {"tenant_id": "acme"})


async def test_a_database_that_is_not_open_says_so(migrated_url: str) -> None:
    database = open_database(migrated_url)
    for call in (read_deal(database, "acme", "D-1"), append_decision(database, decision()), database.ping()):
        with pytest.raises(DatabaseDown, match="not open"):
            await call
    with pytest.raises(DatabaseDown, match="not open"):
        await add_deal(database, deal())


async def test_stopping_finishes_what_was_accepted(migrated_url: str) -> None:
    database = open_database(migrated_url)
    await database.start()
    calls = [asyncio.create_task(append_decision(database, decision(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await database.stop()
    await asyncio.gather(*calls)
    await database.start()
    assert len(await list_decisions(database, "acme", limit=200)) == 50
    await database.ping()
    await database.stop()
