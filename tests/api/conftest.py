"""A served application on either database. Every test has tenants of its own, so that the database is made once."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from app.settings import Settings
from app.store.migrate import migrate
from tests.api.world import World, serving
from tests.postgres import execute, in_thread

_numbers = itertools.count(1)
ENCRYPTION_KEY = SecretStr("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def api_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a migrated database that all tests of one kind share."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('api') / 'stagerail.db'}"
        migrate(url)
        yield url
        return
    server: str = request.getfixturevalue("postgres_url")
    name = "test_api"
    in_thread(execute(server, f"CREATE DATABASE {name}"))
    url = server.removesuffix("/postgres") + f"/{name}"
    migrate(url)
    yield url
    in_thread(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def settings(api_database_url: str) -> Settings:
    """Give the settings of the application under test."""
    return Settings(database_url=api_database_url, encryption_key=ENCRYPTION_KEY)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """Serve the application to two tenants who know nothing of each other; the first has published a process."""
    number = next(_numbers)
    async with serving(settings) as app:
        world = World(app, f"acme-{number}", f"globex-{number}")
        await world.furnish()
        yield world
        await world.close()
