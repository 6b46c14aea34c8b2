"""The databases that tests run on are real and their own."""

from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.postgres import execute


async def test_every_test_has_a_postgresql_database_of_its_own(postgres_url: str, fresh_postgres_url: str) -> None:
    await execute(fresh_postgres_url, "CREATE TABLE mine (id int)")
    connection = await asyncpg.connect(fresh_postgres_url)
    elsewhere = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT to_regclass('mine')::text") == "mine"
    assert await elsewhere.fetchval("SELECT to_regclass('mine')") is None
    await connection.close()
    await elsewhere.close()


def test_a_test_of_both_databases_gets_one_of_each(database_url: str, request: pytest.FixtureRequest) -> None:
    assert urlsplit(database_url).scheme in request.node.name
