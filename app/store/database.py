"""The store's front door: the port and its errors, and the one place that picks a driver."""

from app.store.errors import CannotOpen, Conflict, DatabaseDown, InUse, StoreError, Unstorable
from app.store.port import Database, Reader, Transaction
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
