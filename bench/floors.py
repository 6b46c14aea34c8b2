"""The floors: the least that could answer the same body. Each is made by a function, for uvicorn."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

import asyncpg
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, JsonValue, TypeAdapter

from app import clock
from app.services.ids import new_id
from app.store.database import open_database
from app.store.deliveries import StoredDelivery, append_delivery


class Activity(BaseModel):
    """An activity of the body."""

    id: str
    activity: str
    at: datetime
    status: Literal["done", "planned"]
    outcome: str | None = None


class Deal(BaseModel):
    """The deal of the body."""

    id: str | None = None
    stage: str
    stage_entered_at: datetime | None = None
    created_at: datetime | None = None
    fields: dict[str, JsonValue] = {}
    activities: list[Activity] = []


class Actor(BaseModel):
    """Who asks."""

    id: str
    roles: list[str] = []


class Question(BaseModel):
    """The body, typed as anyone would."""

    process: str
    deal: Deal
    to: str
    actor: Actor | None = None
    as_of: datetime | None = None
    dry_run: bool = False


class StoredQuestion(BaseModel):
    """The question about a stored deal."""

    deal_id: str
    to: str
    actor: Actor | None = None


def typed() -> FastAPI:
    """The bare typed FastAPI endpoint that does nothing: a model in, the same model out."""
    app = FastAPI()

    @app.get("/ready")
    async def ready() -> bool:
        return True

    @app.post("/floor")
    async def floor(question: Question) -> Question:
        return question

    return app


def postgresql() -> FastAPI:
    """A bare route with the transaction boundaries of a stored decision: one read, one insert through the driver."""
    questions = TypeAdapter(StoredQuestion)
    pools: list[Any] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["BENCH_POSTGRESQL"], min_size=1, max_size=10) as pool:
            await _tables(pool)
            pools.append(pool)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    async def ready() -> bool:
        return True

    @app.post("/floor")
    async def floor(request: Request) -> Response:
        question = questions.validate_json(await request.body())
        snapshot = await pools[0].fetchval("SELECT snapshot FROM bare_deals WHERE id = $1", question.deal_id)
        await pools[0].execute("INSERT INTO bare_log (deal, document) VALUES ($1, $2)", question.deal_id, snapshot)
        return Response(json.dumps({"outcome": "allowed", "to": question.to}), media_type="application/json")

    return app


def inserting() -> FastAPI:
    """A bare route that does nothing but insert the body, as durably as the product does, in the same database."""
    database = open_database(os.environ["BENCH_DATABASE"])

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.start()
        yield
        await database.stop()

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    async def ready() -> bool:
        return True

    @app.post("/floor")
    async def floor(request: Request) -> Response:
        now = clock.now()
        row = ("bench", new_id(now), "none", now, "processed", None, await request.body(), 0, now, now, None)
        await append_delivery(database, StoredDelivery(*row))
        return Response(b"{}", 202, media_type="application/json")

    return app


async def _tables(pool: Any) -> None:
    await pool.execute("CREATE TABLE bare_deals (id text PRIMARY KEY, snapshot text NOT NULL)")
    await pool.execute("CREATE TABLE bare_log (id bigserial PRIMARY KEY, deal text, document text)")
    await pool.execute("INSERT INTO bare_deals VALUES ('D-1', $1)", os.environ["BENCH_SNAPSHOT"])
