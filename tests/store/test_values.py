"""What is stored comes back as it was, on both databases: keys, times, bytes, figures."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.store.database import Database, Unstorable
from app.store.deals import list_deals, read_deal
from app.store.decisions import append_decision, read_decision
from tests.store.rows import NOON, add_deal, deal, decision

ROME = timezone(timedelta(hours=1))


async def test_keys_are_case_sensitive(database: Database) -> None:
    await add_deal(database, deal(deal_id="abc"))
    await add_deal(database, deal(deal_id="ABC", stage="won"))
    assert await read_deal(database, "acme", "ABC") == deal(deal_id="ABC", stage="won")
    assert await read_deal(database, "acme", "Abc") is None
    assert await read_deal(database, "ACME", "abc") is None


async def test_lists_are_in_the_order_of_bytes_whatever_the_locale(database: Database) -> None:
    names = ["Zoe", "adam", "Émile", "_x", "B-2", "B-10"]
    for name in names:
        await add_deal(database, deal(deal_id=name))
    listed = [row.deal_id for row in await list_deals(database, "acme", limit=10)]
    assert listed == sorted(names, key=str.encode)


@pytest.mark.parametrize(
    "time",
    [
        NOON,
        datetime(2026, 11, 23, 12, 0, 0, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
async def test_times_come_back_to_the_microsecond_aware_and_in_utc(database: Database, time: datetime) -> None:
    await append_decision(database, decision(as_of=time))
    found = await read_decision(database, "acme", "0199-1")
    assert found == decision(as_of=time)
    assert found.as_of.tzinfo == UTC


async def test_a_time_in_another_zone_is_the_same_instant(database: Database) -> None:
    await append_decision(database, decision(as_of=datetime(2026, 11, 23, 13, 0, tzinfo=ROME)))
    assert await read_decision(database, "acme", "0199-1") == decision(as_of=NOON)


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="timezone"):
        await append_decision(database, decision(as_of=datetime(2026, 11, 23, 13, 0)))  # noqa: DTZ001 - the subject


async def test_a_time_that_leaves_the_calendar_in_utc_is_refused(database: Database) -> None:
    with pytest.raises(Unstorable, match="years 1 to 9999"):
        await append_decision(database, decision(as_of=datetime(1, 1, 1, tzinfo=ROME)))


async def test_figures_of_64_bits_and_long_texts_come_back(database: Database) -> None:
    row = deal(revision=2**63 - 1, snapshot="{" + "è🙂" * 100_000 + "}")
    await add_deal(database, row)
    assert await read_deal(database, "acme", "D-1") == row


@pytest.mark.parametrize("applied", [True, False, None])
async def test_yes_no_and_unknown_are_three_things(database: Database, applied: bool | None) -> None:
    row = decision(applied=applied, deal_id=None, from_stage=None, to_stage=None, actor_id=None)
    await append_decision(database, row)
    assert repr(await read_decision(database, "acme", "0199-1")) == repr(row)
