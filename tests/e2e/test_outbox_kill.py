"""Ten thousand deliveries while their worker is killed every two seconds: none lost, each with one effect."""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook

from app import clock
from app.services import endpoints
from app.services.events import Events, OurEvent
from app.store.database import Database, Transaction, open_database
from app.store.migrate import migrate
from app.store.outbox import list_items
from tests.store.rows import add_tenants

pytestmark = pytest.mark.e2e

DELIVERIES = 10_000
ENDPOINTS = 4
EVERY = 2.0
PATIENCE = 300.0
KEY = Fernet.generate_key().decode()
CHILD = Path(__file__).with_name("outbox_child.py")
ROOT = Path(__file__).parents[2]


class Receiver:
    """An endpoint that does the right thing: what it has seen already has no effect again."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.changed: list[str] = []
        self.requests = 0
        self.address = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                self._take(headers, await reader.readexactly(int(headers["content-length"])))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        self.requests += 1
        message = headers["webhook-id"]
        if self.bodies.setdefault(message, body) != body:
            self.changed.append(message)
        if not self.effects[message]:
            self.effects[message] += 1
            self.headers[message] = headers


async def enqueue_all(database: Database, address: str) -> dict[str, str]:
    """Tell of ten thousand moves, a few hundred in a transaction; the secrets of the endpoints."""
    await add_tenants(database, "acme", "globex")
    events, secrets = Events("urn:test"), {}
    for number in range(ENDPOINTS):
        tenant, name = ("acme", "globex")[number % 2], f"e-{number}"
        change = endpoints.Change(name, f"http://{address}/{name}", ["*"], paused=False)

        async def put(tx: Transaction, tenant: str = tenant, change: Any = change) -> str:
            return (await endpoints.put(tx, events, tenant, change, key=KEY, now=clock.now())).secret or ""

        secrets[name] = await database.transaction(put)
    for start in range(0, DELIVERIES // 2, 250):

        async def tell(tx: Transaction, start: int = start) -> None:
            for number in range(start, start + 250):
                event = OurEvent(("acme", "globex")[number % 2], "deal.moved", f"D-{number}", {"number": number})
                await events.tell(tx, event, clock.now())

        await database.transaction(tell)
    return secrets


async def killed_again_and_again(url: str, receiver: Receiver) -> int:
    """Start the worker, kill it two seconds later, and so on until it has ended by itself; how often it was killed."""
    kills, deadline = 0, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        child = await asyncio.create_subprocess_exec(
            sys.executable, str(CHILD), url, receiver.address, KEY, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
        )
        try:
            async with asyncio.timeout(EVERY):
                ended = await child.wait()
        except TimeoutError:
            child.send_signal(signal.SIGKILL)
            await child.wait()
            kills += 1
        else:
            assert ended == 0
            return kills
    raise AssertionError(f"{len(receiver.effects)} of {DELIVERIES} after {kills} kills")


@pytest.mark.slow
async def test_a_worker_killed_every_two_seconds_loses_nothing(database_url: str) -> None:
    migrate(database_url)
    database, receiver = open_database(database_url), Receiver()
    async with receiver.serving():
        await database.start()
        secrets = await enqueue_all(database, receiver.address)
        await database.stop()
        kills = await killed_again_and_again(database_url, receiver)
    await database.start()
    found = [one for tenant in ("acme", "globex") for one in await list_items(database, tenant, limit=DELIVERIES)]
    await database.stop()
    assert (len(found), {one.status for one in found}) == (DELIVERIES, {"done"})
    assert receiver.changed == []
    assert {one.item_id: 1 for one in found} == dict(receiver.effects)
    assert {one.item_id: one.payload.encode() for one in found} == receiver.bodies
    for one in found[:: DELIVERIES // 100]:
        secret = secrets[one.target_id.removeprefix("endpoint:")]
        verified = Webhook(secret).verify(receiver.bodies[one.item_id], receiver.headers[one.item_id])
        assert verified == json.loads(one.payload)
    assert kills >= 3
    print(f"{kills} kills, {receiver.requests} requests for {DELIVERIES} deliveries")  # noqa: T201 - for -s
