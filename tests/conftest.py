"""What every test may ask for: a real database of either kind, and hypothesis set up the same everywhere."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.postgres import NoPostgres, execute, in_thread, postgres_server

IN_CI = os.environ.get("CI") == "true"
_numbers = itertools.count(1)

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_machine() -> None:
    """Take the developer's own STAGERAIL_* settings away, so that tests mean the same on every machine."""
    for name in [name for name in os.environ if name.startswith("STAGERAIL_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the address of a real PostgreSQL that lives as long as the tests run."""
    try:
        with postgres_server() as url:
            yield url
    except NoPostgres as reason:
        if IN_CI:
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """Give a new, empty database on the PostgreSQL of this run."""
    name = f"test_{next(_numbers)}"
    in_thread(execute(postgres_url, f"CREATE DATABASE {name}"))
    yield postgres_url.removesuffix("/postgres") + f"/{name}"
    in_thread(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def fresh_sqlite_url(tmp_path: Path) -> str:
    """Give a new, empty SQLite file."""
    return f"sqlite:///{tmp_path / 'stagerail.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Run the test on each database in turn, both empty."""
    fixture = "fresh_sqlite_url" if request.param == "sqlite" else "fresh_postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url
