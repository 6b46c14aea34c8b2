"""Pipedrive's API through our client: a deal read back, what is written, and what comes instead of an answer."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from app.crm.client import ClientError, Credentials, Note, Standing, Task
from app.crm.drafting import drafted
from app.crm.http import Unreachable
from app.crm.pipedrive import PipedriveClient, configuration, read
from app.crm.record import Record
from app.crm.state import tell
from app.engine import load_process
from tests.crm.builders import NOON
from tests.crm.fakes.base import Answer, Call, FakeCrm, route
from tests.crm.fakes.pipedrive import OURS, FakePipedrive
from tests.crm.http import PlainHttp
from tests.crm.orders import at
from tests.crm.world import SALES
from tests.unit.crm.test_pipedrive import SETTINGS

MAPPED = SETTINGS.model_copy(update={"contact_role_property": "role", "contact_roles": {"Buyer": "champion"}})


@pytest.fixture
async def crm() -> AsyncIterator[FakePipedrive]:
    """Give a company with one deal."""
    async with FakePipedrive() as one:
        one.make_deal(42, at=at(0), stage_id=1, value=7, person_id=3)
        one.change(42, at=at(5), stage_id=2, value=9)
        one.persons[3] = {"id": 3, "role": "Buyer"}
        one.persons[4] = {"id": 4, "role": "Nobody"}
        one.participants[42] = [4]
        yield one


@pytest.fixture
async def http() -> AsyncIterator[PlainHttp]:
    """Give a way to ask."""
    async with PlainHttp(seconds=1) as one:
        yield one


class Kept:
    """Keeps what was renewed."""

    def __init__(self) -> None:
        self.last: Credentials = {}

    async def __call__(self, renewed: Credentials) -> None:
        self.last = renewed


def client(crm: FakePipedrive, http: PlainHttp, kept: Kept | None = None, **credentials: str) -> PipedriveClient:
    settings = MAPPED.model_copy(update={"api_url": crm.url, "oauth_url": crm.url})
    return PipedriveClient(settings, credentials or {"api_token": crm.token}, http, kept or Kept())


async def test_a_deal_is_read_back_with_its_way_and_its_facts(crm: FakePipedrive, http: PlainHttp) -> None:
    crm.add_activity(42, at=at(3))
    told = await client(crm, http).read_deal("42", NOON)
    stages = [(one.at, one.value, one.previous) for one in told.events if one.name == "stage_id"]
    assert stages == [(at(0), "1", None), (at(5), "2", "1")]
    assert [(one.group, one.id) for one in told.facts] == [("activity", "1001"), ("contact", "3"), ("contact", "4")]
    assert [one.value for one in told.facts[1:]] == [{"id": "3", "role": "champion"}, {"id": "4"}]
    assert told.complete == {"activities", "contacts", "fields", "stage_history"}


async def test_of_what_nothing_is_mapped_to_nothing_is_known_to_be_none(crm: FakePipedrive, http: PlainHttp) -> None:
    bare = SETTINGS.model_copy(update={"api_url": crm.url, "activities": {}})
    told = await PipedriveClient(bare, {"api_token": crm.token}, http, Kept()).read_deal("42", NOON)
    assert told.complete == {"fields", "stage_history"}


async def test_what_was_changed_in_one_second_comes_back_in_its_order(crm: FakePipedrive, http: PlainHttp) -> None:
    for stage in (1, 3, 2):
        crm.change(42, at=at(9), stage_id=stage)
    crm.change(42, at=at(12), stage_id=1, status="won")
    told = await client(crm, http).read_deal("42", NOON)
    stages = [(one.value, one.previous) for one in told.events if one.name == "stage_id"]
    assert stages == [("1", None), ("2", "1"), ("1", "2"), ("3", "1"), ("2", "3"), ("won", None)]


async def test_a_deal_that_an_automation_wins_in_the_second_of_its_move_was_in_between_where_webhooks_tell(
    crm: FakePipedrive, http: PlainHttp
) -> None:
    webhooks = [*crm.change(42, at=at(9), stage_id=3), *crm.change(42, at=at(9), status="won")]
    told = await client(crm, http).read_deal("42", NOON)
    ways = []
    for came in (webhooks, webhooks[::-1], webhooks[:1], webhooks[1:], []):
        events = [event for webhook in came for event in read(json.dumps(webhook).encode(), SETTINGS).events]
        deal = tell(SETTINGS, tell(SETTINGS, Record(), events, None).record, (), None, told=told)
        ways.append([(move.before and move.before.crm_stage, move.entry.crm_stage) for move in deal.line.moves[2:]])
    through = [("2", "3"), ("3", "won")]
    assert ways == [through, through, through, [("3", "won")], [("2", "won")]]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_history_of_one_second_begins_where_the_deal_was_made(http: PlainHttp, newest_first: bool) -> None:
    async with FakePipedrive() as crm:
        crm.make_deal(42, at=at(0), stage_id=1)
        for stage in (2, 1, 3):
            crm.change(42, at=at(9), stage_id=stage)
        crm.changelog[42] = crm.changelog[42] if newest_first else crm.changelog[42][::-1]
        told = await client(crm, http).read_deal("42", NOON)
    stages = [(one.at, one.value, one.previous) for one in told.events if one.name == "stage_id"]
    again = at(9) + timedelta(microseconds=1)
    assert stages == [(at(0), "1", None), (at(9), "2", "1"), (again, "1", "2"), (again, "3", "1")]


async def test_the_burst_limit_tells_how_long_to_wait_in_a_header_of_its_own(http: PlainHttp) -> None:
    async with FakePipedrive() as crm:
        crm._next.append(Answer(429, {"success": False}, {"x-ratelimit-reset": "2"}))
        with pytest.raises(ClientError, match="client_throttled") as error:
            await client(crm, http).standing("42")
    assert error.value.after == 2


@pytest.mark.parametrize("named", ["../users", "4 2", "\u00b2", ""])
async def test_nothing_is_written_to_what_is_no_deal(crm: FakePipedrive, http: PlainHttp, named: str) -> None:
    one = client(crm, http)
    writes = [
        one.add_note(named, Note("m", "m")), one.add_task(named, Task("m", "m", "m", date(2026, 12, 1), None)),
        one.set_stage(named, Standing("1", "1")), one.set_stage("42", Standing("1", named)),
        one.set_stage("42", Standing(named, "1")),
    ]  # fmt: skip
    for write in writes:
        with pytest.raises(ClientError, match="client_not_found"):
            await write
    assert crm.calls == []


async def test_what_is_read_back_is_known_from_the_webhooks_already(crm: FakePipedrive, http: PlainHttp) -> None:
    told = crm.make_deal(50, at=at(0), stage_id=1, value=7)
    told += crm.change(50, at=at(2), stage_id=2)
    told += crm.change(50, at=at(4), status="won")
    by_webhook = {one.key for webhook in told for one in read(json.dumps(webhook).encode(), SETTINGS).events}
    back = await client(crm, http).read_deal("50", NOON)
    assert {one.key for one in back.events if one.kind != "seen"} <= by_webhook


async def test_a_long_history_comes_page_by_page(crm: FakePipedrive, http: PlainHttp) -> None:
    for number in range(250):
        crm.change(42, at=at(10 + number), stage_id=1 + number % 2)
    told = await client(crm, http).read_deal("42", NOON)
    assert len([one for one in told.events if one.name == "stage_id"]) == 252


async def test_a_deal_that_is_gone_is_told(crm: FakePipedrive, http: PlainHttp) -> None:
    assert [(await client(crm, http).read_deal(one, NOON)).gone for one in ("404", "no number")] == ["deleted"] * 2
    assert await client(crm, http).standing("404") is None
    crm.fail_next(1, 410)
    assert (await client(crm, http).read_deal("42", NOON)).gone == "deleted"


async def test_notes_and_tasks_are_left_and_found_again(crm: FakePipedrive, http: PlainHttp) -> None:
    one = client(crm, http)
    for number in range(150):
        crm.notes.append({"deal_id": 42, "content": f"note {number}"})
    assert not await one.has_note("42", "[stagerail:abc]")
    await one.add_note("42", Note("[stagerail:abc]", "Hold <the> demo\n[stagerail:abc]"))
    assert await one.has_note("42", "[stagerail:abc]")
    assert crm.notes[-1]["content"] == "Hold &lt;the> demo<br>[stagerail:abc]"
    assert not await one.has_task("42", "[stagerail:abc]")
    await one.add_task("42", Task("[stagerail:abc]", "Hold the demo", "why [stagerail:abc]", date(2026, 12, 1), "77"))
    assert await one.has_task("42", "[stagerail:abc]")
    task = list(crm.activities.values())[-1]
    assert (task["type"], task["due_date"], task["owner_id"]) == ("task", "2026-12-01", 77)


async def test_a_deal_is_put_where_it_belongs(crm: FakePipedrive, http: PlainHttp) -> None:
    one = client(crm, http)
    assert await one.standing("42") == Standing("1", "2")
    await one.set_stage("42", Standing("1", "1"))
    assert (await one.standing("42"), crm.changelog[42][-1]["actor_user_id"]) == (Standing("1", "1"), OURS)
    await one.set_stage("42", Standing("1", "won"))
    assert await one.standing("42") == Standing("1", "won")
    await one.set_stage("42", Standing("1", "2"))
    assert crm.deals[42]["status"] == "open"


async def test_deals_are_listed_page_by_page_since_a_time(crm: FakePipedrive, http: PlainHttp) -> None:
    for number in range(100, 250):
        crm.make_deal(number, at=at(60), stage_id=1)
    one = client(crm, http)
    first = await one.list_deals(at(30), None)
    second = await one.list_deals(at(30), first.cursor)
    assert (len(first.ids), len(second.ids), second.cursor) == (100, 50, None)
    assert "42" not in (*first.ids, *second.ids)
    crm.delete(42, at=at(90))
    assert ((await one.list_deals(at(80), None)).ids, (await one.read_deal("42", NOON)).gone) == (("42",), "deleted")


async def test_a_token_that_has_run_out_is_renewed_once_and_kept(crm: FakePipedrive, http: PlainHttp) -> None:
    kept = Kept()
    crm.expire_token()
    one = client(crm, http, kept, access_token="token-1", refresh_token="refresh-1", client_id="c", client_secret="s")
    assert await one.standing("42") == Standing("1", "2")
    assert kept.last["access_token"] == "token-2"
    refused = client(crm, http, access_token="x", refresh_token="wrong", client_id="c", client_secret="s")
    with pytest.raises(ClientError, match="client_token_refused") as error:
        await refused.standing("42")
    assert error.value.again is False


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [(500, "client_failing", True), (503, "client_failing", True), (403, "client_forbidden", False)],
)
async def test_errors_are_told_apart(crm: FakePipedrive, http: PlainHttp, status: int, code: str, again: bool) -> None:
    crm.fail_next(1, status)
    with pytest.raises(ClientError, match=code) as error:
        await client(crm, http).standing("42")
    assert error.value.again is again


async def test_being_asked_to_wait_is_passed_on(crm: FakePipedrive, http: PlainHttp) -> None:
    crm.throttle_next(1, retry_after=7)
    with pytest.raises(ClientError, match="client_throttled") as error:
        await client(crm, http).standing("42")
    assert (error.value.again, error.value.after) == (True, 7)


async def test_a_server_that_hangs_or_breaks_off_is_unreachable(crm: FakePipedrive, http: PlainHttp) -> None:
    crm.lose_next(1)
    with pytest.raises(Unreachable):
        await client(crm, http).standing("42")
    crm.hang(3)
    with pytest.raises(Unreachable):
        await client(crm, http).standing("42")


def test_a_mapping_is_drafted_by_equal_names() -> None:
    found: dict[str, Any] = {
        "pipelines": [{"id": 1, "name": "Sales"}],
        "stages": [
            {"id": 2, "name": "Demo completed", "pipeline_id": 1, "order_nr": 2},
            {"id": 1, "name": "Demo Scheduled", "pipeline_id": 1, "order_nr": 1},
            {"id": 3, "name": "Haggling", "pipeline_id": 1, "order_nr": 3},
        ],
        "fields": [{"key": "ab12", "name": "Next step", "field_type": "text"}],
        "users": [{"id": 77, "name": "Ana Rossi"}],
        "me": {"company_id": 12345678},
    }
    draft = drafted("pipedrive", configuration(found), load_process(SALES, source="sales.yaml"))
    assert draft.settings == {
        "crm": "pipedrive",
        "company_id": "12345678",
        "pipelines": {
            "1": {"process": "sales",
                  "stages": {"1": "demo_scheduled", "2": "demo_completed", "won": "won", "lost": "lost"}}
        },
        "fields": {"ab12": {"field": "next_step", "type": "text"}},
        "people": {"77": {"id": "ana-rossi"}},
    }  # fmt: skip
    assert draft.left == [
        {"place": "pipelines.1.stages.3", "label": "Haggling"},
        {"place": "fields", "label": "amount"},
        {"place": "activities", "label": "demo"},
    ]


class Listener(FakeCrm):
    """Takes webhooks, and refuses some."""

    @route("POST", "/webhooks/pd", free=True)
    def _take(self, _call: Call) -> Answer:
        return Answer(202, {})


async def test_a_refused_webhook_comes_three_times_more_and_ten_are_a_ban(crm: FakePipedrive) -> None:
    async with Listener() as listener:
        crm.webhook = f"{listener.url}/webhooks/pd"
        listener.fail_next(2)
        [told] = crm.change(42, at=at(20), stage_id=1)
        tries = await crm.tell(told)
        assert [(one.status, json.loads(one.body)["meta"]["attempt"]) for one in tries] == [
            (500, 1),
            (500, 2),
            (202, 3),
        ]
        assert len({read(one.body, SETTINGS).events for one in tries}) == 1
        for _ in range(9):
            listener.fail_next(4)
            await crm.tell(told)
        assert await crm.tell(told) == []
