"""Whether a refused move has been put right since, on both databases: the facts of now count, whenever they came."""

from datetime import datetime
from typing import Any

from app.engine import Decision
from app.services.crm_facts import Taken
from app.services.remedy_advice import still_refused
from app.store.database import Database, Transaction
from app.store.processes import ProcessVersion, lock_process, publish
from tests.crm.builders import NOON
from tests.crm.judged import ILLEGAL, A, B, Judged, after, changed, demo, judging
from tests.crm.world import SALES

STEP = changed("Send the offer", 60, "next_step_text")


async def _stricter(database: Database) -> Judged:
    """A process that asks for the demo and for an approval as well."""
    source = SALES.replace(b"mode: warn}]", b"}, {id: boss, approval: sales_manager}]")

    async def work(tx: Transaction) -> None:
        await lock_process(tx, "acme", "sales", NOON)
        row = ("acme", "sales", 2, "sha256:2", "application/yaml", source.decode(), "[]", NOON, None)
        await publish(tx, ProcessVersion(*row))

    await database.transaction(work)
    stages = {"default": {"process": "sales", "version": 2, "stages": {A: "demo_scheduled", B: "demo_completed"}}}
    return await judging(database, pipelines=stages)


def _reasons(taken: Taken, at: datetime) -> list[Any] | None:
    """What still stands in the way of the refused move."""
    one = taken.found[-1]
    assert (one.standing, one.move is not None, taken.snapshot is not None) == ("drift", True, True)
    found: Decision | None = still_refused(taken.deal, taken.snapshot, one, one.move, at)  # type: ignore[arg-type]
    return None if found is None else [finding.requirement for finding in found.findings]


async def test_what_came_since_stands_in_the_way_no_more(database: Database) -> None:
    judged = await _stricter(database)
    asked = await judged.read(*ILLEGAL, at=30)
    assert _reasons(asked, after(30)) == ["next-step", "demo-held", "boss"]
    filled = await judged.read(*ILLEGAL, STEP, at=70)
    assert _reasons(filled, after(70)) == ["demo-held", "boss"]
    held = await judged.read(*ILLEGAL, STEP, facts=[demo(90)], at=100)
    assert _reasons(held, after(80)) == ["demo-held", "boss"]
    assert _reasons(held, after(100)) == ["boss"]
    approved = await judged.read(*ILLEGAL, STEP, changed("yes", 110, "ok", by="88"), facts=[demo(90)], at=120)
    assert _reasons(approved, after(120)) is None
    assert (await judged.moves())[-1][2] == "drift"
