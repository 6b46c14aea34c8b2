"""The server killed without warning while deliveries come in: what it acknowledged is there afterwards, once."""

import asyncio
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app import clock
from app.services.keys import create_key
from app.store.database import open_database
from app.store.migrate import migrate
from tests.crm.builders import NOON, body_of, creation, signed_headers, stage_change
from tests.crm.server import Server
from tests.crm.world import deals_of, furnish, log_of

pytestmark = pytest.mark.e2e

DEALS = 240
KILLS = 3
STAGES = ("appointmentscheduled", "qualifiedtobuy", "w")


async def _send(server: Server, deals: asyncio.Queue[int], acknowledged: dict[int, list[str]]) -> None:
    """Deliver as HubSpot does: whatever is not answered with success is sent again."""
    path = "/webhooks/hs"
    async with httpx.AsyncClient(timeout=5) as client:
        while not deals.empty():
            deal = deals.get_nowait()
            moves = [stage_change(stage, deal=deal, at=NOON + timedelta(minutes=n)) for n, stage in enumerate(STAGES)]
            body = body_of(creation(deal=deal), *moves)
            headers = signed_headers(body, uri=server.address + path, at=clock.now())
            try:
                answer = await client.post(server.address + path, content=body, headers=headers)
            except httpx.TransportError:
                deals.put_nowait(deal)
                await asyncio.sleep(0.02)
                continue
            assert answer.status_code == 202
            acknowledged[deal].append(answer.json()["delivery_id"])
            if len(acknowledged[deal]) == 1 and deal % 3 == 0:
                deals.put_nowait(deal)  # a copy, some time later


async def test_what_was_acknowledged_is_neither_lost_nor_doubled(database_url: str, tmp_path: Path) -> None:
    migrate(database_url)
    database = open_database(database_url)
    await database.start()
    await furnish(database)
    key = await database.transaction(lambda tx: create_key(tx, "acme", ["decide"], "test", clock.now()))
    await database.stop()
    server = Server(database_url, tmp_path)
    await server.start()
    deals: asyncio.Queue[int] = asyncio.Queue()
    for deal in range(DEALS):
        deals.put_nowait(deal)
    acknowledged: dict[int, list[str]] = {deal: [] for deal in range(DEALS)}
    senders = [asyncio.create_task(_send(server, deals, acknowledged)) for _ in range(8)]
    for kill in range(KILLS):
        before = sum(map(len, acknowledged.values()))
        while sum(map(len, acknowledged.values())) < before + 30 + 20 * kill:  # noqa: ASYNC110 - others count up
            await asyncio.sleep(0.002)
        await server.end(signal.SIGKILL)
        await server.start()
    await asyncio.gather(*senders)
    await server.end(signal.SIGKILL)
    ids = [one for delivered in acknowledged.values() for one in delivered]
    await server.start()
    assert await _statuses(server, key, ids) == {"processed": len(ids)}
    await server.end(signal.SIGTERM)
    await _expect_each_once(database_url)


async def _statuses(server: Server, key: str, ids: list[str]) -> Counter[str]:
    """What became of the deliveries, once none waits any longer."""
    found: Counter[str] = Counter()
    async with httpx.AsyncClient(base_url=server.address, headers={"authorization": f"Bearer {key}"}) as client:
        for _ in range(100):
            answers = [(await client.get(f"/deliveries/{one}")).json() for one in ids]
            found = Counter(str(answer["status"]) for answer in answers)
            if not found["received"]:
                break
            await asyncio.sleep(0.2)
    return +found


async def _expect_each_once(database_url: str) -> None:
    """Whole deals, and each verdict once."""
    database = open_database(database_url)
    await database.start()
    assert Counter(deal["stage"] for deal in (await deals_of(database)).values()) == {"won": DEALS}
    assert Counter(await log_of(database)) == {
        (None, None, "not_judged"): DEALS,
        (None, "demo_scheduled", "not_judged"): DEALS,
        ("demo_scheduled", "demo_completed", "blocked"): DEALS,
        ("demo_completed", "won", "blocked"): DEALS,
    }
    await database.stop()
