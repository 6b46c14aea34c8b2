"""The port that services and repositories see, whichever database is behind it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from app.store.query import Params, Query

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
