"""Adherence and data quality over 100,000 deals with 1,000,000 activities, on both databases, as they are answered."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import httpx

from app import clock
from app.main import create_app
from app.services.keys import create_key
from app.services.processes import check_file, publish_file
from app.settings import Settings
from app.starters import read_starter
from app.store.database import Transaction, open_database
from app.store.migrate import migrate
from bench.report import Row
from tests.postgres import NoPostgres, execute, in_thread, postgres_server

DEALS = 100_000
ROUNDS = 3
SQLITE_BAR, POSTGRESQL_BAR = 4.0, 2.0
PROCESS = "walk"

# A million rows are made by the database itself; both read these words. `{at}` is an instant as each writes it.
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"
FILL = {
    """INSERT INTO deals {numbers}
    SELECT 'bench', 'D-' || i, 'walk', 1, 'trial', 'rep-' || (i % 50), 1, '', NULL, {at}, {at} FROM n""": DEALS,
    """INSERT INTO activities {numbers}
    SELECT 'bench', 'D-' || (i / 10), 'a-' || i, 'demo', {at}, 'done', 'held', 'outbound', 'rep-1', '[]', 'x'
    FROM n""": DEALS * 10,
    """INSERT INTO deal_fields (tenant_id, deal_id, field, process_key, owner, state, score) {numbers}
    SELECT 'bench', 'D-' || (i / 10), 'field-' || (i % 10), 'walk', 'rep-' || ((i / 10) % 50),
        CASE i % 7 WHEN 0 THEN 'missing' WHEN 1 THEN 'text' ELSE 'structured' END,
        CASE i % 7 WHEN 0 THEN 0 WHEN 1 THEN 50 ELSE 100 END
    FROM n""": DEALS * 10,
    # Four moves a deal, each asked three requirements and whether it is drawn.
    """INSERT INTO decision_requirements
        (tenant_id, decision_id, kind, name, process_key, from_stage, to_stage, owner, week, day, result) {numbers}
    SELECT 'bench', 'X-' || (i / 4), CASE i % 4 WHEN 0 THEN 'rule' ELSE 'requirement' END,
        CASE i % 4 WHEN 0 THEN 'drawn' ELSE 'asked-' || (i % 4) || '-' || ((i / 4) % 4) END, 'walk',
        'stage-' || ((i / 4) % 4), 'stage-' || ((i / 4) % 4 + 1), 'rep-' || ((i / 16) % 50),
        '2026-W' || (10 + (i / 16) % 40), '2026-' || (10 + (i / 16) % 3) || '-' || (10 + (i / 16) % 20),
        CASE i % 11 WHEN 0 THEN 'missed' WHEN 1 THEN 'refused' ELSE 'met' END
    FROM n""": DEALS * 16,
}
ASKED = {
    "adherence, first page": "/insights/adherence?process=walk",
    "adherence by requirement": "/insights/adherence?process=walk&by=requirement",
    "adherence by owner and week": "/insights/adherence?process=walk&by=owner&by=week&limit=200",
    "adherence of an owner in a period": "/insights/adherence?process=walk&owner=rep-7&from=2026-10-01&to=2026-11-30",
    "data quality, first page": "/insights/data-quality?process=walk",
    "data quality of an owner": "/insights/data-quality?process=walk&owner=rep-7",
}


def rows() -> Iterator[Row]:
    """Measure on a file and on a new server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        url = f"sqlite:///{path}"
        migrate(url)
        key = asyncio.run(_published(url))
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in (*_filling("'2026-11-01T09:00:00.000000Z'"), "ANALYZE"):
                connection.execute(statement)
        yield from _measured(url, key, "SQLite", SQLITE_BAR)
    try:
        with postgres_server() as server:
            in_thread(execute(server, "CREATE DATABASE insights"))
            url = server.removesuffix("/postgres") + "/insights"
            migrate(url)
            key = asyncio.run(_published(url))
            in_thread(execute(url, *_filling("CAST('2026-11-01T09:00:00Z' AS timestamptz)")))
            in_thread(execute(url, "VACUUM ANALYZE deal_fields"))  # as the server does by itself after a while
            in_thread(execute(url, "VACUUM ANALYZE decision_requirements"))
            yield from _measured(url, key, "PostgreSQL", POSTGRESQL_BAR)
    except NoPostgres as error:
        yield Row(f"insights on PostgreSQL: skipped, {error}", 0, "")


def _filling(instant: str) -> Iterator[str]:
    for statement, count in FILL.items():
        numbers = NUMBERS.replace("{count}", str(count))
        yield statement.replace("{numbers}", numbers).replace("{at}", instant)


async def _published(url: str) -> str:
    """A key of a tenant that has published the process."""
    database = open_database(url)
    await database.start()

    async def work(tx: Transaction) -> str:
        now = clock.now()
        key = await create_key(tx, "bench", ["decide"], "bench", now)
        checked = check_file(PROCESS, read_starter(PROCESS), "application/yaml")
        await publish_file(tx, "bench", checked, by="bench", now=now)
        return key

    key = await database.transaction(work)
    await database.stop()
    return key


def _measured(url: str, key: str, database: str, bar: float) -> list[Row]:
    return asyncio.run(_ask(url, key, database, bar))


async def _ask(url: str, key: str, database: str, bar: float) -> list[Row]:
    """The median of a few answers to each question; none is kept between them."""
    app = create_app(Settings(database_url=url))
    measured = []
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=120) as client:
            for what, path in ASKED.items():
                times = []
                for _ in range(ROUNDS):
                    begun = time.perf_counter()
                    answer = await client.get(path, headers={"authorization": f"Bearer {key}"})
                    times.append(time.perf_counter() - begun)
                    assert answer.status_code == 200 and answer.json()["items"], answer.text  # noqa: S101, PT018
                measured.append(Row(f"{what}, 100,000 deals, {database}", median(times), "s", at_most=bar))
    return measured
