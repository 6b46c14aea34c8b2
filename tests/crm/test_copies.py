"""Three replicas on one PostgreSQL, each event delivered a hundred times over all of them: one effect each."""

import asyncio
import itertools
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from app import clock
from app.store.database import open_database
from app.store.migrate import migrate
from tests.crm.builders import NOON, body_of, creation, signed_headers, stage_change
from tests.crm.server import Server
from tests.crm.world import deals_of, furnish, log_of

pytestmark = pytest.mark.e2e

DEALS = 250
STAGES = ("appointmentscheduled", "qualifiedtobuy", "w")
BATCH = 25  # deals in one delivery: with four events each, the hundred that HubSpot sends at most
COPIES = 100
REPLICAS = 3
PATH = "/webhooks/hs"


def _batches() -> list[bytes]:
    """A thousand events: each deal is made, and moved three times."""
    batches = []
    for first in range(0, DEALS, BATCH):
        events = []
        for deal in range(first, first + BATCH):
            moves = [stage_change(stage, deal=deal, at=NOON + timedelta(minutes=n)) for n, stage in enumerate(STAGES)]
            events += [creation(deal=deal), *moves]
        batches.append(body_of(*events))
    return batches


async def _deliver(server: Server, bodies: "asyncio.Queue[bytes]") -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        while not bodies.empty():
            body = bodies.get_nowait()
            headers = signed_headers(body, uri=server.address + PATH, at=clock.now())
            answer = await client.post(server.address + PATH, content=body, headers=headers)
            assert answer.status_code == 202, answer.text


async def _waiting(url: str) -> int:
    """How many deliveries are not worked on yet."""
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM deliveries WHERE status = 'received'")
    finally:
        await connection.close()
    return count


async def test_a_thousand_events_a_hundred_times_over_three_replicas_have_one_effect_each(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    migrate(fresh_postgres_url)
    database = open_database(fresh_postgres_url)
    await database.start()
    await furnish(database)
    servers = [Server(fresh_postgres_url, tmp_path) for _ in range(REPLICAS)]
    for server in servers:
        await server.start()
    queues: list[asyncio.Queue[bytes]] = [asyncio.Queue() for _ in servers]
    for queue, body in zip(itertools.cycle(queues), _batches() * COPIES, strict=False):
        queue.put_nowait(body)
    senders = [_deliver(server, queue) for server, queue in zip(servers, queues, strict=True) for _ in range(4)]
    await asyncio.gather(*senders)
    waiting = await _waiting(fresh_postgres_url)
    for _ in range(1200):
        if waiting == 0:
            break
        await asyncio.sleep(0.1)
        waiting = await _waiting(fresh_postgres_url)
    for server in servers:
        await server.end(signal.SIGTERM)
    assert waiting == 0
    assert Counter(deal["stage"] for deal in (await deals_of(database)).values()) == {"won": DEALS}
    assert Counter(await log_of(database)) == {
        (None, None, "not_judged"): DEALS,
        (None, "demo_scheduled", "not_judged"): DEALS,
        ("demo_scheduled", "demo_completed", "blocked"): DEALS,
        ("demo_completed", "won", "blocked"): DEALS,
    }
    await database.stop()
