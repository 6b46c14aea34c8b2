"""What runs on one connection of PostgreSQL: a group of single inserts, or one piece of work."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from app.store.errors import DatabaseDown, StoreError
from app.store.group import Item
from app.store.postgresql_errors import translate
from app.store.query import Params, Query

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

R = TypeVar("R")


class Append(Item):
    """One insert."""

    __slots__ = ("arguments", "sql")

    def __init__(self, sql: str, arguments: Sequence[Any]) -> None:
        super().__init__()
        self.sql = sql
        self.arguments = arguments


async def append_all(connection: "PoolConnectionProxy[asyncpg.Record]", batch: list[Append]) -> None:
    """Insert every row that can be inserted, in one transaction and one round trip for each kind of row."""
    wanted = [item for item in batch if not item.done.done()]
    for sql, group in groupby(sorted(wanted, key=attrgetter("sql")), key=attrgetter("sql")):
        items = list(group)
        try:
            await connection.executemany(sql, [item.arguments for item in items])
        except Exception as error:
            if isinstance(translate(error), DatabaseDown):
                raise
            await _one_by_one(connection, items)


async def _one_by_one(connection: "PoolConnectionProxy[asyncpg.Record]", items: list[Append]) -> None:
    """One of the rows is at fault: find out which, and spare its neighbours."""
    for item in items:
        try:
            await connection.execute(item.sql, *item.arguments)
        except Exception as error:
            item.error = translate(error)
            if isinstance(item.error, DatabaseDown):
                raise


class PostgreSQLTransaction:
    """A connection with an open transaction, lent to one piece of work."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        self._connection = connection
        self._failure: Exception | None = None
        self._finished = False

    def finish(self) -> None:
        """End it; work that swallowed an error of a statement has failed: the server would only pretend to commit."""
        self._finished = True
        if self._failure is not None:
            raise self._failure

    async def fetch_one(self, query: Query[R], params: Params) -> R | None:
        """The first row, or None."""
        compiled = query.postgresql
        row = await self._run(self._connection.fetchrow, compiled.sql, compiled.arguments(params))
        return None if row is None else compiled.row(row)

    async def fetch_all(self, query: Query[R], params: Params) -> list[R]:
        """Every row."""
        compiled = query.postgresql
        rows = await self._run(self._connection.fetch, compiled.sql, compiled.arguments(params))
        return [compiled.row(row) for row in rows]

    async def execute(self, query: Query[Any], params: Params) -> int:
        """Change rows; answers how many."""
        compiled = query.postgresql
        status = await self._run(self._connection.execute, compiled.sql, compiled.arguments(params))
        return int(status.rpartition(" ")[2])

    async def _run(self, call: Any, sql: str, arguments: Sequence[Any]) -> Any:
        if self._failure is not None:
            raise self._failure
        if self._finished:
            raise StoreError("this transaction has ended")
        try:
            return await call(sql, *arguments)
        except Exception as error:
            self._failure = translate(error)
            raise self._failure from error
