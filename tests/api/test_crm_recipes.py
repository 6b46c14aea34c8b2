"""What the recipes in docs/ have CRMs send to `/validate-transition`, sent as they send it, and answered."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx

from app import clock
from tests.api.test_tenant_isolation import worked_on
from tests.api.world import World
from tests.builders import ready_deal, stored
from tests.crm.fakes.pipedrive import PASSWORD, USER, FakePipedrive, basic, pipedrive_settings
from tests.crm.fakes.zoho import DEAL, TOKEN, FakeZoho, zoho_settings


async def connect(world: World, secret: str, settings: Any) -> str:
    """Connect a CRM to the world's process, and store its deal with all facts."""
    connection = f"{settings.crm}-{world.tenant}"
    body = {**settings.model_dump(mode="json", exclude_none=True), "secret": secret}
    for pipeline in body["pipelines"].values():
        pipeline["process"] = "b2b-saas"
    await world.good("PUT", f"/connections/{connection}", {**body, "contact_roles": {}})
    return connection


async def ask(world: World, connection: str, content: Any, headers: dict[str, str], **params: str) -> httpx.Response:
    """Ask as a CRM does."""
    body, asked = json.dumps(content).encode(), {"connection": connection, **params}
    return await world.ask("POST", "/validate-transition", content=body, headers=headers, params=asked, key=None)


def seen(answer: httpx.Response) -> tuple[str, str, str]:
    """From, to, outcome."""
    assert answer.status_code == 200, answer.text
    content = answer.json()
    return content["from"], content["to"], content["outcome"]


async def test_zoho_s_validation_rule_asks_with_the_record_and_the_token(world: World) -> None:
    connection = await connect(world, TOKEN, zoho_settings())
    await world.good("PUT", f"/deals/{connection}:{DEAL}", stored())
    record = {"id": DEAL, "Stage": "Shown", "Deal_Name": "x", "Owner": {"id": "77"}, "$approval": {"resubmit": False}}
    asked = {"token": TOKEN, "data": [record]}
    headers = {"content-type": "application/json"}
    assert seen(await ask(world, connection, asked, headers)) == ("demo_scheduled", "demo_completed", "blocked")
    last_saved = {**record, "Modified_Time": "2026-01-05T10:00:00+05:30"}
    answer = await ask(world, connection, {"token": TOKEN, "data": [last_saved]}, headers)
    assert seen(answer) == ("demo_scheduled", "demo_completed", "blocked")
    assert timedelta(0) <= clock.now() - datetime.fromisoformat(answer.json()["as_of"]) < timedelta(minutes=1)
    assert seen(await ask(world, connection, asked, headers, to="lost")) == ("demo_completed", "lost", "blocked")
    await world.good("PUT", f"/deals/{connection}:{DEAL}", stored(**ready_deal()))
    assert seen(await ask(world, connection, asked, headers)) == ("demo_scheduled", "demo_completed", "allowed")
    for wrong in ({**asked, "token": "x"}, {"data": [record]}, record):
        assert (await ask(world, connection, wrong, headers)).status_code == 401


async def test_zoho_s_function_is_refused_a_move_with_its_reasons_and_no_other_save(world: World) -> None:
    connection = await connect(world, TOKEN, zoho_settings())
    await world.good("PUT", f"/deals/{connection}:{DEAL}", stored())
    headers = {"content-type": "application/json"}

    async def save(stage: str) -> httpx.Response:
        body = json.dumps({"token": TOKEN, "data": [{"id": DEAL, "Stage": stage, "Deal_Name": "x"}]})
        return await world.ask("POST", f"/veto/{connection}", content=body, headers=headers, key=None)

    refused = await save("Shown")
    assert (refused.status_code, "Hold the demo" in refused.json()["detail"]) == (409, True)
    told = FakeZoho().notification("update", {DEAL: {"Stage": "Shown"}}, clock.now())  # an import moves it all the same
    answer = await world.good("POST", f"/webhooks/{connection}", told, key=None)
    await worked_on(world, answer["delivery_id"])
    assert (await save("Shown")).json() == {"allowed": True, "checked": True, "decisions": []}


async def test_zoho_s_notifications_are_questions_too(world: World) -> None:
    connection = await connect(world, TOKEN, zoho_settings())
    await world.good("PUT", f"/deals/{connection}:{DEAL}", stored())
    asked = FakeZoho().notification("update", {DEAL: {"Stage": "Shown"}}, clock.now())
    answer = await ask(world, connection, asked, {"content-type": "application/json"})
    assert seen(answer)[1:] == ("demo_completed", "blocked")


async def test_pipedrive_asks_with_a_deal_or_with_a_webhook(world: World) -> None:
    connection = await connect(world, f"{USER}:{PASSWORD}", pipedrive_settings())
    await world.good("PUT", f"/deals/{connection}:42", stored())
    crm = FakePipedrive()
    now = clock.now()
    crm.make_deal(42, at=now - timedelta(days=30), stage_id=1)
    [moved] = crm.change(42, at=now, stage_id=2)
    for asked in (moved, crm.deals[42], {"success": True, "data": crm.deals[42]}):
        assert seen(await ask(world, connection, asked, basic()))[1:] == ("demo_completed", "blocked")
    assert (await ask(world, connection, moved, basic(password="x"))).status_code == 401
    asked = {"data": crm.deals[42], "changed_by": 77}
    assert seen(await ask(world, connection, asked, basic(), to="won"))[1:] == ("won", "allowed")
    logged = (await world.good("GET", "/decisions", params={"limit": "1"}))["items"][0]
    assert (logged["to"], logged["actor"]) == ("won", "rep-7")
