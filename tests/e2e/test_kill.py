"""The server killed without warning while deals are moved: what it acknowledged is there afterwards, once."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from app import clock
from app.services.keys import create_key
from app.store.database import open_database
from app.store.migrate import migrate
from tests.e2e.server import Server
from tests.postgres import in_thread

pytestmark = pytest.mark.e2e

MOVES = 2000
MOVERS = 8
DEALS = 40
KILLS = 4
PATIENCE = 50.0
PROCESS = """\
process: ping-pong
stages: [{key: ping}, {key: pong}, {key: won, kind: won}]
path: [ping, pong, won]
transitions: [{from: pong, to: ping}]
"""
OTHER = {"ping": "pong", "pong": "ping"}


class Acknowledged(NamedTuple):
    """A move that was answered with 200: who asked for it under which key, and the answer."""

    deal: str
    to: str
    key: str
    decision_id: str
    body: bytes


class Season:
    """Movers who go on until enough moves are acknowledged, and somebody who kills the server meanwhile."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self.acknowledged: list[Acknowledged] = []
        self.replayed = 0
        self._started = 0
        self._moments = frozenset(random.Random(7).sample(range(50, MOVES - 100), KILLS))  # noqa: S311 - no secret
        self._due = asyncio.Semaphore(0)
        self.headers = {"authorization": f"Bearer {key}"}

    async def move(self, number: int) -> None:
        """Move the deals of one mover to and fro, each move under a key of its own, sent until it is answered."""
        deals = [f"D-{one}" for one in range(DEALS) if one % MOVERS == number]
        stages = dict.fromkeys(deals, "ping")
        async with httpx.AsyncClient(base_url=self.server.address, headers=self.headers, timeout=10) as client:
            while self._started < MOVES:
                self._started += 1
                deal, key = deals[self._started % len(deals)], f"move-{self._started}"
                to = OTHER[stages[deal]]
                answer = await self._until_answered(client, deal, key, {"to": to, "expected_stage": stages[deal]})
                content = answer.json()
                assert (200, "allowed", True) == (answer.status_code, content["outcome"], content["applied"])
                stages[deal] = to
                self.acknowledged.append(Acknowledged(deal, to, key, content["decision_id"], answer.content))
                if len(self.acknowledged) in self._moments:
                    self._due.release()

    async def _until_answered(
        self, client: httpx.AsyncClient, deal: str, key: str, body: dict[str, str]
    ) -> httpx.Response:
        while True:
            try:
                answer = await client.post(f"/deals/{deal}/moves", json=body, headers={"idempotency-key": key})
            except httpx.TransportError:  # killed before, during or after the work: nobody can tell
                await asyncio.sleep(0.05)
                continue
            if answer.status_code != 503:
                self.replayed += "idempotency-replayed" in answer.headers
                return answer

    async def kill(self) -> None:
        """Kill the server at moments that nothing hints at, and start it again."""
        for _ in self._moments:
            await self._due.acquire()
            await self.server.end(signal.SIGKILL)
            await self.server.start()


@asynccontextmanager
async def season(database_url: str, folder: Path) -> AsyncIterator[Season]:
    migrate(database_url)
    database = open_database(database_url)
    await database.start()
    key = await database.transaction(lambda tx: create_key(tx, "acme", ["admin"], "test", clock.now()))
    await database.stop()
    server = Server(database_url, folder)
    await server.start()
    try:
        yield Season(server, key)
    finally:
        await server.end(signal.SIGKILL)


async def furnish(client: httpx.AsyncClient) -> None:
    put = await client.put("/processes/ping-pong", content=PROCESS, headers={"content-type": "application/yaml"})
    assert put.status_code == 201, put.text
    for number in range(DEALS):
        stored = await client.put(f"/deals/D-{number}", json={"process": "ping-pong", "stage": "ping"})
        assert stored.status_code == 201, stored.text


async def whole_log(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 200}
    while params.get("cursor", "") is not None:
        page = (await client.get("/decisions", params=params)).json()
        items += page["items"]
        params["cursor"] = page["next_cursor"]
    return items[::-1]


async def play(database_url: str, folder: Path) -> None:
    async with season(database_url, folder) as played:
        options: dict[str, Any] = {"base_url": played.server.address, "headers": played.headers, "timeout": 10}
        async with httpx.AsyncClient(**options) as client:
            await furnish(client)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(played.kill(), *(played.move(number) for number in range(MOVERS)))
        assert len(played.acknowledged) >= MOVES
        await played.server.end(signal.SIGKILL)
        await played.server.start()
        async with httpx.AsyncClient(**options) as client:
            await compare(client, played)


async def compare(client: httpx.AsyncClient, played: Season) -> None:
    """Whether what the log and the deals tell is exactly what was acknowledged."""
    log = await whole_log(client)
    assert sorted(one.decision_id for one in played.acknowledged) == sorted(one["decision_id"] for one in log)
    for number in range(DEALS):
        deal = f"D-{number}"
        told = [(one.decision_id, one.to) for one in played.acknowledged if one.deal == deal]
        assert told == [(one["decision_id"], one["to"]) for one in log if one["deal_id"] == deal and one["applied"]]
        stored = (await client.get(f"/deals/{deal}")).json()
        assert [to for _, to in told] == [one["stage"] for one in stored["stage_history"]]
        assert (told[-1][1] if told else "ping") == stored["stage"]
    for one in played.acknowledged[-20:]:
        body = {"to": one.to, "expected_stage": OTHER[one.to]}
        again = await client.post(f"/deals/{one.deal}/moves", json=body, headers={"idempotency-key": one.key})
        assert (200, "true", one.body) == (again.status_code, again.headers["idempotency-replayed"], again.content)
    assert len(log) == len(await whole_log(client))


def test_killing_the_server_during_acknowledged_moves_loses_none_and_doubles_none(
    database_url: str, tmp_path: Path
) -> None:
    in_thread(play(database_url, tmp_path))
