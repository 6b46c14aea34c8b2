"""Dynamics' Web API through our client: a deal read back, what is written, and what comes instead of an answer."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from app.crm.client import ClientError, Note, Page, Standing, Task
from app.crm.drafting import drafted
from app.crm.dynamics import DynamicsClient, configuration, read
from app.engine import load_process
from app.i18n.texts import texts
from tests.crm.builders import NOON
from tests.crm.fakes.base import Answer
from tests.crm.fakes.dynamics import PROCESS, FakeDynamics, problem
from tests.crm.fakes.dynamics_steps import ORGANIZATION, OURS, REP, body_of, dynamics_settings, guid
from tests.crm.http import PlainHttp
from tests.crm.orders import at
from tests.crm.test_pipedrive_client import Kept
from tests.crm.world import SALES

DEAL, CONTACT = guid(42), guid(9)
MARKER = "[stagerail:0123456789ab]"
TASK = Task(MARKER, "Hold the demo", f"why {MARKER}", date(2026, 12, 1), REP)
APP = {"access_token": "token-1", "client_id": "c", "client_secret": "client-secret"}
FLOW: dict[str, Any] = {
    "stage_property": "activestageid",
    "process_table": "opportunitysalesprocess",
    "pipelines": {PROCESS: {"process": "sales", "stages": {guid(301): "demo_scheduled", guid(302): "demo_completed"}}},
}


@pytest.fixture
async def crm() -> AsyncIterator[FakeDynamics]:
    """Give an organisation with one deal."""
    async with FakeDynamics(lambda: NOON) as one:
        one.make_deal(42, at=at(0), estimatedvalue=7.5, new_nextstep="call", _parentcontactid_value=CONTACT)
        one.change(42, at=at(5), salesstagecode=2, estimatedvalue=9)
        yield one


@pytest.fixture
async def http() -> AsyncIterator[PlainHttp]:
    """Give a way to ask."""
    async with PlainHttp(seconds=1) as one:
        yield one


def client(
    crm: FakeDynamics, http: PlainHttp, kept: Kept | None = None, *, settings: Any = None, **credentials: str
) -> DynamicsClient:
    known = {"api_url": crm.url, "token_url": f"{crm.url}/tenant/oauth2/v2.0/token", **(settings or {})}
    return DynamicsClient(dynamics_settings(**known), credentials or {"access_token": crm.token}, http, kept or Kept())


async def test_a_deal_is_read_back_with_its_way_and_its_facts(crm: FakeDynamics, http: PlainHttp) -> None:
    crm.log("appointment", 42, at=at(3), appointment_activity_parties=[
        {"_partyid_value": CONTACT, "_partyid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact"},
        {"_partyid_value": REP, "_partyid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser"},
    ])  # fmt: skip
    crm.connect(42, guid(10), "Decision maker", at=at(4))
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert [(one.kind, one.name, one.value, one.previous, one.at, one.by) for one in told.events] == [
        ("created", None, None, None, at(0), None),
        ("changed", "estimatedvalue", "7.5", None, at(0), REP),
        ("changed", "new_nextstep", "call", None, at(0), REP),
        ("changed", "ownerid", REP, None, at(0), REP),
        ("changed", "salesstagecode", "0", None, at(0), REP),
        ("changed", "estimatedvalue", "9", "7.5", at(5), REP),
        ("changed", "salesstagecode", "2", "0", at(5), REP),
        ("seen", "processid", None, None, at(5), None),
    ]
    assert [one.value for one in told.facts if one.value and "activity" not in one.value] == [
        {"id": guid(10), "role": "champion"}, {"id": CONTACT}
    ]  # fmt: skip
    [activity] = [one.value for one in told.facts if one.value and "activity" in one.value]
    assert (activity["activity"], activity["contacts"], activity["outcome"]) == ("demo", [CONTACT], "held")
    assert set(told.complete) == {"activities", "contacts", "fields", "stage_history"}


async def test_what_is_read_back_is_known_from_the_steps_already(crm: FakeDynamics, http: PlainHttp) -> None:
    steps = [crm.make_deal(50, at=at(0), estimatedvalue=1)]
    steps += [crm.change(50, at=at(1), salesstagecode=2), crm.close(50, at=at(2), won=False)]
    steps += [crm.change(50, at=at(3), statecode=0, salesstagecode=0, estimatedvalue=3), crm.close(50, at=at(4))]
    by_step = {one.key for step in steps for one in read(body_of(step), dynamics_settings()).events}
    told = await client(crm, http).read_deal(guid(50), NOON)
    assert {one.key for one in told.events if one.kind != "seen"} == by_step
    assert [one.value for one in told.events if one.name == "salesstagecode"] == ["0", "2", "lost", "0", "won"]


async def test_without_an_audit_what_is_so_is_seen(crm: FakeDynamics, http: PlainHttp) -> None:
    crm.audited = False
    told = await client(crm, http).read_deal(DEAL, NOON)
    seen = [(one.name, one.value, one.at) for one in told.events if one.kind == "seen"]
    assert ("salesstagecode", "2", at(5)) in seen
    assert set(told.complete) == {"activities", "contacts", "fields"}


async def test_a_field_that_was_emptied_is_told_as_empty(crm: FakeDynamics, http: PlainHttp) -> None:
    crm.audited = False
    crm.change(42, at=at(7), new_nextstep=None)
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert [(one.kind, one.value, one.at) for one in told.events if one.name == "new_nextstep"] == [
        ("seen", None, at(7))
    ]


async def test_an_audit_that_leaves_out_a_column_is_not_taken_for_its_history(
    crm: FakeDynamics, http: PlainHttp
) -> None:
    for one in crm.audit[DEAL]:
        one["NewValue"].pop("salesstagecode", None)
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert "stage_history" not in told.complete
    assert [(one.kind, one.value) for one in told.events if one.name == "salesstagecode"] == [("seen", "2")]


async def test_an_audit_that_begins_later_tells_what_was_before_it(crm: FakeDynamics, http: PlainHttp) -> None:
    del crm.audit[DEAL][-1]
    told = await client(crm, http).read_deal(DEAL, NOON)
    [stage] = [one for one in told.events if one.name == "salesstagecode"]
    assert (stage.value, stage.previous, "stage_history" in told.complete) == ("2", "0", False)


async def test_a_long_audit_comes_page_by_page(crm: FakeDynamics, http: PlainHttp) -> None:
    crm.page = 20
    for number in range(90):
        crm.change(42, at=at(10 + number), salesstagecode=2 * (number % 2))
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert len([one for one in told.events if one.name == "salesstagecode"]) == 92


async def test_changes_within_one_second_keep_their_order(crm: FakeDynamics, http: PlainHttp) -> None:
    for stage in (0, 9, 0, 2):
        crm.change(42, at=at(9), salesstagecode=stage)
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert [one.value for one in told.events if one.name == "salesstagecode"][-4:] == ["0", "9", "0", "2"]


async def test_a_process_flow_is_read_and_moved(crm: FakeDynamics, http: PlainHttp) -> None:
    crm.flow(42, guid(301), at=at(6))
    crm.flow(42, guid(302), at=at(7))
    one = client(crm, http, settings=FLOW)
    told = await one.read_deal(DEAL, NOON)
    assert [(event.kind, event.value, event.at) for event in told.events if event.name == "activestageid"] == [
        ("changed", guid(302), at(7))
    ]
    assert await one.standing(DEAL) == Standing(PROCESS, guid(302))
    await one.set_stage(DEAL, Standing(PROCESS, guid(301)))
    assert (await one.standing(DEAL), crm.flows[DEAL]["traversedpath"]) == (Standing(PROCESS, guid(301)), guid(301))


async def test_a_deal_that_is_gone_is_told(crm: FakeDynamics, http: PlainHttp) -> None:
    one = client(crm, http)
    for gone in (guid(404), "no id", f"{DEAL})/x("):
        assert (await one.read_deal(gone, NOON)).gone == "deleted"
        assert await one.standing(gone) is None
    with pytest.raises(ClientError, match="client_not_found"):
        await one.add_note("x) or (y", Note(MARKER, "x"))


async def test_notes_and_tasks_are_left_and_found_again(crm: FakeDynamics, http: PlainHttp) -> None:
    one = client(crm, http)
    crm.page = 3
    for number in range(10):
        crm.rows["annotations"].append({"_objectid_value": DEAL, "notetext": f"note {number}"})
    assert not await one.has_note(DEAL, MARKER)
    await one.add_note(DEAL, Note(MARKER, f"Hold the demo\nmissing {MARKER}"))
    assert await one.has_note(DEAL, MARKER)
    assert crm.rows["annotations"][-1]["subject"] == "Hold the demo"
    assert not await one.has_task(DEAL, MARKER)
    await one.add_task(DEAL, TASK)
    await one.add_task(DEAL, TASK._replace(owner=None))
    assert await one.has_task(DEAL, MARKER)
    found = [(row["subject"], row["scheduledend"], row["_ownerid_value"]) for row in crm.rows["tasks"]]
    assert found == [("Hold the demo", "2026-12-01T17:00:00Z", REP)] * 2
    crm.no_tasks_for.add(REP)
    await one.add_task(DEAL, TASK)
    assert crm.rows["tasks"][-1]["_ownerid_value"] is None


async def test_a_deal_is_put_where_it_belongs_and_closed_by_its_actions(crm: FakeDynamics, http: PlainHttp) -> None:
    one = client(crm, http)
    assert await one.standing(DEAL) == Standing(None, "2")
    await one.set_stage(DEAL, Standing(None, "0"))
    assert (await one.standing(DEAL), crm.audit[DEAL][0]["AuditRecord"]["_userid_value"]) == (Standing(None, "0"), OURS)
    for stage in ("won", "0", "lost", "2"):
        await one.set_stage(DEAL, Standing(None, stage))
        assert await one.standing(DEAL) == Standing(None, stage)
    paths = [call.path.rpartition("/")[2] for call in crm.calls if call.method != "GET"]
    row = f"opportunities({DEAL})"
    assert paths == [row, "WinOpportunity", row, row, "LoseOpportunity", row, row]


async def test_success_that_changed_nothing_is_told(crm: FakeDynamics, http: PlainHttp) -> None:
    crm.inert = True
    with pytest.raises(ClientError, match="client_without_effect"):
        await client(crm, http).set_stage(DEAL, Standing(None, "0"))


async def test_deals_are_listed_page_by_page_since_a_time(crm: FakeDynamics, http: PlainHttp) -> None:
    for number in range(100, 450):
        crm.make_deal(number, at=at(60))
    one = client(crm, http)
    first = await one.list_deals(at(30), None)
    second = await one.list_deals(at(30), first.cursor)
    assert (len(first.ids), len(second.ids), second.cursor) == (200, 150, "deleted:")
    assert DEAL not in (*first.ids, *second.ids)
    everything = await one.list_deals(None, None)
    assert (len(everything.ids), (await one.list_deals(None, everything.cursor)).cursor) == (200, None)


@pytest.mark.parametrize(("audited", "told"), [(True, (DEAL,)), (False, ())])
async def test_what_was_deleted_since_is_told_by_the_audit(
    crm: FakeDynamics, http: PlainHttp, audited: bool, told: tuple[str, ...]
) -> None:
    one = client(crm, http)
    crm.make_deal(43, at=at(0))
    crm.delete(43, at=at(20))
    crm.delete(42, at=at(60))
    crm.audited = audited
    first = await one.list_deals(at(30), None)
    assert (first, (await one.list_deals(at(30), first.cursor))) == (Page((), "deleted:"), Page(told, None))
    assert (await one.read_deal(DEAL, NOON)).gone == "deleted"


async def test_a_token_that_has_run_out_is_made_anew_and_kept(crm: FakeDynamics, http: PlainHttp) -> None:
    kept = Kept()
    crm.expire_token()
    assert await client(crm, http, kept, **APP).standing(DEAL) is not None
    assert kept.last == {**APP, "access_token": "token-2", "scope": f"{crm.url}/.default"}
    without = {name: value for name, value in APP.items() if name != "access_token"}
    assert await client(crm, http, Kept(), **without).standing(DEAL) is not None
    with pytest.raises(ClientError, match="client_token_refused"):
        await client(crm, http, Kept(), **{**APP, "client_secret": "x"}).standing(DEAL)


async def test_without_an_address_nothing_is_asked(http: PlainHttp) -> None:
    one = DynamicsClient(dynamics_settings(), {"access_token": "t"}, http, Kept())
    for asking in (one.standing(DEAL), one.add_note(DEAL, Note(MARKER, "x")), one.list_deals(None, None)):
        with pytest.raises(ClientError, match="client_no_address"):
            await asking


@pytest.mark.parametrize(
    ("answer", "code", "again", "after"),
    [
        (problem(429, {"retry-after": "7"}), "client_throttled", True, 7),
        (problem(503, {"retry-after": "30"}), "client_failing", True, 30),
        (problem(500), "client_failing", True, None),
        (problem(403), "client_forbidden", False, None),
        (problem(400), "client_refused", False, None),
        (Answer(203, b"<html>"), "client_unreadable", True, None),
        (Answer(204), "client_unreadable", True, None),
    ],
)
async def test_errors_are_told_apart_and_have_words(  # noqa: PLR0917 - two fixtures, and the case
    crm: FakeDynamics, http: PlainHttp, answer: Answer, code: str, again: bool, after: float | None
) -> None:
    crm._next.append(answer)
    with pytest.raises(ClientError) as refusal:
        await client(crm, http).list_deals(None, None)
    assert (refusal.value.code, refusal.value.again, refusal.value.after) == (code, again, after)
    for locale in ("en", "it"):
        assert "{" not in texts(locale).text(f"outbox.{code}", **refusal.value.params)


def labelled(name: str, label: str) -> dict[str, Any]:
    return {name: {"UserLocalizedLabel": {"Label": label}}}


async def test_a_mapping_is_drafted_by_equal_names(crm: FakeDynamics, http: PlainHttp) -> None:
    options = [
        {"Value": value, **labelled("Label", label)} for value, label in ((0, "Demo scheduled"), (1, "Haggling"))
    ]
    crm.more["picklists"] = [{"LogicalName": "salesstagecode", "OptionSet": {"Options": options}}]
    crm.more["attributes"] = [
        {"LogicalName": "salesstagecode", "AttributeType": "Picklist", **labelled("DisplayName", "Stage")},
        {"LogicalName": "new_nextstep", "AttributeType": "String", **labelled("DisplayName", "Next step")},
        {"LogicalName": "amount", "AttributeType": "Money", "DisplayName": None},
    ]
    crm.more["systemusers"] = [{"systemuserid": REP, "fullname": "Ana Rossi"}]
    process = load_process(SALES, source="sales.yaml")
    draft = drafted("dynamics", configuration(await client(crm, http).configuration()), process)
    assert draft.settings == {
        "crm": "dynamics",
        "organization_id": ORGANIZATION,
        "pipelines": {
            "all": {"process": "sales", "stages": {"0": "demo_scheduled", "won": "won", "lost": "lost"}}
        },
        "fields": {
            "amount": {"field": "amount", "type": "number"}, "new_nextstep": {"field": "next_step", "type": "text"},
        },
        "people": {REP: {"id": "ana-rossi"}},
    }  # fmt: skip
    assert {"place": "pipelines.all.stages.1", "label": "Haggling"} in draft.left
    crm.more["processstages"] = [
        {"processstageid": guid(302), "stagename": "Demo completed", "stagecategory": 1, "_processid_value": PROCESS},
        {"processstageid": guid(301), "stagename": "Demo scheduled", "stagecategory": 0, "_processid_value": PROCESS},
    ]
    flows = configuration(await client(crm, http, settings=FLOW).configuration()).pipelines
    assert [(one.id, [stage.id for stage in one.stages]) for one in flows] == [
        (PROCESS, [guid(301), guid(302), "won", "lost"])
    ]
