"""Connections: checked against the processes they name, stored with a secret that never comes out again."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app.crm.hubspot import HubspotSettings
from app.crm.secrets import NoKey, WrongKey, decrypt, encrypt
from app.services.connection_gaps import mapping_gaps
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
from app.store.connections import put_connection, read_connection
from app.store.database import Database, Transaction
from app.store.deliveries import read_delivery
from app.store.processes import ProcessVersion, lock_process, publish
from app.store.tenants import Tenant, insert_tenant
from tests.crm.builders import NOON, SECRET, body_of, hubspot_settings, settings_json, stage_change
from tests.crm.world import KEY, deliver, publish_to, work_off


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


async def test_a_process_is_followed_in_one_version(database: Database) -> None:
    await _publish(database, "own", "")
    await _publish(database, "own", "", number=2)
    pipelines: dict[str, Any] = {
        name: {"process": "own", "version": version, "stages": {name: "new"}}
        for name, version in (("a", 1), ("b", 1), ("c", 2), ("d", None))
    }
    assert await _wrong(database, pipelines=pipelines, fields={}, people={}) == [
        ("pipelines.c.version", "mapping_two_versions"),
        ("pipelines.d.version", "mapping_two_versions"),
    ]


async def test_a_person_with_other_roles_under_another_id_is_told(database: Database) -> None:
    people = {"1": {"id": "ana", "roles": ["rep"]}, "2": {"id": "ana"}, "3": {"id": "bo"}, "4": {"id": "bo"}}
    found = await _gaps(database, hubspot_settings(people=people))
    assert [one for one in found if one[0].startswith("people")] == [("people.2.roles", "roles_differ", False)]


async def test_the_type_of_a_field_is_the_process_s_own_when_it_is_not_said(database: Database) -> None:
    stored, _ = await _put(database, fields={"amount": {"field": "amount"}, "note": {"field": "next_step"}})
    assert {name: mapping.type for name, mapping in stored.settings.fields.items()} == {
        "amount": "number",
        "note": "text",
    }


async def test_what_any_of_several_processes_knows_of_a_field_may_be_mapped(database: Database) -> None:
    """Each of them has a field `plan` of its own: other choices, or even another type."""
    await _publish(database, "first", "fields: [{key: plan, type: choice, choices: [basic]}]")
    await _publish(database, "second", "fields: [{key: plan, type: choice, choices: [basic, pro]}]")
    pipelines = {
        "1": {"process": "first", "stages": {"a": "new"}},
        "2": {"process": "second", "stages": {"b": "new"}},
    }
    choices = {"B": "basic", "P": "pro", "X": "gold"}
    fields = {"plan": {"field": "plan", "choices": choices}}
    assert await _wrong(database, pipelines=pipelines, fields=fields, people={}) == [
        ("fields.plan.choices.X", "mapping_unknown_choice")
    ]
    await _publish(database, "third", "fields: [{key: plan, type: text}]")
    pipelines["3"] = {"process": "third", "stages": {"c": "new"}}
    stored, _ = await _put(database, pipelines=pipelines, fields={"plan": {"field": "plan", "type": "text"}}, people={})
    assert stored.settings.fields["plan"].type == "text"


async def _publish(database: Database, key: str, more: str, *, number: int = 1, stages: str = "{key: new}") -> None:
    source = f"process: {key}\n{more}\nstages: [{stages}, {{key: won, kind: won}}]\npath: [won]\n"

    async def work(tx: Transaction) -> None:
        await lock_process(tx, "acme", key, NOON)
        row = ("acme", key, number, f"sha256:{key}{number}", "application/yaml", source, "[]", NOON, None)
        await publish(tx, ProcessVersion(*row))

    await database.transaction(work)


async def _gaps(database: Database, settings: HubspotSettings) -> list[tuple[str, str, bool]]:
    found = await mapping_gaps(database, Processes(), "acme", "hs", settings)
    return [(".".join(one.place), one.code, one.refused) for one in found]


async def test_what_a_newer_version_has_taken_away_is_listed(database: Database) -> None:
    await _publish(database, "own", "fields: [{key: plan, type: text}]")
    pipelines = {"1": {"process": "own", "stages": {"a": "new", "w": "won"}}}
    stored, _ = await _put(database, pipelines=pipelines, fields={"plan": {"field": "plan"}}, people={})
    settings = HubspotSettings.model_validate(stored.settings.model_dump())
    assert await _gaps(database, settings) == []
    await _publish(database, "own", "fields: [{key: plan, type: number}]", number=2, stages="{key: fresh}")
    assert await _gaps(database, settings) == [
        ("pipelines.1.stages.a", "mapping_unknown_stage", True),
        ("fields.plan.type", "mapping_field_type", True),
        ("pipelines.1.stages", "stage_not_mapped", False),
    ]


async def test_deals_that_stand_in_a_stage_that_is_not_mapped_are_counted(database: Database) -> None:
    """Those that were never anywhere else too: a stage new in the CRM is where new deals begin."""
    moves = [("x", 1, 0), ("x", 2, 0), ("y", 3, 0), ("appointmentscheduled", 3, 1), ("appointmentscheduled", 4, 0)]
    moves += [("x", 4, 1), ("y", 4, 2)]
    for stage, deal, minute in moves:
        at = NOON + timedelta(minutes=minute)
        await deliver(database, body_of(stage_change(stage, deal=deal, at=at)), at=at)
        await work_off(database, at=at)
    found = await mapping_gaps(database, Processes(), "acme", "hs", hubspot_settings())
    told = [one.params for one in found if one.code == "deals_in_unmapped_stage"]
    assert told == [{"stage": "x", "count": 2}, {"stage": "y", "count": 1}]


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


async def test_what_was_put_when_there_were_fewer_rules_is_read_and_worked_with(database: Database) -> None:
    """Else a newer version of ours would refuse its deliveries, and show nobody any connection."""
    stored = await read_connection(database, "acme", "hs")
    assert stored is not None
    older = {
        "reconcile": "30s", "api_url": "https://me:word@crm.example.com",
        "approvals": {"dealstage": {"role": "sales_manager"}},
    }  # fmt: skip
    row = stored._replace(settings=json.dumps({**json.loads(stored.settings), **older}))
    await database.transaction(lambda tx: put_connection(tx, row))
    (found,) = await list_all(database, "acme")
    shown = document(found)
    assert {name: shown[name] for name in older} == {**older, "reconcile": "1m"}
    delivery_id = await deliver(database, body_of(stage_change("qualifiedtobuy")))
    await work_off(database)
    delivery = await read_delivery(database, "acme", delivery_id)
    assert (delivery and delivery.status) == "processed"
