"""Errors of PostgreSQL and of the way to it, in the store's own words."""

from typing import Final

import asyncpg

from app.store.errors import Conflict, DatabaseDown, Unstorable

# Nothing is wrong with what was asked: the server is away, starting, stopping, full, a standby or too busy.
AWAY: Final = (
    OSError,  # refused, reset, no route; TimeoutError is one of them
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, crash, cancelled, starting up
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,  # a failover left us on the standby
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
)
# Two transactions met; one of them must be run again.
MET: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
UNSTORABLE: Final = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError, UnicodeError)


def translate(error: Exception) -> Exception:
    """The store's own word; a fault of the program itself (our SQL) stays what it is."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return Conflict("a row with this key exists already")
    if isinstance(error, UNSTORABLE) or isinstance(error.__cause__, UnicodeError):
        return Unstorable("a text holds a character that cannot be stored")
    if isinstance(error, asyncpg.InterfaceError) and "clos" in str(error):  # "pool is closing", "connection is closed"
        return DatabaseDown("the database cannot be reached: the connection is closed")
    if isinstance(error, MET):
        return DatabaseDown("the database is too busy: the same rows are being changed by others")
    if isinstance(error, AWAY):
        return DatabaseDown(f"the database cannot be reached: {_why(error)}")
    return error


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
