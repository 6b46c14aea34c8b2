"""A database of either kind with a tenant, a published process and a HubSpot connection."""

from collections.abc import AsyncIterator

import pytest

from app.store.database import Database, open_database
from app.store.migrate import migrate
from tests.crm.world import furnish


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give an open database in which `acme` follows the process `sales` and has the connection `hs`."""
    migrate(database_url)
    database = open_database(database_url)
    await database.start()
    await furnish(database)
    yield database
    await database.stop()
