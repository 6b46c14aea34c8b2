"""A CRM asks with its own record or event, under its own credentials: the same decision, and nothing stored of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app import clock
from tests.api.test_connections import generic
from tests.api.world import World, log_of, problem_of
from tests.builders import ready_deal, stored
from tests.crm.fakes.dynamics_steps import dynamics_settings
from tests.crm.generic_builders import signed, update


class Crm:
    """A CRM of somebody's own that asks before it moves."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connection = f"g-{world.tenant}"
        self.deal_id = f"{self.connection}:42"
        self.now = clock.now()

    async def connect(self, **changes: Any) -> None:
        """Connect it."""
        await self.world.good("PUT", f"/connections/{self.connection}", generic(**changes))

    async def keep(self, **changes: Any) -> None:
        """Store the deal through our API, with all its facts."""
        await self.world.good("PUT", f"/deals/{self.deal_id}", stored(**changes))

    def update(self, stage: Any = 2, *, ago: int = 0, **options: Any) -> dict[str, Any]:
        """An event of now, or of some seconds ago."""
        return update(stage, at=(self.now - timedelta(seconds=ago)).isoformat(), **options)

    async def ask(self, content: Any, **params: str) -> httpx.Response:
        """Ask about a body."""
        body, headers = signed(content, at=self.now)
        return await self.send(body, headers, **params)

    async def send(self, body: bytes, headers: Mapping[str, str], **params: str) -> httpx.Response:
        """Send bytes."""
        asked = {"connection": self.connection, **params}
        return await self.world.ask(
            "POST", "/validate-transition", content=body, headers=headers, params=asked, key=None
        )


@pytest.fixture
async def crm(world: World) -> Crm:
    found = Crm(world)
    await found.connect()
    return found


def seen(answer: httpx.Response) -> tuple[Any, ...]:
    assert answer.status_code == 200, answer.text
    content = answer.json()
    codes = [one["requirement"] for one in content["findings"] if one["severity"] == "block"]
    return content["from"], content["to"], content["outcome"], codes, content["facts"]["complete"]


async def test_an_event_is_judged_over_the_stored_deal_and_nothing_is_stored_of_it(crm: Crm) -> None:
    await crm.keep()
    answer = await crm.ask(crm.update(2))
    assert seen(answer) == ("demo_scheduled", "demo_completed", "blocked", ["next-step", "demo-held"], True)
    assert answer.json()["deal_id"] == crm.deal_id
    deal = await crm.world.good("GET", f"/deals/{crm.deal_id}")
    assert deal["stage"] == "demo_scheduled"
    (logged,) = (await crm.world.good("GET", "/decisions", params={"source": "crm"}))["items"]
    assert (logged["decision_id"], logged["deal_id"]) == (answer.json()["decision_id"], crm.deal_id)


async def test_what_the_event_brings_is_judged_with_it(crm: Crm) -> None:
    await crm.connect(fields={"/deal/step": {"field": "next_step"}})
    await crm.keep()
    held = {"id": 9, "type": "demo_call", "at": (crm.now - timedelta(hours=1)).isoformat(), "state": "completed"}
    content = crm.update(2, step="Send the contract on Monday", activities=[{**held, "result": "Held"}])
    assert seen(await crm.ask(content)) == ("demo_scheduled", "demo_completed", "allowed", [], True)


async def test_with_to_the_deal_is_asked_about_as_it_stands(crm: Crm) -> None:
    await crm.keep(**ready_deal())
    assert seen(await crm.ask({"deal": {"id": 42}}, to="demo_completed")) == (
        "demo_scheduled",
        "demo_completed",
        "allowed",
        [],
        True,
    )
    assert seen(await crm.ask(crm.update(1), to="lost"))[:4] == ("demo_scheduled", "lost", "blocked", ["why-lost"])
    assert seen(await crm.ask(crm.update(2), to="demo_completed"))[:3] == (
        "demo_scheduled",
        "demo_completed",
        "allowed",
    )


async def test_of_a_deal_that_nobody_stored_the_event_tells_what_it_can(crm: Crm) -> None:
    told = {**crm.update(2), "before": {"stage": 1}}
    source, to, outcome, _, complete = seen(await crm.ask(told))
    assert (source, to, outcome, complete) == ("demo_scheduled", "demo_completed", "blocked", False)
    assert seen(await crm.ask(crm.update(2)))[:3] == (None, "demo_completed", "not_judged")
    assert seen(await crm.ask({"deal": {"id": 7}}, to="won"))[:3] == (None, "won", "not_judged")


async def test_a_move_that_the_deal_has_made_already_is_judged_from_where_it_began(crm: Crm) -> None:
    await crm.world.good("PUT", f"/deals/{crm.deal_id}", stored())
    first, second = crm.update(1, ago=20, event="e-1"), crm.update(2, ago=10, event="e-2")
    for one in (first, second):
        body, headers = signed(one, at=crm.now)
        hook = f"/webhooks/{crm.connection}"
        assert (await crm.world.ask("POST", hook, content=body, headers=headers, key=None)).status_code == 202
    for _ in range(400):
        if (await crm.world.good("GET", f"/deals/{crm.deal_id}"))["stage"] == "demo_completed":
            break
    assert seen(await crm.ask(second))[:3] == ("demo_scheduled", "demo_completed", "blocked")
    assert seen(await crm.ask({"deal": {"id": 42, "stage": 2}}))[:3] == (
        "demo_scheduled",
        "demo_completed",
        "blocked",
    )


async def test_a_list_is_answered_with_a_list_and_what_cannot_be_used_stands_beside_it(crm: Crm) -> None:
    await crm.keep()
    answer = (await crm.ask([crm.update(2), 7, {**crm.update(3), "type": "person.updated"}])).json()
    assert [(one["deal_id"], one["outcome"]) for one in answer["decisions"]] == [(crm.deal_id, "blocked")]
    assert [(one["event"], one["code"]) for one in answer["faults"]] == [(1, "event_not_an_object")]
    nothing = await crm.ask({**crm.update(3), "type": "person.updated"})
    assert nothing.json() == {"decisions": []}


async def test_a_dry_run_leaves_the_log_alone(crm: Crm) -> None:
    await crm.keep()
    assert (await crm.ask(crm.update(2), dry_run="true")).status_code == 200
    assert await log_of(crm.world) == []


async def test_only_the_connections_own_credentials_open_it(crm: Crm) -> None:
    body, headers = signed(crm.update(2), at=crm.now)
    stale = signed(crm.update(2), at=crm.now - timedelta(minutes=10))[1]
    told = [problem_of(await crm.send(*one)) for one in ((body, {}), (body + b" ", headers), (body, stale))]
    assert told == ["bad-signature"] * 3
    answer = await crm.send(body, headers, connection="nobodys")
    assert (answer.status_code, problem_of(answer)) == (404, "unknown-connection")
    assert await log_of(crm.world) == []


@pytest.mark.parametrize("name", ["key", "code"])
async def test_a_crm_that_can_only_bring_its_key_in_the_address_may_ask_too(world: World, name: str) -> None:
    settings = dynamics_settings().model_dump(mode="json", exclude_none=True)
    connection = f"d-{world.tenant}"
    pipelines = {"all": {"process": "b2b-saas", "stages": {"0": "demo_scheduled", "2": "demo_completed"}}}
    mapped = {"fields": {}, "activities": {}, "contact_roles": {}, "approvals": {}, "pipelines": pipelines}
    await world.good("PUT", f"/connections/{connection}", {**settings, **mapped, "secret": "a long & random key"})
    asked = {"connection": connection, "to": "demo_completed"}
    body = {"opportunityid": str(UUID(int=7)), "salesstagecode": 0}
    told = [
        await world.ask("POST", "/validate-transition", body, params={**asked, name: key}, key=None)
        for key in ("a long & random key", "another")
    ]
    assert [one.status_code for one in told] == [200, 401]


@pytest.mark.parametrize("content", [7, [], [7], {}, {"deal": {}}, "x"])
async def test_what_is_neither_event_nor_record_is_told_as_such(crm: Crm, content: Any) -> None:
    answer = await crm.ask(content)
    if content == []:
        assert answer.json() == {"decisions": []}
        return
    assert (answer.status_code, problem_of(answer)) == (422, "unreadable-event")
    assert answer.json()["detail"]


async def test_hostile_bytes_are_told_as_such(crm: Crm) -> None:
    for body in (b"", b"{", b"[" * 9999, b'{"a": NaN}', b"\xff", b'{"a": "\\u0000"}'):
        headers = signed(None, at=crm.now)[1]
        assert problem_of(await crm.send(body, headers)) == "bad-signature"
    answer = await crm.send(b"x" * 5_000_000, signed(None, at=crm.now)[1])
    assert (answer.status_code, problem_of(answer)) == (401, "bad-signature")


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"to": ""}, "to"),
        ({"to": "x" * 201}, "to"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"tO": "won"}, "tO"),
        ({"connection": ""}, "connection"),
    ],
)
async def test_parameters_are_as_strict_as_everywhere(crm: Crm, params: dict[str, str], place: str) -> None:
    answer = await crm.ask(crm.update(2), **params)
    assert (answer.status_code, [one["place"] for one in answer.json()["errors"]]) == (422, [place])


async def test_a_stage_that_there_is_not_is_told_with_those_that_there_are(crm: Crm) -> None:
    answer = await crm.ask({"deal": {"id": 42}}, to="signed")
    assert (answer.status_code, problem_of(answer)) == (422, "unknown-stage")
    assert answer.json()["known"] == ["demo_scheduled", "demo_completed", "won", "lost"]
    answer = await crm.ask({"deal": {"id": 42}})
    assert [one["code"] for one in answer.json()["errors"]] == ["no_move_asked"]
