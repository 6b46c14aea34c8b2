"""`stagerail reencrypt`: the way to take an old encryption key out of service."""

import asyncio
import json

import pytest
from cryptography.fernet import Fernet

from app import clock
from app.crm.secrets import decrypt, encrypt
from app.store.connections import StoredConnection, find_connection, put_connection
from app.store.database import Database, open_database
from app.store.migrate import migrate
from app.store.tenants import Tenant, insert_tenant
from tests.unit.cli.said import Said, Stagerail

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
VARIABLE = "STAGERAIL_ENCRYPTION_KEY"


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", database_url)
    migrate(database_url)
    asyncio.run(_furnish(open_database(database_url)))
    return database_url


async def _furnish(database: Database) -> None:
    now = clock.now()
    row = StoredConnection("acme", "hub", "hubspot", "{}", encrypt(OLD, "s"), now, now)
    await database.start()
    await database.transaction(lambda tx: insert_tenant(tx, Tenant("acme", "Acme", now)))
    await database.transaction(lambda tx: put_connection(tx, row))
    await database.stop()


def opens(url: str, key: str) -> str:
    async def read(database: Database) -> str:
        await database.start()
        try:
            row = await find_connection(database, "hub")
            return decrypt(key, row.secret_ciphertext if row else "")
        finally:
            await database.stop()

    return asyncio.run(read(open_database(url)))


def test_an_old_key_is_taken_out_of_service(stagerail: Stagerail, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{NEW},{OLD}")
    said = stagerail("reencrypt")
    assert said == Said(0, "encrypted with the first key: connections 1, endpoints 0\n", "")
    assert opens(url, NEW) == "s"


@pytest.mark.usefixtures("url")
def test_what_no_key_opens_is_told_and_is_status_1(stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, NEW)
    said = stagerail("reencrypt")
    assert said == Said(
        1,
        "encrypted with the first key: connections 0, endpoints 0\n",
        "✗ connection `hub` of the tenant `acme`: none of the keys opens its secrets; put them anew\n",
    )
    assert json.loads(stagerail("reencrypt", "--json").out) == {
        "connections": 0,
        "endpoints": 0,
        "unopened": [{"tenant_id": "acme", "kind": "connection", "id": "hub"}],
    }


@pytest.mark.usefixtures("url")
def test_without_a_key_there_is_nothing_to_encrypt_with(stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    said = stagerail("reencrypt")
    assert (said.status, said.err.startswith("stagerail: error: there is no key to encrypt with")) == (2, True)
