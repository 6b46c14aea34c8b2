"""The floors: the least that could answer the same body. Each is an ASGI application made by a function, for uvicorn."""

import json
import os
from typing import Any

import asyncpg
from fastapi import FastAPI, Request, Response
from pydantic import TypeAdapter

from app.engine import Actor, Instant, Snapshot
from app.engine.snapshot import Fact


class Question(Fact):
    """The bench body, typed."""

    process: str
    deal: Snapshot
    to: str
    actor: Actor | None = None
    as_of: Instant | None = None
    dry_run: bool = False


class StoredQuestion(Fact):
    """The question about a stored deal."""

    deal_id: str
    to: str
    actor: Actor | None = None


class Answer(Fact):
    """An answer of constant content."""

    outcome: str
    to: str


def typed() -> FastAPI:
    """The bare typed FastAPI endpoint that does nothing."""
    app = FastAPI()

    @app.post("/floor")
    async def floor(question: Question) -> Answer:
        return Answer(outcome="allowed", to=question.to)

    return app


def postgresql() -> FastAPI:
    """A bare route with the transaction boundaries of a stored decision: one read, one insert through the driver."""
    app = FastAPI()
    questions = TypeAdapter(StoredQuestion)
    pools: list[Any] = []

    async def connect() -> Any:
        pool = await asyncpg.create_pool(os.environ["BENCH_POSTGRESQL"], min_size=4, max_size=10)
        await pool.execute("CREATE TABLE IF NOT EXISTS bare_deals (id text PRIMARY KEY, snapshot text NOT NULL)")
        await pool.execute("CREATE TABLE IF NOT EXISTS bare_log (id bigserial PRIMARY KEY, deal text, document text)")
        await pool.execute(
            "INSERT INTO bare_deals VALUES ('D-1', $1) ON CONFLICT DO NOTHING", os.environ["BENCH_SNAPSHOT"]
        )
        return pool

    @app.post("/floor")
    async def floor(request: Request) -> Response:
        question = questions.validate_json(await request.body())
        if not pools:
            pools.append(await connect())
        async with pools[0].acquire() as connection:
            row = await connection.fetchrow("SELECT snapshot FROM bare_deals WHERE id = $1", question.deal_id)
        async with pools[0].acquire() as connection:
            await connection.execute("INSERT INTO bare_log (deal, document) VALUES ($1, $2)", question.deal_id, row[0])
        return Response(json.dumps({"outcome": "allowed", "to": question.to}), media_type="application/json")

    return app
