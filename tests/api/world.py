"""What tests over HTTP act with: the application in process, its tenants, their keys, and one line to ask anything."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from app import clock
from app.main import create_app
from app.services.keys import create_key
from app.settings import Settings
from app.store.database import Database, command
from app.store.deals import list_deals
from app.store.decisions import list_decisions
from tests.builders import PROCESS

EVERY_SCOPE = ("decide", "deals:write", "processes:write", "admin")
YAML = {"content-type": "application/yaml"}


@asynccontextmanager
async def serving(settings: Settings, *, lane: bool = True) -> AsyncIterator[FastAPI]:
    """Run the application's own start and stop around the tests."""
    app = create_app(settings, lane=lane)
    async with app.router.lifespan_context(app):
        yield app


class World:
    """One application, and two tenants of it."""

    def __init__(self, app: FastAPI, tenant: str, stranger: str) -> None:
        self.app = app
        self.tenant = tenant
        self.stranger = stranger
        transport = httpx.ASGITransport(app=app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://test")
        self.key = self.strangers_key = ""

    async def close(self) -> None:
        """Let go of the client."""
        await self._client.aclose()

    @property
    def database(self) -> Database:
        """The database behind the application."""
        database: Database = self.app.state.services.database
        return database

    async def furnish(self) -> None:
        """Make a key for each tenant, and publish the process of the first."""
        self.key = await self.new_key(*EVERY_SCOPE)
        self.strangers_key = await self.new_key(*EVERY_SCOPE, tenant=self.stranger)
        answer = await self.ask("PUT", "/processes/b2b-saas", content=PROCESS, headers=YAML)
        assert answer.status_code == 201, answer.text

    async def new_key(self, *scopes: str, tenant: str | None = None) -> str:
        """A key with these scopes."""
        named, now = tenant or self.tenant, clock.now()
        return await self.database.transaction(lambda tx: create_key(tx, named, list(scopes), "test", now))

    async def sql(self, statement: str) -> None:
        """Bring about what no request can: a statement of SQL in a transaction of its own."""
        query = command(text(statement))
        await self.database.transaction(lambda tx: tx.execute(query, {}))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        content: bytes | str | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One request, with the first tenant's key unless another is given (None: without any)."""
        sent: dict[str, Any] = {} if key is None else {"authorization": f"Bearer {key or self.key}"}
        if body is not None:
            content, sent = json.dumps(body), sent | {"content-type": "application/json"}
        return await self._client.request(method, path, content=content, headers=sent | dict(headers or {}), **options)

    async def good(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The content of a good answer."""
        answer = await self.ask(method, path, body, **options)
        assert answer.is_success, answer.text
        return answer.json()

    async def refusal(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
        """The status and the type of a refusal, which must be a well-formed problem."""
        answer = await self.ask(method, path, body, **options)
        return answer.status_code, problem_of(answer)

    async def written(self) -> dict[str, int]:
        """How much the first tenant has: what must not change when a request is refused."""
        return {
            "deals": len(await list_deals(self.database, self.tenant, limit=1000)),
            "decisions": len(await list_decisions(self.database, self.tenant, limit=1000)),
            "processes": len((await self.good("GET", "/processes"))["items"]),
        }


def problem_of(answer: httpx.Response) -> str:
    """The type of a problem, whose every member is as it must be."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    content = answer.json()
    assert content["status"] == answer.status_code
    assert content["title"]
    assert content["detail"]
    assert answer.headers["x-request-id"] in content["instance"]
    return str(content["type"]).removeprefix("/problems/")


async def log_of(world: World, **params: str) -> list[tuple[Any, ...]]:
    """The decision log, oldest first, as (source, from, to, outcome)."""
    items = (await world.good("GET", "/decisions", params=params))["items"]
    return [(one["source"], one["from"], one["to"], one["outcome"]) for one in reversed(items)]


async def pages(world: World, path: str, name: str, **params: Any) -> list[list[Any]]:
    """Every page of a list."""
    found: list[list[Any]] = []
    cursor = None
    while True:
        page = await world.good("GET", path, params=params | ({} if cursor is None else {"cursor": cursor}))
        found.append([one[name] for one in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return found
