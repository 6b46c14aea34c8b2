"""A migrated, open database of each kind: one suite says what both of them do."""

from collections.abc import AsyncIterator

import pytest

from app.store.database import Database, open_database
from app.store.migrate import migrate
from tests.store.rows import add_tenants


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """Give the address of a database with the newest schema."""
    migrate(database_url)
    return database_url


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """Give an open database with two tenants, acme and globex."""
    database = open_database(migrated_url)
    await database.start()
    await add_tenants(database, "acme", "globex")
    yield database
    await database.stop()
