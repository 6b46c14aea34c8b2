"""Connections: checked against the processes they name, stored with a secret that never comes out again."""

from typing import Any

import pytest

from app.crm.hubspot import HubspotSettings
from app.crm.secrets import NoKey, WrongKey, decrypt, encrypt
from app.services.connections import (
    Change,
    Connection,
    ConnectionTaken,
    WrongConnection,
    document,
    list_all,
    put,
    read,
)
from app.services.processes import Processes
from app.store.connections import read_connection
from app.store.database import Database
from app.store.tenants import Tenant, insert_tenant
from tests.crm.builders import NOON, SECRET, hubspot_settings, settings_json
from tests.crm.world import KEY, publish_to


async def _put(
    database: Database,
    *,
    tenant_id: str = "acme",
    connection_id: str = "new",
    secret: str | None = SECRET,
    key: str | None = KEY,
    **changes: Any,
) -> tuple[Connection, bool]:
    change = Change(connection_id, HubspotSettings.model_validate(settings_json(**changes)), secret)
    return await put(database, Processes(), tenant_id, change, key=key, now=NOON)


async def _wrong(database: Database, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(WrongConnection) as refusal:
        await _put(database, **changes)
    assert await read(database, "acme", "new") is None
    return [(".".join(one.loc), one.type) for one in refusal.value.errors]


async def test_a_connection_is_stored_and_shown_without_its_secret(database: Database) -> None:
    stored, new = await _put(database)
    assert (new, stored) == (True, Connection("new", hubspot_settings(), NOON, NOON))
    assert await read(database, "acme", "new") == stored
    assert [one.connection_id for one in await list_all(database, "acme")] == ["hs", "new"]
    shown = document(stored)
    assert (shown["id"], shown["crm"], shown["secret_set"], shown["webhook"]) == (
        "new",
        "hubspot",
        True,
        "/webhooks/new",
    )
    assert SECRET not in str(shown)


async def test_at_rest_the_secret_is_encrypted(database: Database) -> None:
    await _put(database)
    row = await read_connection(database, "acme", "new")
    assert row is not None
    assert SECRET not in str(row)
    assert decrypt(KEY, row.secret_ciphertext) == SECRET


async def test_without_a_secret_the_stored_one_stays_and_with_one_it_is_replaced(database: Database) -> None:
    assert await _wrong(database, secret=None) == [("secret", "missing")]
    await _put(database)
    _, new = await _put(database, secret=None, key=None, portal_id=7)
    row = await read_connection(database, "acme", "new")
    assert row is not None
    assert (new, decrypt(KEY, row.secret_ciphertext)) == (False, SECRET)
    await _put(database, secret="another")
    row = await read_connection(database, "acme", "new")
    assert row is not None
    assert decrypt(KEY, row.secret_ciphertext) == "another"


async def test_without_a_key_no_secret_is_stored(database: Database) -> None:
    assert await _wrong(database, key=None) == [("secret", "secret_without_key")]


async def test_everything_that_does_not_fit_is_told_at_once_with_its_place(database: Database) -> None:
    pipelines = {
        "p1": {"process": "sales", "stages": {"a": "demo_scheduled", "b": "no_such"}},
        "p2": {"process": "renewals", "stages": {"c": "due"}},
    }
    fields = {
        "amount": {"field": "amount", "type": "text"},
        "x": {"field": "no_such"},
        "note": {"field": "next_step", "choices": {"A": "a"}},
    }
    people = {"1": {"id": "rep-1", "roles": ["rep", "boss"]}}
    assert await _wrong(database, pipelines=pipelines, fields=fields, people=people, secret=None) == [
        ("pipelines.p1.stages.b", "mapping_unknown_stage"),
        ("fields.amount.type", "mapping_field_type"),
        ("fields.x.field", "mapping_unknown_field"),
        ("fields.note.choices.A", "mapping_unknown_choice"),
        ("people.1.roles", "mapping_unknown_role"),
        ("secret", "missing"),
    ]


async def test_processes_and_versions_must_have_been_published(database: Database) -> None:
    pipelines = {
        "p1": {"process": "no_such", "stages": {"a": "new"}},
        "p2": {"process": "sales", "version": 9, "stages": {"a": "new"}},
    }
    assert await _wrong(database, pipelines=pipelines) == [
        ("pipelines.p1.process", "mapping_unknown_process"),
        ("pipelines.p2.version", "mapping_unknown_version"),
    ]


async def test_the_type_of_a_field_is_the_process_s_own_when_it_is_not_said(database: Database) -> None:
    stored, _ = await _put(database, fields={"amount": {"field": "amount"}, "note": {"field": "next_step"}})
    assert {name: mapping.type for name, mapping in stored.settings.fields.items()} == {
        "amount": "number",
        "note": "text",
    }


async def test_an_id_that_another_tenant_has_is_refused_and_nothing_of_theirs_is_seen(database: Database) -> None:
    await database.transaction(lambda tx: insert_tenant(tx, Tenant("globex", "Globex", NOON)))
    assert await read(database, "globex", "hs") is None
    assert await list_all(database, "globex") == []
    await publish_to(database, "globex")
    with pytest.raises(ConnectionTaken):
        await _put(database, tenant_id="globex", connection_id="hs")


def test_a_secret_opens_with_its_own_key_alone() -> None:
    sealed = encrypt(KEY, SECRET)
    assert decrypt(KEY, sealed) == SECRET
    with pytest.raises(WrongKey):
        decrypt("A" * 43 + "=", sealed)
    with pytest.raises(NoKey):
        decrypt(None, sealed)


def test_with_several_keys_the_first_encrypts_and_each_decrypts() -> None:
    newer = "B" * 43 + "="
    old = encrypt(KEY, SECRET)
    both = f"{newer},{KEY}"
    assert [decrypt(both, old), decrypt(both, encrypt(both, SECRET)), decrypt(newer, encrypt(both, SECRET))] == [
        SECRET
    ] * 3
    with pytest.raises(WrongKey):
        decrypt(KEY, encrypt(both, SECRET))
