"""HubSpot asked and written to: tokens, errors, lists, stages, notes, tasks; each against the fake account."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from app.crm.client import ClientError, Note, Page, Standing, Task
from app.crm.http import Unreachable
from app.i18n.texts import texts
from tests.crm.builders import NOON
from tests.crm.fakes.base import Answer
from tests.crm.hubspot.conftest import World

OAUTH = {"access_token": "token-1", "refresh_token": "refresh-1", "client_id": "c", "client_secret": "s"}
MARKER = "[stagerail:0123456789ab]"
TASK = Task(MARKER, "Hold the demo", f"Why\n{MARKER}", date(2026, 11, 23), "o-77")


def properties(world: World, kind: str) -> list[dict[str, str | None]]:
    """What is there of a kind, without who wrote it."""
    return [{name: one.get(name) for name in one.versions} for one in world.crm.things[kind].values()]


async def test_a_token_that_has_run_out_is_renewed_once_and_kept(world: World) -> None:
    deal = world.crm.add_deal()
    client = world.client(OAUTH)
    world.crm.expire_token()
    assert await client.standing(deal) == Standing("default", "appointmentscheduled")
    assert world.kept == [{**OAUTH, "access_token": "token-2"}]
    assert await client.standing(deal) == Standing("default", "appointmentscheduled")
    paths = [call.path.rpartition("/")[2] for call in world.crm.calls]
    assert paths == [deal, "token", deal, deal]


async def test_without_an_access_token_one_is_made(world: World) -> None:
    deal = world.crm.add_deal()
    client = world.client({name: value for name, value in OAUTH.items() if name != "access_token"})
    assert await client.standing(deal) is not None
    assert world.kept == [OAUTH]


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ({"access_token": "wrong"}, "client_token_refused"),
        ({"access_token": "wrong", "refresh_token": "refresh-1"}, "client_token_refused"),
        ({**OAUTH, "access_token": "wrong", "client_secret": "x"}, "client_token_refused"),
        ({"refresh_token": "refresh-1"}, "client_token_refused"),
        ({"user": "u"}, "client_token_refused"),
    ],
)
async def test_credentials_that_do_not_hold_are_told_and_not_tried_again(
    world: World, credentials: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError, match=code) as refusal:
        await world.client(credentials).standing("1")
    assert (refusal.value.again, world.kept, len(world.crm.calls) <= 3) == (False, [], True)


async def test_a_renewal_that_fails_by_accident_may_be_tried_again(world: World) -> None:
    world.crm._next += [Answer(401), Answer(503)]
    with pytest.raises(ClientError, match="client_failing") as refusal:
        await world.client(OAUTH).standing("1")
    assert refusal.value.again is True


@pytest.mark.parametrize(
    ("answer", "code", "again", "after"),
    [
        (Answer(429, {}, {"retry-after": "7"}), "client_throttled", True, 7),
        (Answer(429, {"policyName": "DAILY"}), "client_throttled", True, 3600),
        (Answer(429, {}, {"retry-after": "Fri, 20 Nov 2026 12:00:09 GMT"}), "client_throttled", True, 9),
        (Answer(500), "client_failing", True, None),
        (Answer(503, {}, {"retry-after": "30"}), "client_failing", True, 30),
        (Answer(423), "client_failing", True, None),
        (Answer(403, {"category": "MISSING_SCOPES", "message": "no"}), "client_forbidden", False, None),
        (Answer(400, {"category": "VALIDATION_ERROR", "message": "bad"}), "client_refused", False, None),
        (Answer(302, None, {"location": "http://127.0.0.1:1/"}), "client_refused", False, None),
        (Answer(400, b"[" * 90), "client_refused", False, None),
    ],
)  # fmt: skip
async def test_every_failure_says_whether_another_try_may_help_and_has_words(
    world: World, answer: Answer, code: str, again: bool, after: float | None
) -> None:
    world.crm._next.append(answer)
    with pytest.raises(ClientError) as refusal:
        await world.client().standing("1")
    error = refusal.value
    assert (error.code, error.again, error.after) == (code, again, after)
    for locale in ("en", "it"):
        assert "{" not in texts(locale).text(f"outbox.{error.code}", **error.params)


async def test_hubspot_s_own_words_are_passed_on_cut_short(world: World) -> None:
    said = {"category": "VALIDATION_ERROR", "message": "a" + "x" * 999}
    world.crm._next.append(Answer(400, said))
    with pytest.raises(ClientError) as refusal:
        await world.client().standing("1")
    assert refusal.value.params == {"status": 400, "said": "a" + "x" * 199}


async def test_where_nobody_answers_that_is_said(world: World) -> None:
    world.crm.lose_next(1)
    with pytest.raises(Unreachable):
        await world.client().standing("1")


async def _all(world: World, **options: Any) -> list[Page]:
    client, pages = world.client(), []
    cursor: str | None = None
    while True:
        pages.append(await client.list_deals(options.get("since"), cursor))
        cursor = pages[-1].cursor
        if cursor is None:
            return pages


async def test_every_deal_of_a_mapped_pipeline_is_listed_once_beyond_the_end_of_searches(world: World) -> None:
    ids = [world.crm.add_deal() for _ in range(10_450)]
    world.crm.add_deal("due", pipeline="renewals")
    pages = await _all(world)
    assert [one for page in pages for one in page.ids] == ids
    assert (len(pages), pages[0].total, pages[1].total) == (53, 10_450, None)


async def test_deals_that_changed_since_are_listed_whatever_their_pipeline_is_now(world: World) -> None:
    world.crm.add_deal()
    moved = world.crm.add_deal()
    since = world.later(hours=1)
    new = world.crm.add_deal("due", pipeline="renewals")
    world.crm.change(moved, amount="1")
    assert [one for page in await _all(world, since=since) for one in page.ids] == [moved, new]
    assert await world.client().list_deals(since + timedelta(days=1), None) == Page((), "archived:", 0)


async def test_deals_that_were_deleted_since_are_listed_after_the_others(world: World) -> None:
    world.crm.delete(world.crm.add_deal())
    since = world.later(hours=1)
    gone = [world.crm.add_deal() for _ in range(250)]
    for one in gone:
        world.crm.delete(one)
    there = world.crm.add_deal()
    pages = await _all(world, since=since)
    assert [one for page in pages for one in page.ids] == [there, *gone]
    assert [len(page.ids) for page in pages] == [1, 99, 100, 51]
    assert (await world.client().read_deal(gone[0], since)).gone == "deleted"
    assert [page.ids for page in await _all(world)] == [(there,)]


async def test_a_stage_is_written_with_its_pipeline_and_hubspot_s_refusal_is_told(world: World) -> None:
    deal = world.crm.add_deal()
    client = world.client()
    await client.set_stage(deal, Standing("renewals", "due"))
    assert await client.standing(deal) == Standing("renewals", "due")
    await client.set_stage(deal, Standing(None, "won"))
    assert await client.standing(deal) == Standing("renewals", "won")
    with pytest.raises(ClientError, match="client_refused"):
        await client.set_stage(deal, Standing("renewals", "w"))
    with pytest.raises(ClientError, match="client_not_found"):
        await client.set_stage("1", Standing("renewals", "w"))
    told = [one for one in world.crm.waiting if one.get("propertyValue") in ("due", "won")]
    assert [(one["changeSource"], one["sourceId"]) for one in told] == [("INTEGRATION", "186886")] * 2


async def test_a_note_is_left_on_the_deal_as_text_and_found_by_its_marker(world: World) -> None:
    deal, other = world.crm.add_deal(), world.crm.add_deal()
    client = world.client()
    assert await client.has_note(deal, MARKER) is False
    await client.add_note(deal, Note(MARKER, f"Needs <b> & more\n{MARKER}"))
    assert properties(world, "notes") == [
        {"hs_timestamp": NOON.isoformat(), "hs_note_body": f"Needs &lt;b&gt; &amp; more<br>{MARKER}"}
    ]
    assert [await client.has_note(one, MARKER) for one in (deal, other)] == [True, False]
    assert await client.has_note(deal, "[stagerail:ffffffffffff]") is False


async def test_a_note_that_was_written_though_the_answer_was_lost_is_found(world: World) -> None:
    deal = world.crm.add_deal()
    for _ in range(45):
        await world.client().add_note(deal, Note("[stagerail:x]", "[stagerail:x]"))
    world.crm._next += [Answer(), None]
    with pytest.raises(Unreachable):
        await world.client().add_note(deal, Note(MARKER, "no marker in the text"))
    assert await world.client().has_note(deal, MARKER) is True


async def test_a_task_is_given_to_the_owner_due_by_its_day(world: World) -> None:
    deal = world.crm.add_deal()
    client = world.client()
    await client.add_task(deal, TASK)
    assert properties(world, "tasks") == [
        {
            "hs_timestamp": "2026-11-23T17:00:00Z",
            "hs_task_subject": "Hold the demo",
            "hs_task_body": f"Why<br>{MARKER}",
            "hs_task_status": "NOT_STARTED",
            "hs_task_type": "TODO",
            "hubspot_owner_id": "o-77",
        }
    ]
    assert await client.has_task(deal, MARKER) is True
    assert await client.has_note(deal, MARKER) is False


@pytest.mark.parametrize(
    ("named", "deal_s", "given"),
    [(None, "9001", "9001"), (None, None, None), ("77", "9001", None), (None, "nobody", None)],
)
async def test_a_task_without_an_owner_goes_to_the_deal_s_and_one_of_a_stranger_to_nobody(
    world: World, named: str | None, deal_s: str | None, given: str | None
) -> None:
    deal = world.crm.add_deal(**({"hubspot_owner_id": deal_s} if deal_s else {}))
    await world.client().add_task(deal, TASK._replace(owner=named))
    assert [one.get("hubspot_owner_id") for one in world.crm.things["tasks"].values()] == [given]


async def test_the_account_s_configuration_is_read(world: World) -> None:
    found = await world.client().configuration()
    assert [pipeline["id"] for pipeline in found["pipelines"]] == ["default", "renewals"]
    assert [owner["id"] for owner in found["owners"]] == ["o-77", "9001"]
    assert (found["portal_id"], len(found["properties"]), len(found["labels"])) == (5799819, 3, 2)
    assert await world.client().renew_channel(NOON) is None
    json.dumps(found)


async def test_what_is_only_of_help_in_a_configuration_may_be_forbidden(world: World) -> None:
    world.crm._next += [Answer(403), Answer(404)]
    found = await world.client().configuration()
    assert (found["portal_id"], found["labels"], len(found["pipelines"])) == (None, [], 2)
