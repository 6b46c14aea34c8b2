"""PostgreSQL, and what speaks its protocol: a pool of connections; single inserts are grouped as on SQLite."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from app.store.errors import DatabaseDown
from app.store.group import CommitGroup
from app.store.port import Transaction
from app.store.postgresql_errors import MET, translate
from app.store.postgresql_work import Append, PostgreSQLTransaction, append_all
from app.store.query import Params, Query

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

T = TypeVar("T")
R = TypeVar("R")

CONNECTIONS = 10
PATIENCE = 5.0  # seconds to get a connection
STATEMENT_PATIENCE = 10.0
ATTEMPTS = 5


class PostgreSQL:
    """The driver. The isolation level is READ COMMITTED: work that must not be overtaken locks the row it reads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._group: CommitGroup[Append] | None = None

    async def start(self) -> None:
        """Connect, or say in one sentence why not."""
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=CONNECTIONS,
                timeout=PATIENCE,
                command_timeout=STATEMENT_PATIENCE,
                reset=_reset,
                server_settings={"application_name": "stagerail"},
            )
        except ValueError as error:
            raise DatabaseDown(f"the database address is not understood: {error}") from error
        except Exception as error:
            raise translate(error) from error
        self._group = CommitGroup(self._perform)

    async def stop(self) -> None:
        """Commit what was accepted, then close."""
        if self._group is not None:
            await self._group.close()
        pool, self._pool, self._group = self._pool, None, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), PATIENCE)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pool.terminate()

    async def fetch_one(self, query: Query[R], params: Params) -> R | None:
        """The first row, or None."""
        compiled = query.postgresql
        arguments = compiled.arguments(params)
        async with self._connection() as connection:
            row = await connection.fetchrow(compiled.sql, *arguments)
        return None if row is None else compiled.row(row)

    async def fetch_all(self, query: Query[R], params: Params) -> list[R]:
        """Every row."""
        compiled = query.postgresql
        arguments = compiled.arguments(params)
        async with self._connection() as connection:
            rows = await connection.fetch(compiled.sql, *arguments)
        return [compiled.row(row) for row in rows]

    async def append(self, query: Query[Any], params: Params) -> None:
        """One insert in the next commit."""
        compiled = query.postgresql
        if self._group is None:
            raise DatabaseDown("the database is not open")
        await self._group.submit(Append(compiled.sql, compiled.arguments(params)))

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """One piece of work in a transaction of its own, run again when it met another at the same rows."""
        attempt = 1
        while True:
            try:
                async with self._connection() as connection:
                    return await _run(connection, work)
            except DatabaseDown as error:
                if not isinstance(error.__cause__, MET) or attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(0.01 * attempt)
            attempt += 1

    async def ping(self) -> None:
        """Ask for one."""
        async with self._connection() as connection:
            await connection.fetchval("SELECT 1")

    async def _perform(self, batch: list[Append]) -> None:
        async with self._connection() as connection:
            await append_all(connection, batch)

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[PoolConnectionProxy[asyncpg.Record]]":
        pool = self._pool
        if pool is None:
            raise DatabaseDown("the database is not open")
        try:
            # A deadline costs a task of its own; with an idle connection at hand there is nothing to wait for.
            async with pool.acquire(timeout=None if pool.get_idle_size() else PATIENCE) as connection:
                yield connection
        except Exception as error:
            told = translate(error)
            if told is error:  # the work's own, or told already
                raise
            raise told from error


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection outside any pool, for migrations."""
    try:
        return await asyncpg.connect(url, timeout=PATIENCE)
    except Exception as error:
        raise translate(error) from error


async def _reset(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing here leaves a setting or a cursor behind, so giving a connection back costs no round trip."""
    if connection.is_in_transaction():
        await connection.reset()


async def _run(connection: "PoolConnectionProxy[asyncpg.Record]", work: Callable[[Transaction], Awaitable[T]]) -> T:
    async with connection.transaction():
        transaction = PostgreSQLTransaction(connection)
        value = await work(transaction)
        transaction.finish()
    return value
