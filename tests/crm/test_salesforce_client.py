"""Salesforce's API through our client: a deal read back, what is written, and what comes instead of an answer."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from app.crm.client import ClientError, Note, Standing, Task
from app.crm.drafting import drafted
from app.crm.salesforce import SalesforceClient, configuration, read
from app.engine import load_process
from app.i18n.texts import texts
from tests.crm.builders import NOON
from tests.crm.fakes.base import Answer
from tests.crm.fakes.salesforce import OURS, REP, FakeSalesforce, deal_id, problem
from tests.crm.fakes.salesforce_messages import body_of, salesforce_settings
from tests.crm.http import PlainHttp
from tests.crm.orders import at
from tests.crm.test_pipedrive_client import Kept
from tests.crm.world import SALES

DEAL, TYPE, CONTACT = deal_id(42), "012000000000001AAA", "003000000000009AAA"
MARKER = "[stagerail:0123456789ab]"
TASK = Task(MARKER, "Hold the demo", f"why {MARKER}", date(2026, 12, 1), REP)
OAUTH = {"access_token": "token-1", "refresh_token": "refresh-1", "client_id": "c"}


@pytest.fixture
async def crm() -> AsyncIterator[FakeSalesforce]:
    """Give an organisation with one deal."""
    async with FakeSalesforce(lambda: NOON) as one:
        one.make_deal(42, at=at(0), Amount=7.0, NextStep="call")
        one.change(42, at=at(5), StageName="Proposal/Quote", Amount=9.0)
        one.add_role(42, CONTACT, "Decision Maker", at=at(1))
        yield one


@pytest.fixture
async def http() -> AsyncIterator[PlainHttp]:
    """Give a way to ask."""
    async with PlainHttp(seconds=1) as one:
        yield one


def client(crm: FakeSalesforce, http: PlainHttp, kept: Kept | None = None, **credentials: str) -> SalesforceClient:
    settings = salesforce_settings(api_url=crm.url, token_url=f"{crm.url}/services/oauth2/token")
    return SalesforceClient(settings, credentials or {"access_token": crm.token}, http, kept or Kept())


async def test_a_deal_is_read_back_with_its_way_and_its_facts(crm: FakeSalesforce, http: PlainHttp) -> None:
    crm.add_task(42, at=at(3), CallDisposition="Held")
    crm.add_event(42, at=at(4))
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert [(one.kind, one.name, one.value, one.previous, one.at, one.by) for one in told.events] == [
        ("created", None, None, None, at(0), None),
        ("changed", "StageName", "Prospecting", None, at(0), REP),
        ("changed", "StageName", "Proposal/Quote", "Prospecting", at(5), REP),
        ("changed", "Amount", "9.0", "7.0", at(5), REP),
        ("seen", "RecordTypeId", TYPE, None, at(0), None),
        ("seen", "NextStep", "call", None, at(5), None),
        ("seen", "OwnerId", REP, None, at(5), None),
    ]
    assert [one.value and one.value.get("activity", one.value.get("role")) for one in told.facts] == [
        "call", "demo", "champion"
    ]  # fmt: skip
    assert told.complete == {"activities", "contacts", "fields", "stage_history"}


async def test_what_is_read_back_is_known_from_the_changes_already(crm: FakeSalesforce, http: PlainHttp) -> None:
    changes = [crm.make_deal(50, at=at(0), Amount=1.0)]
    changes += [crm.change(50, at=at(2 + number), StageName=stage, Amount=float(number))
                for number, stage in enumerate(("Closed Won", "Prospecting", "Closed Lost"))]  # fmt: skip
    for change in changes:
        change["payload"]["ChangeEventHeader"]["commitTimestamp"] += 321
    by_change = {one.key for change in changes for one in read(body_of(change), salesforce_settings()).events}
    told = await client(crm, http).read_deal(deal_id(50), NOON)
    assert {one.key for one in told.events if one.kind != "seen"} <= by_change


async def test_several_changes_within_one_second_keep_their_order(crm: FakeSalesforce, http: PlainHttp) -> None:
    for stage in ("Closed Won", "Proposal/Quote", "Prospecting", "Proposal/Quote"):
        crm.change(42, at=at(9), StageName=stage)
    told = await client(crm, http).read_deal(DEAL, NOON)
    stages = [one for one in told.events if one.name == "StageName"]
    assert [one.value for one in sorted(stages, key=lambda one: one.at)][-4:] == [
        "Closed Won", "Proposal/Quote", "Prospecting", "Proposal/Quote"
    ]  # fmt: skip


async def test_histories_come_page_by_page(crm: FakeSalesforce, http: PlainHttp) -> None:
    crm.page = 7
    for number in range(30):
        crm.change(42, at=at(10 + number), StageName=("Closed Won", "Prospecting")[number % 2])
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert len([one for one in told.events if one.name == "StageName"]) == 32
    crm.page = 1
    for number in range(110):
        crm.change(42, at=at(100 + number), StageName=("Closed Won", "Prospecting")[number % 2])
    with pytest.raises(ClientError, match="client_endless"):
        await client(crm, http).read_deal(DEAL, NOON)


async def test_owners_and_record_types_are_told_by_their_ids_in_the_history(
    crm: FakeSalesforce, http: PlainHttp
) -> None:
    crm.change(42, at=at(6), OwnerId=OURS, RecordTypeId="012000000000002AAA")
    row = next(one for one in crm.tables["OpportunityFieldHistory"] if one["Field"] == "Owner")
    crm.tables["OpportunityFieldHistory"].append({**row, "OldValue": "Ana Rossi", "NewValue": "Leo Neri"})
    told = await client(crm, http).read_deal(DEAL, NOON)
    found = [(one.name, one.value, one.previous) for one in told.events if one.name in ("OwnerId", "RecordTypeId")]
    assert found == [("OwnerId", OURS, REP), ("RecordTypeId", "012000000000002AAA", TYPE)]


async def test_what_may_not_be_read_is_not_complete_and_takes_nothing_with_it(
    crm: FakeSalesforce, http: PlainHttp
) -> None:
    crm.missing_tables = {"OpportunityHistory", "OpportunityFieldHistory", "Task", "OpportunityContactRole"}
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert (set(told.complete), told.facts) == ({"fields"}, ())
    assert ("seen", "StageName", "Proposal/Quote") in [(one.kind, one.name, one.value) for one in told.events]


async def test_a_field_that_was_emptied_is_told_as_empty(crm: FakeSalesforce, http: PlainHttp) -> None:
    crm.missing_tables = {"OpportunityFieldHistory"}
    crm.change(42, at=at(7), NextStep=None)
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert [(one.kind, one.value, one.at) for one in told.events if one.name == "NextStep"] == [("seen", None, at(7))]


async def test_what_is_not_mapped_is_not_asked_for(crm: FakeSalesforce, http: PlainHttp) -> None:
    settings = salesforce_settings(api_url=crm.url, activities={}, contact_roles={})
    told = await SalesforceClient(settings, {"access_token": crm.token}, http, Kept()).read_deal(DEAL, NOON)
    assert (set(told.complete), told.facts) == ({"fields", "stage_history"}, ())
    assert [call for call in crm.calls if "FROM Task" in call.query.get("q", "")] == []


async def test_an_event_of_the_calendar_took_place_once_it_is_over(crm: FakeSalesforce, http: PlainHttp) -> None:
    begins = NOON.replace(hour=11)
    crm.add_event(42, at=at(4), StartDateTime=begins.isoformat(), EndDateTime=NOON.isoformat())
    before, after = [await client(crm, http).read_deal(DEAL, now) for now in (NOON.replace(hour=11, minute=59), NOON)]
    found = [next(one for one in told.facts if one.group == "activity") for told in (before, after)]
    assert [(one.at, one.value and one.value["status"]) for one in found] == [(at(4), "planned"), (NOON, "done")]


async def test_a_deal_that_is_gone_is_told(crm: FakeSalesforce, http: PlainHttp) -> None:
    one = client(crm, http)
    for gone in (deal_id(404), "no id", "x' OR Name != '"):
        assert (await one.read_deal(gone, NOON)).gone == "deleted"
        assert await one.standing(gone) is None


async def test_notes_and_tasks_are_left_and_found_again(crm: FakeSalesforce, http: PlainHttp) -> None:
    one = client(crm, http)
    assert not await one.has_note(DEAL, MARKER)
    await one.add_note(DEAL, Note(MARKER, f"Hold the demo\nit's missing {MARKER}"))
    await one.add_note(DEAL, Note("[stagerail:fff]", "x" * 40_000))
    assert await one.has_note(DEAL, MARKER)
    assert await one.has_note(DEAL, "[stagerail:fff]")
    assert (crm.tables["Note"][0]["Title"], len(crm.tables["Note"][1]["Body"])) == ("Hold the demo", 32_000)
    assert not await one.has_task(DEAL, MARKER)
    await one.add_task(DEAL, TASK)
    await one.add_task(DEAL, TASK._replace(owner=None))
    assert await one.has_task(DEAL, MARKER)
    found = [(row["Subject"], row["ActivityDate"], row["OwnerId"]) for row in crm.tables["Task"]]
    assert found == [("Hold the demo", "2026-12-01", REP)] * 2


async def test_an_owner_who_cannot_have_tasks_gets_none(crm: FakeSalesforce, http: PlainHttp) -> None:
    crm.no_tasks_for.add(REP)
    await client(crm, http).add_task(DEAL, TASK)
    assert [row.get("OwnerId") for row in crm.tables["Task"]] == [None]


async def test_a_deal_is_put_where_it_belongs(crm: FakeSalesforce, http: PlainHttp) -> None:
    one = client(crm, http)
    assert await one.standing(DEAL) == Standing(TYPE, "Proposal/Quote")
    await one.set_stage(DEAL, Standing(TYPE, "Prospecting"))
    assert (await one.standing(DEAL), crm.deal(42)["LastModifiedById"]) == (Standing(TYPE, "Prospecting"), OURS)
    assert [call.json for call in crm.calls if call.method == "PATCH"] == [{"StageName": "Prospecting"}]
    await one.set_stage(DEAL, Standing("012000000000002AAA", "Prospecting"))
    assert await one.standing(DEAL) == Standing("012000000000002AAA", "Prospecting")


async def test_success_that_changed_nothing_is_told(crm: FakeSalesforce, http: PlainHttp) -> None:
    crm.inert = True
    with pytest.raises(ClientError, match="client_without_effect"):
        await client(crm, http).set_stage(DEAL, Standing(TYPE, "Prospecting"))


async def test_deals_are_listed_page_by_page_since_a_time(crm: FakeSalesforce, http: PlainHttp) -> None:
    for number in range(100, 450):
        crm.make_deal(number, at=at(60))
    one = client(crm, http)
    first = await one.list_deals(at(30), None)
    second = await one.list_deals(at(30), first.cursor)
    assert (len(first.ids), first.total, len(second.ids), second.cursor, second.total) == (200, 350, 150, None, None)
    assert len({*first.ids, *second.ids} - {DEAL}) == 350
    assert (await one.list_deals(None, None)).total == 351


async def test_activities_that_were_archived_count_and_deleted_ones_are_gone(
    crm: FakeSalesforce, http: PlainHttp
) -> None:
    crm.add_event(42, at=at(4), IsArchived=True)
    crm.add_event(42, at=at(6), IsDeleted=True)
    told = await client(crm, http).read_deal(DEAL, NOON)
    assert [(one.at, one.value is None) for one in told.facts if one.group == "activity"] == [
        (at(4), False), (at(6), True)
    ]  # fmt: skip


@pytest.mark.parametrize(("acts_as", "said"), [("Stagerail", "client=Stagerail"), (OURS, None), (None, None)])
async def test_what_we_write_names_our_client_where_changes_are_to_tell_us_by_it(
    crm: FakeSalesforce, http: PlainHttp, acts_as: str | None, said: str | None
) -> None:
    settings = salesforce_settings(api_url=crm.url, acts_as=acts_as)
    one = SalesforceClient(settings, {"access_token": crm.token}, http, Kept())
    await one.set_stage(DEAL, Standing(None, "Closed Won"))
    [patch] = [call for call in crm.calls if call.method == "PATCH"]
    assert patch.headers.get("sforce-call-options") == said


async def test_what_was_deleted_since_is_listed_too_and_read_back_as_gone(crm: FakeSalesforce, http: PlainHttp) -> None:
    one = client(crm, http)
    crm.delete(42, at=at(60))
    listed = await one.list_deals(at(30), None)
    assert (listed.ids, listed.total, (await one.read_deal(DEAL, NOON)).gone) == ((DEAL,), 1, "deleted")
    assert (await one.list_deals(None, None)).ids == ()


async def test_a_token_that_has_run_out_is_renewed_once_and_kept(crm: FakeSalesforce, http: PlainHttp) -> None:
    kept = Kept()
    crm.expire_token()
    assert await client(crm, http, kept, **OAUTH).standing(DEAL) is not None
    assert kept.last == {**OAUTH, "access_token": "token-2"}
    kept = Kept()
    assert await client(crm, http, kept, client_id="c", client_secret="client-secret").standing(DEAL) is not None
    assert kept.last["access_token"] == "token-2"
    with pytest.raises(ClientError, match="client_token_refused") as error:
        await client(crm, http, Kept(), **{**OAUTH, "refresh_token": "wrong"}).standing(DEAL)
    assert error.value.again is False


async def test_without_an_address_nothing_is_asked(crm: FakeSalesforce, http: PlainHttp) -> None:
    one = SalesforceClient(salesforce_settings(), {"access_token": crm.token}, http, Kept())
    for asking in (one.standing(DEAL), one.add_note(DEAL, Note(MARKER, "x")), one.list_deals(None, None)):
        with pytest.raises(ClientError, match="client_no_address"):
            await asking


@pytest.mark.parametrize(
    ("answer", "code", "again", "after"),
    [
        (problem(403, "REQUEST_LIMIT_EXCEEDED"), "client_throttled", True, 900),
        (problem(429, "X", {"retry-after": "7"}), "client_throttled", True, 7),
        (problem(503, "X", {"retry-after": "30"}), "client_failing", True, 30),
        (problem(503, "SERVER_UNAVAILABLE"), "client_failing", True, None),
        (problem(400, "UNABLE_TO_LOCK_ROW"), "client_failing", True, None),
        (problem(500, "UNKNOWN_EXCEPTION"), "client_failing", True, None),
        (problem(403, "INSUFFICIENT_ACCESS"), "client_forbidden", False, None),
        (problem(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"), "client_refused", False, None),
        (problem(400, "INVALID_FIELD"), "client_unknown_thing", False, None),
        (problem(404, "NOT_FOUND"), "client_not_found", False, None),
        (Answer(400, [7]), "client_refused", False, None),
        (Answer(203, b"<html>"), "client_unreadable", True, None),
        (Answer(203, {}), "client_unreadable", True, None),
        (Answer(203, {"records": None}), "client_unreadable", True, None),
    ],
)
async def test_errors_are_told_apart_and_have_words(  # noqa: PLR0917 - two fixtures, and the case
    crm: FakeSalesforce, http: PlainHttp, answer: Answer, code: str, again: bool, after: float | None
) -> None:
    crm._next.append(answer)
    with pytest.raises(ClientError) as refusal:
        await client(crm, http).standing(DEAL)
    assert (refusal.value.code, refusal.value.again, refusal.value.after) == (code, again, after)
    for locale in ("en", "it"):
        assert "{" not in texts(locale).text(f"outbox.{code}", **refusal.value.params)


async def test_a_mapping_is_drafted_by_equal_names(crm: FakeSalesforce, http: PlainHttp) -> None:
    active: dict[str, Any] = {"IsActive": True}
    named = ("Prospecting", "Demo scheduled", "Closed Won", "Closed Lost")
    crm.tables["OpportunityStage"] = [
        {"ApiName": one, "MasterLabel": one, "IsClosed": "Closed" in one, "IsWon": "Won" in one, "SortOrder": place}
        | active
        for place, one in enumerate(named)
    ]
    crm.tables["RecordType"] = [{"Id": TYPE, "Name": "New business", "SobjectType": "Opportunity"} | active]
    crm.tables["User"] = [{"Id": REP, "Name": "Ana Rossi", "UserType": "Standard"} | active]
    crm.tables["Organization"] = [{"Id": "00D000000000062EAA"}]
    found = await client(crm, http).configuration()
    draft = drafted("salesforce", configuration(found), load_process(SALES, source="sales.yaml"))
    assert draft.settings == {
        "crm": "salesforce",
        "organization_id": "00D000000000062EAA",
        "pipelines": {TYPE: {"process": "sales", "stages": {"Closed Won": "won", "Closed Lost": "lost"}}},
        "fields": {
            "Amount": {"field": "amount", "type": "number"}, "NextStep": {"field": "next_step", "type": "text"},
        },
        "people": {REP: {"id": "ana-rossi"}},
    }  # fmt: skip
    assert {"place": f"pipelines.{TYPE}.stages.Prospecting", "label": "Prospecting"} in draft.left
    whole = configuration({**found, "record_types": [], "picked": {}})
    assert [(one.id, len(one.stages)) for one in whole.pipelines] == [("master", 4)]
