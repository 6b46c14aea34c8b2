"""Zoho's API through our client: a deal read back, Blueprints, partial saves, channels, tokens."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from app import clock
from app.crm.client import ClientError, Credentials, Note, Standing, Task
from app.crm.drafting import drafted
from app.crm.zoho import ZohoClient, configuration
from app.engine import load_process
from tests.crm.fakes.zoho import DEAL, OURS, FakeZoho, iso, zoho_settings
from tests.crm.http import PlainHttp
from tests.crm.orders import at
from tests.crm.world import SALES

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
    return ZohoClient(zoho_settings(api_url=crm.url), given, http, _forget)


async def test_a_deal_is_read_back_with_its_way_and_its_facts(crm: FakeZoho, http: PlainHttp) -> None:
    now = at(60)
    crm.add(DEAL, "Events", Start_DateTime=iso(at(3)), Modified_Time=iso(at(4)), Owner={"id": "77"}, Result="Held",
            Who_Id={"id": "7", "name": "Bo"})  # fmt: skip
    crm.add(DEAL, "Events", Start_DateTime=iso(at(90)), Modified_Time=iso(at(4)))
    crm.add(DEAL, "Calls", Call_Start_Time=iso(at(2)), Call_Type="Inbound", Outbound_Call_Status=None)
    crm.add(DEAL, "Tasks", Due_Date="2026-12-01", Status="Not Started")
    crm.add(DEAL, "Contact_Roles", Contact_Role={"name": "Buyer", "id": "1"})
    told = await client(crm, http).read_deal(DEAL, now)
    assert [(one.at, one.value, one.by) for one in told.events if one.name == "Stage" and one.kind == "changed"] == [
        (at(5), "Shown", "77"), (at(0), "Demo", "77"),
    ]  # fmt: skip
    facts = [one.value or {} for one in told.facts]
    assert facts[1] == {"id": "1001", "activity": "demo", "at": at(3).isoformat(), "status": "done", "contacts": ["7"],
                        "outcome": "held", "by": "rep-7"}  # fmt: skip
    assert [(one.get("activity"), one.get("status"), one.get("direction"), one.get("role")) for one in facts] == [
        ("Calls", "done", "inbound", None), ("demo", "done", None, None), ("demo", "planned", None, None),
        ("Tasks", "planned", None, None), (None, None, None, "champion"),
    ]  # fmt: skip


async def test_a_deal_that_is_gone_is_told(crm: FakeZoho, http: PlainHttp) -> None:
    assert (await client(crm, http).read_deal("404", at(9))).gone == "deleted"
    assert await client(crm, http).standing("../../users") is None


async def test_notes_and_tasks_are_left_and_found_again(crm: FakeZoho, http: PlainHttp) -> None:
    one = client(crm, http)
    assert not await one.has_note(DEAL, "[m]")
    await one.add_note(DEAL, Note("[m]", "Hold the demo [m]"))
    assert not await one.has_task(DEAL, "[m]")
    await one.add_task(DEAL, Task("[m]", "Hold the demo", "why [m]", date(2026, 12, 1), "77"))
    assert (await one.has_note(DEAL, "[m]"), await one.has_task(DEAL, "[m]")) == (True, True)
    assert crm.related[DEAL, "Tasks"][0]["Owner"] == {"id": "77"}


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


async def test_deals_are_listed_page_by_page_since_a_time(crm: FakeZoho, http: PlainHttp) -> None:
    for number in range(250):
        crm.make_deal(str(number), at=at(60), Stage="Demo")
    one = client(crm, http)
    first = await one.list_deals(at(30), None)
    second = await one.list_deals(at(30), first.cursor)
    assert (len(first.ids), len(second.ids), second.cursor) == (200, 50, None)
    assert (await one.list_deals(at(90), None)).ids == ()


async def test_a_channel_is_renewed_for_no_longer_than_a_week(crm: FakeZoho, http: PlainHttp) -> None:
    now = clock.now()
    until = await client(crm, http).renew_channel(now)
    assert until is not None
    assert timedelta(days=6) < until - now < timedelta(days=7)
    assert crm.channel_expiry == until


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


@pytest.mark.parametrize("given", ["pipelines", "blueprint"])
def test_a_mapping_is_drafted_from_pipelines_or_a_blueprint(given: str) -> None:
    maps = [{"display_value": "Demo scheduled", "actual_value": "Demo scheduled", "forecast_type": "open"},
            {"display_value": "Fatto", "actual_value": "Closed Won", "forecast_type": "closed_won"}]  # fmt: skip
    whole: dict[str, Any] = {
        "pipelines": [{"display_value": "Standard", "actual_value": "Standard", "maps": maps}],
        "blueprint": {"process_info": {"name": "Standard", "field_value": "Demo scheduled"},
                      "transitions": [{"next_field_value": "Haggling"}]},
    }  # fmt: skip
    draft = drafted("zoho", configuration({given: whole[given]}), load_process(SALES, source="sales.yaml"))
    expected = {"Demo scheduled": "demo_scheduled"} | ({"Closed Won": "won"} if given == "pipelines" else {})
    assert draft.settings["pipelines"] == {"Standard": {"process": "sales", "stages": expected}}
