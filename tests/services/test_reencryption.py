"""Replacing the key that secrets are encrypted with: afterwards the new one alone opens everything."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from app import clock
from app.crm.secrets import decrypt, encrypt
from app.services import endpoints
from app.services.endpoints import Change
from app.services.events import Events
from app.services.reencryption import Reencrypted, Unopened, reencrypt
from app.services.secret_overlap import secrets_of
from app.store.connections import StoredConnection, find_connection, put_connection
from app.store.database import Database
from app.store.endpoints import read_endpoint

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
BOTH = f"{NEW},{OLD}"
NOW = clock.now()


def connection(tenant_id: str, name: str, key: str = OLD) -> StoredConnection:
    """One with everything that can be secret."""
    sealed = [encrypt(key, f"{name} {what}") for what in ("secret", "previous", "access")]
    later = NOW + timedelta(hours=1)
    return StoredConnection(tenant_id, name, "hubspot", "{}", sealed[0], NOW, NOW, sealed[1], later, sealed[2])


async def store(database: Database, *connections: StoredConnection) -> None:
    for one in connections:
        await database.transaction(lambda tx, one=one: put_connection(tx, one))  # type: ignore[misc]


async def opened(database: Database, name: str, key: str) -> list[str]:
    row = await find_connection(database, name)
    assert row is not None
    return [decrypt(key, one) for one in row[4:] if isinstance(one, str)]


@pytest.fixture
async def furnished(database: Database) -> Database:
    """Give two tenants with a connection each, and one of them an endpoint that was rotated."""
    await store(database, connection("acme", "hub"), connection("globex", "pipe"))
    change = Change("team", "https://hooks.example.com", ["*"], paused=False)
    events = Events("https://gate.example.com")
    await database.transaction(lambda tx: endpoints.put(tx, events, "acme", change, key=OLD, now=NOW))
    await database.transaction(lambda tx: endpoints.rotate(tx, "acme", "team", key=OLD, now=NOW))
    return database


async def test_afterwards_the_new_key_alone_opens_everything(furnished: Database) -> None:
    before = await find_connection(furnished, "hub")
    assert await reencrypt(furnished, BOTH) == Reencrypted(2, 1, ())
    for name in ("hub", "pipe"):
        assert await opened(furnished, name, NEW) == [f"{name} {one}" for one in ("secret", "previous", "access")]
    endpoint = await read_endpoint(furnished, "acme", "team")
    assert endpoint is not None
    assert [one[:6] for one in secrets_of(endpoint, NEW, NOW)] == ["whsec_", "whsec_"]
    after = await find_connection(furnished, "hub")
    assert before is not None
    assert after is not None
    assert before._replace(secret_ciphertext="", previous_ciphertext=None, access_ciphertext=None) == after._replace(
        secret_ciphertext="", previous_ciphertext=None, access_ciphertext=None
    )
    assert await reencrypt(furnished, NEW) == Reencrypted(2, 1, ())


async def test_what_no_key_opens_is_named_and_left_as_it_is(furnished: Database) -> None:
    lost = connection("acme", "lost", LOST)
    await store(furnished, lost)
    assert await reencrypt(furnished, BOTH) == Reencrypted(2, 1, (Unopened("acme", "connection", "lost"),))
    assert await find_connection(furnished, "lost") == lost


async def test_an_older_secret_that_no_key_opens_is_let_go(furnished: Database) -> None:
    lost = encrypt(LOST, "gone")
    await store(furnished, connection("acme", "hub")._replace(previous_ciphertext=lost))
    assert await reencrypt(furnished, BOTH) == Reencrypted(2, 1, ())
    assert await opened(furnished, "hub", NEW) == ["hub secret", "hub access"]
