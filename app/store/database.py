"""The port that services and repositories see, whichever database is behind it, and the one place that picks it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from app.store.errors import CannotOpen, Conflict, DatabaseDown, InUse, StoreError, Unstorable
from app.store.query import Params, Query, Row, command

__all__ = [
    "CannotOpen",
    "Conflict",
    "Database",
    "DatabaseDown",
    "InUse",
    "Params",
    "Query",
    "Reader",
    "Row",
    "StoreError",
    "Transaction",
    "Unstorable",
    "command",
    "open_database",
]

T = TypeVar("T")
R = TypeVar("R")


class Reader(Protocol):
    """What a database and a transaction share: reading."""

    async def fetch_one(self, query: Query[R], params: Params) -> R | None:
        """The first row, or None."""
        ...

    async def fetch_all(self, query: Query[R], params: Params) -> list[R]:
        """Every row."""
        ...


class Transaction(Reader, Protocol):
    """One piece of work, all or nothing. Once a statement in it has failed, the whole of it has."""

    async def execute(self, query: Query[Any], params: Params) -> int:
        """Change rows; answers how many."""
        ...


class Database(Reader, Protocol):
    """A database that is open from `start()` to `stop()`, used from one event loop."""

    async def start(self) -> None:
        """Open it, or fail with one clear sentence."""
        ...

    async def stop(self) -> None:
        """Finish what was accepted, then close."""
        ...

    async def append(self, query: Query[Any], params: Params) -> None:
        """ONE insert, committed durably together with its neighbours'; returns after the commit."""
        ...

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do all of the work or nothing of it; returns after the commit.

        An exception from the work undoes this work alone and comes out again. The work may be run more than once (when
        two of them met at the same rows), so it touches nothing but its transaction; and it awaits nothing else.
        """
        ...

    async def ping(self) -> None:
        """Raise DatabaseDown if a query cannot be answered now."""
        ...


def open_database(url: str) -> Database:
    """The driver for an address; nothing is opened before `start()`."""
    if is_postgresql(url):
        from app.store.postgresql import PostgreSQL

        return PostgreSQL(url)
    from app.store.sqlite import SQLite, sqlite_path

    return SQLite(sqlite_path(url))


def is_postgresql(url: str) -> bool:
    """Whether the address is one of PostgreSQL."""
    return url.startswith(("postgresql://", "postgres://"))
