"""The recipes in docs/salesforce.md and docs/dynamics.md: what the flow sends is answered, and the script registers."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.crm.circle import circle
from tests.crm.circle_keyed import PlayedSalesforce
from tests.crm.fakes.base import Answer, Call, FakeCrm, route
from tests.crm.fakes.salesforce import deal_id
from tests.crm.fakes.salesforce_messages import KEY

DOCS = Path(__file__).parents[2] / "docs"
API = "/api/data/v9.2"


def blocks(page: str, language: str) -> list[str]:
    """The code on a page of the documentation."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


async def test_what_the_screen_flow_sends_is_answered_as_it_expects(database_url: str) -> None:
    request, response = (json.loads(one) for one in blocks("salesforce.md", "json"))
    played = PlayedSalesforce()
    async with circle(database_url, played) as world:
        await world.connect()
        await world.judged(await played.make(), (None, "demo_scheduled", "not_judged"))

        async def ask(body: dict[str, Any]) -> Any:
            headers = {"x-stagerail-key": KEY, "authorization": ""}
            answer = await world.client.post(
                "/validate-transition", params={"connection": "crm"}, json=body, headers=headers
            )
            assert answer.status_code == 200, answer.text
            return answer.json()

        assert (await ask(request))["outcome"] == "allowed"
        await played.fill_next_step(deal_id(42))
        blocked = await ask({**request, "NextStep": None} | {"StageName": "Proposal/Quote"})
        assert (blocked["outcome"], blocked["from"], blocked["to"]) == ("blocked", "demo_scheduled", "demo_completed")
        assert set(response) <= set(blocked)
        assert set(response["findings"][0]) <= set(blocked["findings"][0])


class Registry(FakeCrm):
    """The part of Dynamics where steps are registered."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, list[dict[str, Any]]] = {}

    @route("GET", API + "/sdkmessages")
    def _message(self, call: Call) -> Answer:
        name = call.query["$filter"].split("'")[1]
        return Answer(200, {"value": [{"sdkmessageid": f"message-{name}"}]})

    @route("GET", API + "/sdkmessagefilters")
    def _filter(self, call: Call) -> Answer:
        found = re.fullmatch(
            r"primaryobjecttypecode eq '(\w+)' and _sdkmessageid_value eq message-(\w+)", call.query["$filter"]
        )
        assert found is not None
        rows = [] if found[2] == "Lose" else [{"sdkmessagefilterid": f"{found[2]}-{found[1]}"}]
        return Answer(200, {"value": rows})

    @route("POST", API + "/{table}")
    def _make(self, call: Call, table: str) -> Answer:
        rows = self.made.setdefault(table, [])
        rows.append(call.json)
        name = {"serviceendpoints": "serviceendpointid"}.get(table, table.rstrip("s") + "id")
        return Answer(201, {**call.json, name: f"{table}-{len(rows)}"})


async def test_the_script_registers_the_gate_and_what_tells(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("node is not on PATH")
        pytest.skip("node is not on PATH")
    (tmp_path / "register-steps.js").write_text(blocks("dynamics.md", "js")[0])
    async with Registry() as crm:
        environ = {
            "PATH": os.environ["PATH"], "DYNAMICS": crm.url, "TOKEN": crm.token, "CONNECTION": "d",
            "SECRET": 'a "key" & more', "STAGERAIL": "https://gate.example.com", "FIELDS": "estimatedvalue",
            "ACTIVITY_FIELDS": "new_result",
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            node, "register-steps.js", cwd=tmp_path, env=environ, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert (process.returncode, said.decode().splitlines()[-1]) == (0, "registered")
        endpoints = [(one["url"], one["contract"], one["authtype"]) for one in crm.made["serviceendpoints"]]
        assert endpoints == [
            ("https://gate.example.com/veto/d", 8, 5), ("https://gate.example.com/webhooks/d", 8, 5)
        ]  # fmt: skip
        value = 'value="a &#34;key&#34; &#38; more"'
        assert value in crm.made["serviceendpoints"][0]["authvalue"]
        steps = crm.made["sdkmessageprocessingsteps"]
        asks = [one for one in steps if one["mode"] == 0]
        assert [
            (one["stage"], one["sdkmessagefilterid@odata.bind"], one.get("filteringattributes")) for one in asks
        ] == [
            (20, "/sdkmessagefilters(Update-opportunity)", "salesstagecode,statecode"),
            (20, "/sdkmessagefilters(Win-opportunity)", None),
        ]
        assert len(steps) == 14
        images = crm.made["sdkmessageprocessingstepimages"]
        assert [one["attributes"] for one in images][:2] == [
            "salesstagecode,statecode", "salesstagecode,statecode,ownerid,estimatedvalue"
        ]  # fmt: skip
        watched = "statecode,statuscode,regardingobjectid,ownerid,scheduledstart,scheduledend,actualend,new_result"
        changes = [one.get("filteringattributes") for one in steps[-4:]]
        assert (changes, images[2]["attributes"]) == ([watched] * 4, f"{watched},directioncode,subject,description")
        assert (
            images[0]["sdkmessageprocessingstepid@odata.bind"]
            == "/sdkmessageprocessingsteps(sdkmessageprocessingsteps-1)"
        )
