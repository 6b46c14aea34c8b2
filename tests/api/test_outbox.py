"""The outbox over HTTP: what happened is told, listed, replayed, cancelled."""

import asyncio
from typing import Any

import pytest

from app import clock
from tests.api.world import World
from tests.builders import ready_deal, stored
from tests.crm.builders import SECRET, settings_json, signed_headers

URL = "https://events.invalid/hook"


@pytest.fixture
async def quiet(world: World) -> World:
    """Give a world whose outbox nobody works on: what waits, waits."""
    await world.app.state.services.outbox.stop()
    return world


async def told(world: World, **params: str) -> list[dict[str, Any]]:
    items = (await world.good("GET", "/outbox", params=params))["items"]
    return [(await world.good("GET", f"/outbox/{one['id']}"))["payload"] for one in reversed(items)]


async def test_a_move_is_told_whether_it_was_made_or_refused(quiet: World) -> None:
    await quiet.good("PUT", "/endpoints/all", {"url": URL})
    await quiet.good("PUT", "/endpoints/moved", {"url": URL, "events": ["deal.moved"]})
    await quiet.good("PUT", "/deals/D-1", stored(**ready_deal()))
    refused = await quiet.good("POST", "/deals/D-1/moves", {"to": "won", "actor": {"id": "rep-7"}})
    made = await quiet.good("POST", "/deals/D-1/moves", {"to": "demo_completed"})
    first, second = await told(quiet, target="endpoint:all")
    assert {name: value for name, value in first.items() if name not in ("id", "time")} == {
        "specversion": "1.0",
        "source": "urn:stagerail",
        "type": "deal.move.refused",
        "subject": "D-1",
        "datacontenttype": "application/json",
        "data": {
            "deal": "D-1",
            "process": {"key": "b2b-saas", "version": 1},
            "from": "demo_scheduled",
            "to": "won",
            "outcome": "blocked",
            "decision": refused["decision_id"],
            "source": "move",
            "actor": "rep-7",
            "findings": [
                {name: one[name] for name in ("code", "severity", "requirement")} for one in refused["findings"]
            ],
        },
    }
    assert (second["type"], second["data"]["decision"]) == ("deal.moved", made["decision_id"])
    assert [second] == await told(quiet, target="endpoint:moved")


async def test_a_move_made_elsewhere_is_told_with_its_verdict(quiet: World) -> None:
    await quiet.good("PUT", "/endpoints/all", {"url": URL})
    await quiet.good("PUT", "/deals/D-1", stored(**ready_deal()))
    put = await quiet.good("PUT", "/deals/D-1", stored(stage="won"))
    (event,) = await told(quiet)
    assert (event["type"], event["data"]["source"], event["data"]["outcome"], event["data"]["decision"]) == (
        "deal.moved", "put", put["decision"]["outcome"], put["decision"]["decision_id"],
    )  # fmt: skip


async def test_nothing_is_told_of_what_was_not_done(quiet: World) -> None:
    await quiet.good("PUT", "/endpoints/all", {"url": URL})
    await quiet.good("PUT", "/deals/D-1", stored(**ready_deal()))
    await quiet.refusal("POST", "/deals/D-1/moves", {"to": "nowhere"})
    await quiet.good("PUT", "/deals/D-1", stored(**ready_deal()))
    assert [] == await told(quiet)


async def test_without_endpoints_nothing_is_put_into_the_outbox(quiet: World) -> None:
    await quiet.good("PUT", "/deals/D-1", stored(**ready_deal()))
    await quiet.good("POST", "/deals/D-1/moves", {"to": "won"})
    assert [] == (await quiet.good("GET", "/outbox"))["items"]


async def test_a_move_sent_twice_under_one_key_is_told_once(quiet: World) -> None:
    await quiet.good("PUT", "/endpoints/all", {"url": URL})
    await quiet.good("PUT", "/deals/D-1", stored(**ready_deal()))
    for _ in range(2):
        await quiet.good("POST", "/deals/D-1/moves", {"to": "won"}, headers={"idempotency-key": "one"})
    assert 1 == len(await told(quiet))


async def waiting_item(world: World) -> str:
    await world.good("PUT", "/endpoints/all", {"url": URL})
    await world.good("PUT", "/deals/D-1", stored(**ready_deal()))
    await world.good("POST", "/deals/D-1/moves", {"to": "won"})
    (item,) = (await world.good("GET", "/outbox"))["items"]
    return str(item["id"])


async def test_what_waits_is_cancelled_and_then_replayed(quiet: World) -> None:
    item = await waiting_item(quiet)
    assert (409, "outbox-item-waits") == await quiet.refusal("POST", f"/outbox/{item}/replay")
    cancelled = await quiet.good("POST", f"/outbox/{item}/cancel")
    assert (cancelled["status"], cancelled["code"], cancelled["reason"]) == (
        "cancelled", "cancelled", "cancelled by hand",
    )  # fmt: skip
    assert (409, "outbox-item-over") == await quiet.refusal("POST", f"/outbox/{item}/cancel")
    again = await quiet.good("POST", f"/outbox/{item}/replay")
    assert (again["id"], again["status"], again["attempts"], again["payload"]) == (
        item, "waiting", 0, cancelled["payload"],
    )  # fmt: skip


async def test_the_outbox_is_listed_by_status_and_kind(quiet: World) -> None:
    item = await waiting_item(quiet)
    await quiet.good("POST", f"/outbox/{item}/cancel")

    async def ids(**params: str) -> list[str]:
        return [one["id"] for one in (await quiet.good("GET", "/outbox", params=params))["items"]]

    assert ([item], [], [item], []) == (
        await ids(status="cancelled"), await ids(status="dead"), await ids(kind="event"), await ids(kind="remedy"),
    )  # fmt: skip
    assert (422, "invalid-request") == await quiet.refusal("GET", "/outbox?status=eaten")


async def test_what_cannot_be_sent_waits_and_says_why(world: World) -> None:
    item = await waiting_item(world)
    found: dict[str, Any] = {}
    for _ in range(300):
        found = await world.good("GET", f"/outbox/{item}", headers={"accept-language": "it"})
        if found["code"]:
            break
        await asyncio.sleep(0.02)
    assert (found["status"], found["attempts"], bool(found["reason"])) == ("waiting", 1, True)
    metrics = ""
    for _ in range(300):
        metrics = (await world.ask("GET", "/metrics")).text
        if 'stagerail_outbox_attempts_total{kind="event",result="later"}' in metrics:
            break
        await asyncio.sleep(0.02)
    assert 'stagerail_outbox_attempts_total{kind="event",result="later"}' in metrics
    assert world.tenant not in metrics


async def test_a_delivery_that_cannot_be_read_is_told(quiet: World) -> None:
    await quiet.good("PUT", "/endpoints/all", {"url": URL, "events": ["delivery.refused"]})
    settings = settings_json(secret=SECRET)
    settings["pipelines"]["default"]["process"] = "b2b-saas"
    hub = f"hub-{quiet.tenant}"
    await quiet.good("PUT", f"/connections/{hub}", settings)
    headers = signed_headers(b"{", uri=f"http://test/webhooks/{hub}", at=clock.now())
    received = await quiet.good("POST", f"/webhooks/{hub}", content=b"{", headers=headers, key=None)
    (event,) = await told(quiet)
    assert (event["type"], event["subject"], event["data"]["connection"]) == (
        "delivery.refused", received["delivery_id"], hub,
    )  # fmt: skip
    assert event["data"]["code"] == "json_invalid"
