"""The recipe in docs/hubspot.md, run as it stands there: what is asked for is moved when it is allowed, else told."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.crm.fakes.base import Answer, Call, FakeCrm, route
from tests.crm.hubspot.conftest import World

DOCS = Path(__file__).parents[3] / "docs"
RUN = """
const { main } = require("./action.js");
main(JSON.parse(process.env.EVENT), (said) => console.log(JSON.stringify(said))).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
"""


class Gate(FakeCrm):
    """Answers as `POST /validate-transition` does: one stage is allowed, the others are not."""

    unknown: frozenset[str] = frozenset()

    @route("POST", "/validate-transition")
    def _validate(self, call: Call) -> Answer:
        if call.json["to"] == "demo_completed":
            return Answer(200, {"outcome": "allowed", "findings": []})
        if call.json["deal_id"] in self.unknown:
            return Answer(200, {"outcome": "not_judged", "findings": []})
        findings = [
            {"severity": "block", "message": "Hold the demo", "detail": "no demo held"},
            {"severity": "warn", "message": "Budget", "detail": "unknown"},
        ]
        return Answer(200, {"outcome": "blocked", "findings": findings})


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("node is not on PATH")
        pytest.skip("node is not on PATH")
    return node


async def _ask(folder: Path, world: World, gate: Gate, deal: str, **inputs: Any) -> tuple[int | None, Any]:
    """Run the action for a deal, as a workflow does."""
    node = _node()
    code = re.search(r"```js\n(.*?)```", (DOCS / "hubspot.md").read_text(), re.DOTALL)
    assert code is not None
    (folder / "action.js").write_text(code[1])
    (folder / "run.js").write_text(RUN)
    environ = {
        "PATH": os.environ["PATH"], "HUBSPOT": world.crm.url, "HUBSPOT_TOKEN": world.crm.token, "STAGERAIL": gate.url,
        "STAGERAIL_KEY": gate.token, "EVENT": json.dumps({"object": {"objectId": int(deal)}, "inputFields": inputs}),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        node, "run.js", cwd=folder, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate()
    return process.returncode, json.loads(said)["outputFields"]["outcome"] if said else None


async def test_a_requested_stage_is_set_when_it_is_allowed_and_explained_when_not(world: World, tmp_path: Path) -> None:
    deal = world.crm.add_deal(requested_stage="demo_completed")
    thing = world.crm.things["deals"][deal]
    async with Gate() as gate:
        asked = await _ask(tmp_path, world, gate, deal, requested_stage="demo_completed", amount="12", hs_next_step="")
        assert asked == (0, "allowed")
        assert (thing.get("dealstage"), thing.get("requested_stage")) == ("qualifiedtobuy", None)
        assert [call.json for call in gate.calls] == [
            {
                "deal_id": f"hubspot-eu:{deal}",
                "to": "demo_completed",
                "proposed": {"fields": {"amount": 12, "next_step": None}},
            }
        ]
        assert await _ask(tmp_path, world, gate, deal, requested_stage="won") == (0, "blocked")
        assert thing.get("dealstage") == "qualifiedtobuy"
        assert [one.get("hs_note_body") for one in world.crm.things["notes"].values()] == [
            "Hold the demo: no demo held"
        ]
        gate.unknown = frozenset({f"hubspot-eu:{deal}"})
        assert await _ask(tmp_path, world, gate, deal, requested_stage="won") == (0, "not_judged")
        assert [*world.crm.things["notes"].values()][-1].get("hs_note_body") == "Not moved: not_judged"
        assert await _ask(tmp_path, world, gate, deal, requested_stage="odd") == (0, "unknown_stage")
        gate.fail_next(1, 503)
        assert await _ask(tmp_path, world, gate, deal, requested_stage="won") == (1, None)
