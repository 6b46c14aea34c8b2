"""Zoho's API through our client: a deal read back, Blueprints, partial saves, channels, tokens."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from app import clock
from app.crm.client import ClientError, Credentials, Note, Standing, Task
from app.crm.drafting import drafted
from app.crm.http import Request, Response
from app.crm.record import Record
from app.crm.state import tell
from app.crm.zoho import ZohoClient, configuration, read
from app.engine import load_process
from tests.crm.fakes.base import Answer
from tests.crm.fakes.zoho import DEAL, OURS, FakeZoho, iso, zoho_settings
from tests.crm.http import PlainHttp
from tests.crm.orders import at
from tests.crm.world import SALES

MAPPED = {
    "activity_type_property": "Call_Purpose",
    "activities": {
        "Events": {"activity": "demo", "outcomes": {"Held": "held"}},
        "Prospecting": {"activity": "first_call"},
    },
}
OAUTH = {"refresh_token": "refresh-1", "client_id": "c", "client_secret": "s"}


@pytest.fixture
async def crm() -> AsyncIterator[FakeZoho]:
    """Give an organisation with one deal."""
    async with FakeZoho() as one:
        one.make_deal(DEAL, at=at(0), Stage="Demo", Amount=7)
        one.change(DEAL, at=at(5), Stage="Shown")
        yield one


@pytest.fixture
async def http() -> AsyncIterator[PlainHttp]:
    """Give a way to ask."""
    async with PlainHttp(seconds=1) as one:
        yield one


async def _forget(_renewed: Credentials) -> None:
    pass


def client(crm: FakeZoho, http: PlainHttp, **credentials: str) -> ZohoClient:
    given = credentials or {"access_token": crm.token}
    return ZohoClient(zoho_settings(api_url=crm.url, accounts_url=crm.url, **MAPPED), given, http, _forget)


async def test_a_deal_is_read_back_with_its_way_and_its_facts(crm: FakeZoho, http: PlainHttp) -> None:
    now = at(60)
    crm.add(DEAL, "Events", Start_DateTime=iso(at(3)), Modified_Time=iso(at(4)), Owner={"id": "77"}, Result="Held",
            Who_Id={"id": "7", "name": "Bo"})  # fmt: skip
    crm.add(DEAL, "Events", Start_DateTime=iso(at(90)), Modified_Time=iso(at(4)))
    crm.add(DEAL, "Calls_Closed", Call_Start_Time=iso(at(2)), Call_Type="Inbound", Outbound_Call_Status=None)
    crm.add(DEAL, "Calls_Closed", Call_Start_Time=iso(at(2)), Call_Purpose="Prospecting",
            Outbound_Call_Status="Cancelled")  # fmt: skip
    crm.add(DEAL, "Tasks", Due_Date="2026-12-01", Status="Not Started")
    crm.add(DEAL, "Contact_Roles", Contact_Role={"name": "Buyer", "id": "1"})
    told = await client(crm, http).read_deal(DEAL, now)
    assert [(one.at, one.value, one.by) for one in told.events if one.name == "Stage" and one.kind == "changed"] == [
        (at(0), "Demo", "77"), (at(5), "Shown", "77"),
    ]  # fmt: skip
    assert told.complete == {"activities", "contacts", "fields", "stage_history"}
    facts = [one.value or {} for one in told.facts]
    assert facts[0] == {"id": "1001", "activity": "demo", "at": at(3).isoformat(), "status": "done", "contacts": ["7"],
                        "outcome": "held", "by": "rep-7"}  # fmt: skip
    assert [(one.get("activity"), one.get("status"), one.get("direction"), one.get("role")) for one in facts] == [
        ("demo", "done", None, None), ("demo", "planned", None, None), ("Tasks", "planned", None, None),
        ("Calls", "done", "inbound", None), ("first_call", "planned", None, None), (None, None, None, "champion"),
    ]  # fmt: skip


async def test_what_may_not_be_read_is_not_complete_and_takes_nothing_else_with_it(
    crm: FakeZoho, http: PlainHttp
) -> None:
    for hidden, group in [
        ("Calls_Closed", "activities"), ("related_lists", "activities"), ("Contact_Roles", "contacts"),
        ("Stage_History", "stage_history"),
    ]:  # fmt: skip
        crm.hidden = {hidden}
        told = await client(crm, http).read_deal(DEAL, at(60))
        assert told.complete == {"activities", "contacts", "fields", "stage_history"} - {group}
    crm.hidden = set()
    crm.fail_next(1, 503)
    with pytest.raises(ClientError, match="client_failing"):
        await client(crm, http).read_deal(DEAL, at(60))


async def test_a_history_that_does_not_reach_from_end_to_end_is_not_whole(crm: FakeZoho, http: PlainHttp) -> None:
    entries = crm.history[DEAL]
    for some in (entries[1:], entries[:1]):
        crm.history[DEAL] = some
        assert "stage_history" not in (await client(crm, http).read_deal(DEAL, at(60))).complete


async def test_stages_of_one_second_come_back_in_their_order(crm: FakeZoho, http: PlainHttp) -> None:
    for stage in ("Closed Won", "Demo", "Closed Lost", "Shown"):
        crm.change(DEAL, at=at(9), Stage=stage)
    told = await client(crm, http).read_deal(DEAL, at(60))
    settings = zoho_settings()
    late = read(json.dumps(crm.notification("update", {DEAL: {"Stage": "Demo"}}, at(9.2))).encode(), settings).events
    deal = tell(settings, Record(), late, None, told=told)
    assert [one.entry.crm_stage for one in deal.line.moves] == [
        "Demo", "Shown", "Closed Won", "Demo", "Closed Lost", "Shown",
    ]  # fmt: skip


async def test_a_deal_that_is_gone_is_told(crm: FakeZoho, http: PlainHttp) -> None:
    assert (await client(crm, http).read_deal("404", at(9))).gone == "deleted"
    assert await client(crm, http).standing("../../users") is None
    assert all(call.path.startswith("/crm/v8/Deals/") for call in crm.calls)


@pytest.mark.parametrize("named", ["../users", "4 2", "\u00b2", "x", ""])
async def test_nothing_is_written_to_what_is_no_deal(crm: FakeZoho, http: PlainHttp, named: str) -> None:
    one = client(crm, http)
    writes = [
        one.add_note(named, Note("m", "m")), one.add_task(named, Task("m", "m", "m", date(2026, 12, 1), None)),
        one.set_stage(named, Standing(None, "Demo")),
    ]  # fmt: skip
    for write in writes:
        with pytest.raises(ClientError, match="client_not_found"):
            await write
    assert crm.calls == []


async def test_notes_and_tasks_are_left_and_found_again(crm: FakeZoho, http: PlainHttp) -> None:
    one = client(crm, http)
    assert not await one.has_note(DEAL, "[m]")
    await one.add_note(DEAL, Note("[m]", "Hold the demo [m]"))
    assert not await one.has_task(DEAL, "[m]")
    await one.add_task(DEAL, Task("[m]", "Hold the demo", "why [m]", date(2026, 12, 1), "77"))
    assert (await one.has_note(DEAL, "[m]"), await one.has_task(DEAL, "[m]")) == (True, True)
    assert crm.related[DEAL, "Tasks"][0]["Owner"] == {"id": "77"}
    crm.related[DEAL, "Tasks_Closed"] = crm.related.pop((DEAL, "Tasks"))
    assert await one.has_task(DEAL, "[m]")
    crm.hidden = {"related_lists"}
    assert not await one.has_task(DEAL, "[m]")


async def test_a_deal_is_put_where_it_belongs(crm: FakeZoho, http: PlainHttp) -> None:
    one = client(crm, http)
    assert await one.standing(DEAL) == Standing("Standard", "Shown")
    await one.set_stage(DEAL, Standing("Standard", "Demo"))
    assert await one.standing(DEAL) == Standing("Standard", "Demo")
    assert crm.history[DEAL][-1]["Modified_By"]["id"] == OURS


async def test_where_a_blueprint_rules_its_transition_is_taken(crm: FakeZoho, http: PlainHttp) -> None:
    one = client(crm, http)
    crm.blueprint = {"Shown": ["Demo"]}
    await one.set_stage(DEAL, Standing("Standard", "Demo"))
    assert crm.deals[DEAL]["Stage"] == "Demo"
    with pytest.raises(ClientError, match="client_no_transition"):
        await one.set_stage(DEAL, Standing("Standard", "Closed Won"))
    crm.blueprint, crm.partial = {"Demo": ["Shown"]}, True
    with pytest.raises(ClientError, match="client_partly_saved") as error:
        await one.set_stage(DEAL, Standing("Standard", "Shown"))
    assert (error.value.again, crm.deals[DEAL]["Stage"]) == (False, "Demo")


@pytest.mark.parametrize(
    ("told", "code", "again"),
    [("MANDATORY_NOT_FOUND", "client_refused", False), ("INVALID_DATA", "client_refused", False),
     ("RECORD_NOT_IN_PROCESS", "client_refused", False), ("RECORD_LOCKED", "client_refused", True),
     ("NO_PERMISSION", "client_forbidden", False)],
)  # fmt: skip
@pytest.mark.parametrize("status", [202, 207, 400])
async def test_what_was_not_written_is_known_by_its_code_whatever_the_status_says(
    http: PlainHttp, told: str, code: str, again: bool, status: int
) -> None:
    async with FakeZoho() as crm:
        one = client(crm, http)
        refused = {"code": told, "details": {}, "message": "no", "status": "error"}
        crm._next.append(Answer(status, {"data": [refused]}))
        with pytest.raises(ClientError, match=code) as error:
            await one.add_note(DEAL, Note("m", "m"))
        assert (error.value.again, error.value.params["said"]) == (again, told)


async def test_deals_are_listed_page_by_page_since_a_time(crm: FakeZoho, http: PlainHttp) -> None:
    for number in range(250):
        crm.make_deal(str(number), at=at(60), Stage="Demo")
    one = client(crm, http)
    first = await one.list_deals(at(30), None)
    second = await one.list_deals(at(30), first.cursor)
    assert (len(first.ids), len(second.ids)) == (200, 50)
    nothing_new = await one.list_deals(at(90), None)
    assert (nothing_new.ids, (await one.list_deals(None, None)).cursor is None) == ((), False)
    for number in range(210):
        crm.delete(str(number), at=at(95 if number % 2 else 80))
    assert second.cursor == nothing_new.cursor
    deleted = await one.list_deals(at(90), nothing_new.cursor)
    last = await one.list_deals(at(90), deleted.cursor)
    assert (len(deleted.ids), len(last.ids), last.cursor) == (100, 5, None)
    everything = await one.list_deals(None, None)
    assert (len(everything.ids), everything.cursor) == (41, None)


async def test_a_channel_is_renewed_for_no_longer_than_a_week(crm: FakeZoho, http: PlainHttp) -> None:
    now = clock.now()
    until = await client(crm, http).renew_channel(now)
    assert until is not None
    assert timedelta(days=6) < until - now < timedelta(days=7)
    assert crm.channel_expiry == until


async def test_a_renewed_channel_tells_of_all_that_it_told_of(crm: FakeZoho, http: PlainHttp) -> None:
    crm.subscribed = ["Deals", "Calls"]
    await client(crm, http).renew_channel(clock.now())
    assert crm.subscribed == ["Deals", "Calls"]


async def test_a_channel_that_has_expired_must_be_subscribed_anew(crm: FakeZoho, http: PlainHttp) -> None:
    crm.channel_expiry = clock.now() - timedelta(minutes=1)
    with pytest.raises(ClientError, match="client_channel_gone") as error:
        await client(crm, http).renew_channel(clock.now())
    assert error.value.again is False


@pytest.mark.parametrize(
    ("api", "accounts"),
    [
        ("https://www.zohoapis.eu", "https://accounts.zoho.eu"),
        ("https://www.zohoapis.com.au/", "https://accounts.zoho.com.au"),
        ("https://www.zohoapis.ca", "https://accounts.zohocloud.ca"),
        (None, "https://accounts.zoho.com"),
    ],
)
async def test_tokens_are_renewed_in_the_data_centre_of_the_api(api: str | None, accounts: str) -> None:
    asked: list[str] = []

    async def http(request: Request) -> Response:
        asked.append(request.url)
        return Response(401, {}, b"")

    with pytest.raises(ClientError, match="client_token_refused"):
        await ZohoClient(zoho_settings(api_url=api), OAUTH, http, _forget).standing(DEAL)
    assert asked[1:] == [f"{accounts}/oauth/v2/token"]


async def test_too_many_renewals_are_tried_again_later() -> None:
    async def http(request: Request) -> Response:
        said = b'{"error": "Access Denied", "error_description": "You have made too many requests continuously."}'
        return Response(400, {}, said) if request.url.endswith("/token") else Response(401, {}, b"")

    with pytest.raises(ClientError, match="client_throttled") as error:
        await ZohoClient(zoho_settings(), OAUTH, http, _forget).standing(DEAL)
    assert error.value.again is True


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [(500, "client_failing", True), (403, "client_forbidden", False), (429, "client_throttled", True)],
)
async def test_errors_are_told_apart(crm: FakeZoho, http: PlainHttp, status: int, code: str, again: bool) -> None:
    crm.fail_next(1, status)
    with pytest.raises(ClientError, match=code) as error:
        await client(crm, http).standing(DEAL)
    assert error.value.again is again


async def test_a_token_that_has_run_out_is_renewed(crm: FakeZoho, http: PlainHttp) -> None:
    crm.expire_token()
    assert await client(crm, http, access_token="old", **OAUTH).standing(DEAL) == Standing("Standard", "Shown")
    with pytest.raises(ClientError, match="client_token_refused"):
        await client(crm, http, access_token="old", **{**OAUTH, "refresh_token": "wrong"}).standing(DEAL)


async def test_being_asked_to_wait_is_passed_on(crm: FakeZoho, http: PlainHttp) -> None:
    crm.throttle_next(1, retry_after=9)
    with pytest.raises(ClientError, match="client_throttled") as error:
        await client(crm, http).standing(DEAL)
    assert (error.value.again, error.value.after) == (True, 9)


@pytest.mark.parametrize("given", ["pipelines", "blueprint", "fields"])
def test_a_mapping_is_drafted_from_pipelines_or_a_blueprint(given: str) -> None:
    maps = [{"display_value": "Demo scheduled", "actual_value": "Demo scheduled", "forecast_type": "open"},
            {"display_value": "Fatto", "actual_value": "Closed Won", "forecast_type": "closed_won"}]  # fmt: skip
    whole: dict[str, Any] = {
        "pipelines": [{"display_value": "Standard", "actual_value": "Standard", "maps": maps}],
        "blueprint": {"process_info": {"name": "Standard", "field_value": "Demo scheduled"},
                      "transitions": [{"next_field_value": "Haggling"}]},
        "fields": [{"api_name": "Stage", "field_label": "Stage", "data_type": "picklist", "pick_list_values": maps}],
    }  # fmt: skip
    draft = drafted("zoho", configuration({given: whole[given]}), load_process(SALES, source="sales.yaml"))
    expected = {"Demo scheduled": "demo_scheduled"} | ({"Closed Won": "won"} if given != "blueprint" else {})
    assert draft.settings["pipelines"] == {"Standard": {"process": "sales", "stages": expected}}
