"""What settles is read back and judged: by one worker, without holding up others, and in the end without the CRM."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.crm.secrets import encrypt
from app.services import settling
from app.services.deliveries import Progress, work_on
from app.services.processes import Processes
from app.services.settler import Settler
from app.services.settling import LEASE, WAITS, Judges, claim, settle
from app.store.connections import StoredConnection, put_connection
from app.store.crm_moves import list_moves
from app.store.crm_records import StoredRecord, ask_to_judge, read_record
from app.store.database import Database, Transaction
from tests.crm.builders import NOON, SECRET, hubspot_settings
from tests.crm.fakes.hubspot import FakeHubspot
from tests.crm.http import PlainHttp
from tests.crm.world import KEY, became_of, deliver

A, B = "appointmentscheduled", "qualifiedtobuy"


@pytest.fixture
async def crm() -> AsyncIterator[FakeHubspot]:
    """Give an account with nothing in it."""
    async with FakeHubspot() as one:
        yield one


@pytest.fixture
async def judges(database: Database) -> AsyncIterator[Judges]:
    """Give what judging needs."""
    async with PlainHttp(seconds=3) as http:
        yield Judges(database, Processes(), KEY, http)


async def _connect(database: Database, crm: FakeHubspot, name: str = "hs", **changes: Any) -> None:
    settings = hubspot_settings(api_url=crm.url, settle="60s", **changes).model_dump_json()
    access = encrypt(KEY, json.dumps({"access_token": crm.token}))
    row = StoredConnection(
        "acme", name, "hubspot", settings, encrypt(KEY, SECRET), NOON, NOON, access_ciphertext=access
    )
    await database.transaction(lambda tx: put_connection(tx, row))


async def _ask(database: Database, deal: str, name: str = "hs") -> None:
    async def work(tx: Transaction) -> None:
        await ask_to_judge(tx, "acme", name, deal, clock.now())

    await database.transaction(work)


async def _claimed(database: Database) -> StoredRecord:
    (record,) = await claim(database, "acme", "hs", now=clock.now(), limit=9)
    return record


async def _verdicts(database: Database, deal: str, name: str = "hs") -> list[str]:
    return [one.verdict for one in await list_moves(database, "acme", name, deal)]


async def test_what_a_delivery_brings_settles_before_it_is_judged(database: Database, crm: FakeHubspot) -> None:
    await _connect(database, crm)
    deal = crm.add_deal()
    at = clock.now()
    delivery_id = await deliver(database, json.dumps(crm.waiting).encode(), at=at)
    await database.transaction(lambda tx: work_on(tx, Processes(), at, Progress()))
    assert await became_of(database, delivery_id) == ("processed", {"settling": 2, "facts": 1})
    record = await read_record(database, "acme", "hs", deal)
    assert record is not None
    assert (record.judge_at, await _verdicts(database, deal)) == (at + timedelta(seconds=60), [])


async def test_a_deal_that_cannot_be_read_is_judged_in_the_end_with_what_is_known(
    database: Database, crm: FakeHubspot, judges: Judges
) -> None:
    await _connect(database, crm)
    deal = crm.add_deal()
    await _ask(database, deal)
    assert await settle(judges, await _claimed(database)) == "judged"
    crm.change(deal, dealstage=B)
    at = clock.now()
    await deliver(database, json.dumps(crm.waiting).encode(), at=at)
    await database.transaction(lambda tx: work_on(tx, Processes(), at, Progress()))
    crm.fail_next(99, 500)
    waited: list[int] = []
    for _ in WAITS:
        await _ask(database, deal)
        record = await _claimed(database)
        tried = record._replace(attempts=len(waited))
        assert await settle(judges, tried) == "later"
        put_off = await read_record(database, "acme", "hs", deal)
        assert put_off is not None
        assert put_off.judge_at is not None
        waited.append(round((put_off.judge_at - clock.now()).total_seconds()))
    assert waited == [round(one.total_seconds()) for one in WAITS]
    await _ask(database, deal)
    last = (await _claimed(database))._replace(attempts=len(WAITS))
    assert await settle(judges, last) == "judged"
    assert await _verdicts(database, deal) == ["not_judged", "blocked_incomplete"]


async def test_a_crm_that_asks_for_time_gets_it(database: Database, crm: FakeHubspot, judges: Judges) -> None:
    await _connect(database, crm)
    deal = crm.add_deal()
    await _ask(database, deal)
    crm.throttle_next(9, retry_after=600)
    last_but_for_that = (await _claimed(database))._replace(attempts=len(WAITS))
    assert await settle(judges, last_but_for_that) == "later"
    record = await read_record(database, "acme", "hs", deal)
    assert record is not None
    assert record.judge_at is not None
    assert record.judge_at - clock.now() > timedelta(seconds=590)
    assert record.attempts == len(WAITS)


async def test_a_claim_is_nobody_else_s_until_its_lease_ends(
    database: Database, crm: FakeHubspot, judges: Judges
) -> None:
    await _connect(database, crm)
    deal = crm.add_deal()
    await _ask(database, deal)
    await _claimed(database)  # and its worker dies
    assert await claim(database, "acme", "hs", now=clock.now(), limit=9) == []
    (again,) = await claim(database, "acme", "hs", now=clock.now() + LEASE, limit=9)
    assert await settle(judges, again) == "judged"
    assert await _verdicts(database, deal) == ["not_judged"]


async def test_a_crm_that_hangs_holds_up_no_other(
    database: Database, crm: FakeHubspot, judges: Judges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "READING", 1.0)
    async with FakeHubspot() as slow:
        await _connect(database, slow, "slow")
        await _connect(database, crm)
        slow.hang(30)
        for _ in range(20):
            await _ask(database, slow.add_deal(), "slow")
        settler = Settler(judges, poll=0.05)
        await settler.start()
        await asyncio.sleep(0.3)
        deal = crm.add_deal()
        await _ask(database, deal)
        started = clock.now()
        for _ in range(300):
            if await _verdicts(database, deal):
                break
            await asyncio.sleep(0.01)
        took = clock.now() - started
        await settler.stop()
    assert took < timedelta(seconds=0.9)
    assert len(slow.calls) <= 8
