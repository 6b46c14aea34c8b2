"""Brings a database to the newest schema. Alembic is imported only when there is something to do."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Text, column, select, table

from app.store.database import Database, Query, is_postgresql
from app.store.errors import CannotOpen, InUse
from app.store.lock_file import LockFile
from app.store.sqlite import sqlite_path

T = TypeVar("T")

HEAD = "0005"  # the newest revision; a test compares it with migrations/
FOLDER = Path(__file__).parents[2] / "migrations"  # beside `app`, in the repository and when installed
LOCK = 7_243_511_902  # any number, the same for every replica
PATIENCE = 10.0  # seconds to wait for another process that is migrating
PAUSE = 0.1
REVISION = "SELECT version_num FROM alembic_version"
CURRENT_REVISION = Query(select(column("version_num", Text)).select_from(table("alembic_version")), tuple)


def pending(url: str) -> bool:
    """Whether the schema is older than this program, or not there at all."""
    return _revision(url) != HEAD


async def is_current(db: Database) -> bool:
    """Whether an open database has the newest schema."""
    row = await db.fetch_one(CURRENT_REVISION, {})
    return row is not None and row[0] == HEAD


def migrate(url: str) -> bool:
    """Bring the database to the newest schema; False when it was there already. Safe when replicas start together."""
    if not pending(url):
        return False
    if is_postgresql(url):
        _in_loop(_migrate_postgresql(url))
    else:
        _migrate_sqlite(sqlite_path(url))
    return True


def _revision(url: str) -> str | None:
    return _in_loop(_revision_of_postgresql(url)) if is_postgresql(url) else _revision_of_sqlite(sqlite_path(url))


def _revision_of_sqlite(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            row = connection.execute(REVISION).fetchone()
    except sqlite3.Error as error:
        raise CannotOpen(f"cannot open {path}: {error}") from error
    return None if row is None else str(row[0])


async def _revision_of_postgresql(url: str) -> str | None:
    import asyncpg

    from app.store.postgresql import connect

    connection = await connect(url)
    try:
        found = await connection.fetchval(REVISION)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return None if found is None else str(found)


def _migrate_sqlite(path: Path) -> None:
    from sqlalchemy import URL, create_engine, event

    lock = LockFile(path)
    _patiently(lock.acquire)
    engine = create_engine(URL.create("sqlite", database=str(path)))
    # The driver's own transactions would leave the schema half changed when a revision fails.
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    finally:
        engine.dispose()
        lock.release()


async def _migrate_postgresql(url: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    from app.store.postgresql import connect

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    """Alembic reads the revision once more, so that whoever waited for the lock finds nothing left to do."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise CannotOpen(
            "the database was made by a newer version of stagerail than this one: upgrade stagerail"
        ) from error


def _patiently(acquire: Callable[[], None]) -> None:
    """Another process may be migrating the same file; one that serves from it will not let go."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            acquire()
        except InUse:
            if time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(PAUSE)


def _in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, whether or not the caller is inside an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
