"""A whole server on a database of its own, with a played CRM behind its connection: what circle tests need."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx
from fastapi import FastAPI

from app import clock
from app.main import create_app
from app.services.keys import create_key
from app.services.outbox import Handler, work_of
from app.settings import Settings
from app.store.crm_moves import CrmMove, list_moves
from app.store.crm_records import connections_due
from app.store.database import Database
from app.store.migrate import migrate
from app.store.outbox import list_items
from app.store.outbox_targets import due_targets
from app.store.tenants import Tenant, insert_tenant
from tests.crm.fakes.base import FakeCrm, Sent
from tests.crm.world import KEY, publish_to

SERVER = "https://gate.example.com"
HOOK = f"{SERVER}/webhooks/crm"


class Played(Protocol):
    """A CRM as its people and its integrators see it, whichever it is. Stages are those of the process."""

    @property
    def coarse(self) -> bool:
        """Whether its times are in seconds, so that what happens in one second is one."""
        ...

    @property
    def fake(self) -> FakeCrm:
        """The server that plays it."""
        ...

    def connection(self) -> dict[str, Any]:
        """What is put as the connection: settings with the mapping, `secret` and `access`; `people` has `rep-7`."""
        ...

    async def make(self) -> str:
        """A deal in `demo_scheduled`, told of; its id."""
        ...

    async def move(self, deal: str, stage: str) -> None:
        """Somebody moves a deal, and we are told."""
        ...

    async def fill_next_step(self, deal: str) -> None:
        """Somebody fills what the move needs."""
        ...

    async def remove(self, deal: str) -> None:
        """Somebody deletes the deal; whether we are told is the CRM's business."""
        ...

    def stage(self, deal: str) -> str:
        """Where the deal stands in the CRM."""
        ...

    def notes(self, deal: str) -> list[str]:
        """The texts left on it."""
        ...

    def tasks(self, deal: str) -> list[tuple[str, str]]:
        """The tasks on it: subject and text."""
        ...


class Circle:
    """The running application, and the CRM that it is connected with."""

    def __init__(self, played: Played, client: httpx.AsyncClient, app: FastAPI) -> None:
        self.crm = played
        self.client = client
        self.database: Database = app.state.services.database
        self.handler: Handler = app.state.services.outbox._handlers["remedy"]

    async def connect(self, **changes: Any) -> None:
        """Put the connection: nothing waits long, unless the test says so. Not two stages in one second, though."""
        quick = {"settle": "0s", "grace": "2s" if self.crm.coarse else "0s", "remedy": ["revert", "note", "task"]}
        body = {**self.crm.connection(), **quick, "api_url": self.crm.fake.url, **changes}
        answer = await self.client.put("/connections/crm", json=body)
        assert answer.status_code in (200, 201), answer.text

    async def tick(self) -> None:
        """Let an instant go by, as the CRM tells the time."""
        await asyncio.sleep(1.1 if self.crm.coarse else 0.01)

    async def answer(self) -> None:
        """Do what waits out its grace now, once, as the outbox's worker would. Raises Later, GiveUp."""
        waiting = await list_items(self.database, "acme", limit=99, status="waiting")
        items = [one for one in waiting if one.kind == "remedy"]
        assert items, await self.told()
        for item in sorted(items, key=lambda one: one.item_id):
            await self.handler(work_of(item))

    async def came_to(self, deal: str) -> list[dict[str, str]]:
        """What the answers to its moves came to, in the order of the moves."""
        told = [json.loads(one.remedied) for one in await self.moves(deal) if one.remedied]
        return [{name: value for name, value in one.items() if name != "at"} for one in told]

    async def get(self, path: str, **params: Any) -> Any:
        """What an operation answers."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def moves(self, deal: str) -> list[CrmMove]:
        """The moves that are known of a deal."""
        return await list_moves(self.database, "acme", "crm", deal)

    async def verdicts(self, deal: str) -> list[tuple[str | None, str | None, str]]:
        """From, to and verdict of each."""
        return [(one.from_stage, one.to_stage, one.verdict) for one in await self.moves(deal)]

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
        """Wait until something holds."""
        for _ in range(round(seconds / 0.02)):
            if await holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(await self.told())

    async def judged(self, deal: str, *verdicts: tuple[str | None, str | None, str]) -> None:
        """Wait until the moves of a deal stand so."""

        async def holds() -> bool:
            return await self.verdicts(deal) == list(verdicts)

        try:
            await self.until(holds)
        except AssertionError as error:
            raise AssertionError(await self.verdicts(deal)) from error

    async def remedied(self, deal: str) -> dict[str, str]:
        """Wait until the remedy was tried; what it came to."""

        async def holds() -> bool:
            return any(one.remedied for one in await self.moves(deal))

        await self.until(holds)
        return (await self.came_to(deal))[0]

    async def settled(self) -> None:
        """Wait until nothing is left to judge."""

        async def holds() -> bool:
            return not await connections_due(self.database, clock.now().replace(year=2999))

        await self.until(holds)

    async def quiet(self) -> None:
        """Wait until nothing is left to do."""

        async def holds() -> bool:
            waiting = await self.get("/outbox", status="waiting")
            return not waiting["items"] and not await _pending(self.database)

        await self.until(holds)

    async def told(self) -> Any:
        """What happened, for a failing test's message."""
        log = await self.get("/decisions")
        short = [(one["from"], one["to"], one["outcome"], one["facts"], one["findings"]) for one in log["items"]]
        outbox = await self.get("/outbox")
        calls = [(one.method, one.path) for one in self.crm.fake.calls[-20:]]
        return {"log": short, "outbox": outbox["items"], "calls": calls}


async def _pending(database: Database) -> bool:
    later = clock.now().replace(year=2999)
    return bool(await connections_due(database, later)) or bool(await due_targets(database, clock.now()))


@asynccontextmanager
async def circle(database_url: str, played: Played) -> AsyncIterator[Circle]:
    """The server, started, with its CRM."""
    migrate(database_url)
    environ = {
        "STAGERAIL_DATABASE_URL": database_url,
        "STAGERAIL_ENCRYPTION_KEY": KEY,
        "STAGERAIL_PUBLIC_URL": SERVER,
        "STAGERAIL_OUTGOING_ALLOW": "127.0.0.0/8",
    }
    app = create_app(Settings.from_env(environ))
    async with played.fake, app.router.lifespan_context(app):
        database = app.state.services.database
        await database.transaction(lambda tx: insert_tenant(tx, Tenant("acme", "Acme", clock.now())))
        await publish_to(database, "acme")
        key = await database.transaction(lambda tx: create_key(tx, "acme", ["admin"], "test", clock.now()))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url=SERVER, headers=headers) as client:
            deliver_to(played.fake, httpx.AsyncClient(transport=transport, base_url=SERVER))
            yield Circle(played, client, app)


def deliver_to(fake: FakeCrm, client: httpx.AsyncClient) -> None:
    """Let a fake's webhooks reach the application of the test, which listens on no port."""

    async def send(url: str, body: bytes, headers: Mapping[str, str]) -> Sent:
        answer = await client.post(url, content=body, headers=dict(headers))
        fake.sent.append(Sent(url, dict(headers), body, answer.status_code, answer.content))
        return fake.sent[-1]

    fake.send = send  # type: ignore[method-assign]
