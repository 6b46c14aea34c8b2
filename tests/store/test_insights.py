"""What is counted over all deals, on each database: groups, pages, denominators, and nothing of another tenant's."""

from typing import Any

import pytest

from app.store.activities import put_activity
from app.store.database import Database
from app.store.insights import (
    Amounts,
    FieldScore,
    Kept,
    Period,
    count_amounts,
    count_fields,
    count_kept,
    insert_kept,
    read_fields,
    replace_fields,
)
from tests.store.rows import activity, add_deal, deal

ALL = ("requirement", "transition", "owner", "week")


def kept(decision_id: str = "1", **changes: Any) -> Kept:
    row = Kept("acme", decision_id, "requirement", "r", "sales", "new", "demo", "ana", "2026-W47", "2026-11-18", "met")
    return row._replace(**changes)


def score(**changes: Any) -> FieldScore:
    return FieldScore("acme", "D-1", "amount", "sales", "ana", "structured", 100)._replace(**changes)


@pytest.fixture
async def counted(database: Database) -> Database:
    """Give a database where something was kept and something was not."""
    rows = [
        kept(),
        kept("2", result="missed"),
        kept("3", result="refused", owner=""),
        kept("4", week="2026-W48", day="2026-11-23", result="unknown"),
        kept("4", kind="rule", name="drawn", week="2026-W48", day="2026-11-23"),
        kept("5", process_key="other"),
        kept("6", tenant_id="globex"),
    ]
    await database.transaction(lambda tx: insert_kept(tx, rows))
    return database


async def ask(database: Database, **asked: Any) -> list[tuple[Any, ...]]:
    given: dict[str, Any] = {"by": ALL, "period": Period(), "owner": None, **asked}
    return [tuple(row) for row in await count_kept(database, "acme", "sales", **given)]


FIRST = ("requirement", "r", "new", "demo", "", "2026-W47", 0, 0, 0, 0, 1)
SECOND = ("requirement", "r", "new", "demo", "ana", "2026-W47", 1, 0, 1, 0, 0)
THIRD = ("requirement", "r", "new", "demo", "ana", "2026-W48", 0, 0, 0, 1, 0)
FOURTH = ("rule", "drawn", "new", "demo", "ana", "2026-W48", 1, 0, 0, 0, 0)


async def test_every_group_has_a_count_of_each_result_and_no_other_tenants(counted: Database) -> None:
    assert await ask(counted) == [FIRST, SECOND, THIRD, FOURTH]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (("requirement",), [("requirement", "r", 1, 0, 1, 1, 1), ("rule", "drawn", 1, 0, 0, 0, 0)]),
        (("transition",), [("new", "demo", 2, 0, 1, 1, 1)]),
        (("owner",), [("", 0, 0, 0, 0, 1), ("ana", 2, 0, 1, 1, 0)]),
        (("week",), [("2026-W47", 1, 0, 1, 0, 1), ("2026-W48", 1, 0, 0, 1, 0)]),
        (("owner", "week"), [("", "2026-W47", 0, 0, 0, 0, 1), ("ana", "2026-W47", 1, 0, 1, 0, 0),
                             ("ana", "2026-W48", 1, 0, 0, 1, 0)]),
    ],
)  # fmt: skip
async def test_it_is_counted_by_what_is_asked(counted: Database, by: tuple[str, ...], expected: list[Any]) -> None:
    assert await ask(counted, by=by) == expected


async def test_a_page_goes_on_behind_the_last_group(counted: Database) -> None:
    assert await ask(counted, limit=2) == [FIRST, SECOND]
    assert await ask(counted, limit=2, after=SECOND[:6]) == [THIRD, FOURTH]
    assert await ask(counted, limit=2, after=FOURTH[:6]) == []


async def test_the_first_and_the_last_day_count_and_owners_are_told_apart(counted: Database) -> None:
    assert await ask(counted, period=Period("2026-11-18", "2026-11-18")) == [FIRST, SECOND]
    assert await ask(counted, period=Period("2026-11-19", None)) == [THIRD, FOURTH]
    assert await ask(counted, owner="ana", period=Period(None, "2026-11-22")) == [SECOND]


async def test_scores_are_replaced_and_only_those_of_the_deal(database: Database) -> None:
    for row in (deal(), deal(deal_id="D-2"), deal(tenant_id="globex")):
        await add_deal(database, row)

    async def work(tx: Any) -> None:
        await replace_fields(tx, "acme", "D-1", [score(), score(field="need", state="text", score=50)])
        await replace_fields(tx, "acme", "D-2", [score(deal_id="D-2", owner="bea", state="missing", score=0)])
        await replace_fields(tx, "globex", "D-1", [score(tenant_id="globex")])
        await replace_fields(tx, "acme", "D-1", [score(owner="eva")])

    await database.transaction(work)
    assert await read_fields(database, "acme", "D-1") == [score(owner="eva")]
    assert await read_fields(database, "globex", "D-1") == [score(tenant_id="globex")]
    both = await count_fields(database, "acme", "sales", by_owner=True)
    assert [tuple(row) for row in both] == [("amount", "bea", 0, 0, 0, 1, 0, 0), ("amount", "eva", 1, 0, 0, 0, 0, 100)]
    page = await count_fields(database, "acme", "sales", by_owner=True, limit=1, after=("amount", "bea"))
    assert [tuple(row) for row in page] == [("amount", "eva", 1, 0, 0, 0, 0, 100)]
    assert [tuple(row) for row in await count_fields(database, "acme", "sales", by_owner=False)] == [
        ("amount", 1, 0, 0, 1, 0, 100)
    ]
    assert await count_fields(database, "acme", "sales", by_owner=False, owner="ana") == []


async def test_deals_and_activities_are_counted(database: Database) -> None:
    for row in (deal(), deal(deal_id="D-2"), deal(tenant_id="globex"), deal(deal_id="D-3", process_key="other")):
        await add_deal(database, row)

    async def work(tx: Any) -> None:
        for one in (activity(), activity(activity_id="a-2"), activity(tenant_id="globex"), activity(deal_id="D-3")):
            await put_activity(tx, one)

    await database.transaction(work)
    assert await count_amounts(database, "acme", "sales") == Amounts(2, 1, 2)
    assert await count_amounts(database, "acme", "none") == Amounts(0, 0, 0)
