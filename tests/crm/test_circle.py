"""The whole circle, for every CRM and on both databases: from an illegal move there to its answer there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app import clock
from app.crm.record import from_document
from app.services import remedies, settling
from app.services.outbox import Later
from app.store.crm_records import ask_to_judge, read_record
from app.store.database import Transaction
from tests.crm.circle import Circle, circle
from tests.crm.circle_crms import CRMS
from tests.crm.fakes.base import Answer

MADE = (None, "demo_scheduled", "not_judged")
DRIFT = ("demo_scheduled", "demo_completed", "drift")
ON = ("demo_completed", "won", "drift")
BACK = ("demo_completed", "demo_scheduled", "own")


@pytest.fixture(params=[*((crm, "sqlite") for crm in sorted(CRMS)), ("hubspot", "postgres")], ids="-".join)
async def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Circle]:
    """Give a server connected with a CRM of each kind in turn; what failed is tried again at once."""
    monkeypatch.setattr(settling, "WAITS", (timedelta(milliseconds=100),) * 50)
    monkeypatch.setattr(remedies, "SETTLING_WAITS", 0.1)
    crm, database = request.param
    async with circle(request.getfixturevalue(f"fresh_{database}_url"), CRMS[crm]()) as found:
        yield found


async def _judge_now(world: Circle, deal: str) -> None:
    """Let the time that a deal settles for be over, once its news has come."""

    async def came() -> bool:
        record = await read_record(world.database, "acme", "crm", deal)
        return record is not None and from_document(record.document).waiting_since is not None

    await world.until(came)

    async def work(tx: Transaction) -> None:
        await ask_to_judge(tx, "acme", "crm", deal, clock.now())

    await world.database.transaction(work)


async def _answer(world: Circle) -> None:
    """Do what waits out its grace, once whatever still comes has settled."""
    for _ in range(100):
        await world.settled()
        try:
            return await world.answer()
        except Later as why:
            assert why.code == "remedy_settles"  # noqa: PT017 - anything else is a failure
            await asyncio.sleep(0.05)
    raise AssertionError(await world.told())


async def test_an_illegal_move_is_put_back_and_explained_and_makes_no_loop(world: Circle) -> None:
    await world.connect(language="it")
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    await world.tick()
    await world.crm.move(deal, "demo_completed")
    assert await world.remedied(deal) == {"revert": "done", "note": "done", "task": "done"}
    assert world.crm.stage(deal) == "demo_scheduled"
    await world.judged(deal, MADE, DRIFT, BACK)
    await world.quiet()
    (note,), ((subject, text),) = world.crm.notes(deal), world.crm.tasks(deal)
    assert "è stata riportata a «demo scheduled»" in note
    assert "[stagerail:" in note
    assert "[stagerail:" in text
    assert "next step" in subject
    assert await world.verdicts(deal) == [MADE, DRIFT, BACK]
    stored = await world.get(f"/deals/crm:{deal}")
    assert stored["stage"] == "demo_scheduled"


async def test_a_late_fact_supersedes_the_verdict_and_nothing_is_answered(world: Circle) -> None:
    await world.connect(grace="1h", settle="60s", remedy=["note"])
    deal = await world.crm.make()
    await _judge_now(world, deal)
    await world.judged(deal, MADE)
    await world.tick()
    await world.crm.move(deal, "demo_completed")
    await _judge_now(world, deal)
    await world.judged(deal, MADE, DRIFT)
    assert len((await world.get("/outbox", status="waiting"))["items"]) == 1
    await world.crm.fill_next_step(deal)
    await _judge_now(world, deal)
    await world.judged(deal, MADE, (*DRIFT[:2], "allowed"))
    log = [one for one in (await world.get("/decisions"))["items"] if one["from"] == "demo_scheduled"]
    assert [one["outcome"] for one in log] == ["allowed", "blocked"]
    assert log[0]["supersedes"] == log[1]["decision_id"]
    assert (await world.get("/outbox", status="waiting"))["items"] == []
    counted = await world.get("/insights/adherence", process="sales")
    assert counted["moves"]["total"] == 1


async def test_a_move_out_of_a_closed_stage_s_reach_is_noted_and_not_put_back(world: Circle) -> None:
    await world.connect()
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    await world.tick()
    await world.crm.move(deal, "won")
    assert await world.remedied(deal) == {"revert": "closed", "note": "done", "task": "done"}
    assert world.crm.stage(deal) == "won"


async def test_after_refused_moves_in_a_row_a_deal_is_put_back_once_to_where_it_stood_rightly(world: Circle) -> None:
    await world.connect(grace="1h", revert_closed=True)
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    for stage, *verdicts in (("demo_completed", MADE, DRIFT), ("won", MADE, DRIFT, ON)):
        await world.tick()
        await world.crm.move(deal, stage)
        await world.judged(deal, *verdicts)
    await world.tick()
    await _answer(world)
    assert world.crm.stage(deal) == "demo_scheduled"
    assert await world.came_to(deal) == [
        {"revert": "moved_on", "note": "done", "task": "done"},
        {"revert": "done", "note": "done", "task": "done"},
    ]
    await _answer(world)
    refused, ours = (await world.verdicts(deal))[:3], (await world.verdicts(deal))[3:]
    assert (refused, {one for *_, one in ours}, ours[-1][1]) == ([MADE, DRIFT, ON], {"own"}, "demo_scheduled")
    assert (await world.came_to(deal))[1] == dict.fromkeys(("revert", "note", "task"), "already_done")
    assert [len(world.crm.notes(deal)), len(world.crm.tasks(deal))] == [2, 2]


async def test_what_its_people_put_right_within_the_grace_is_not_answered(world: Circle) -> None:
    """Once by moving the deal back, which the process would not have allowed either; once by what was missing."""
    await world.connect(grace="1h")
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    told: list[tuple[str | None, str, str]] = [MADE]
    back = (*BACK[:2], "drift")
    for stage, verdict in (("demo_completed", DRIFT), ("demo_scheduled", back), ("demo_completed", DRIFT)):
        await world.tick()
        await world.crm.move(deal, stage)
        told.append(verdict)
        await world.judged(deal, *told)
    await world.tick()
    await world.crm.fill_next_step(deal)

    async def came() -> bool:
        return "next_step" in (await world.get(f"/deals/crm:{deal}"))["fields"]

    await world.until(came)
    await _answer(world)
    told_of = await world.came_to(deal)
    assert (len(told_of) > 0, {value for one in told_of for value in one.values()}) == (True, {"put_right"})
    assert (world.crm.stage(deal), world.crm.notes(deal), world.crm.tasks(deal)) == ("demo_completed", [], [])


async def test_a_deal_that_is_gone_is_left_alone(world: Circle) -> None:
    await world.connect(grace="1h")
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    await world.tick()
    await world.crm.move(deal, "demo_completed")
    await world.judged(deal, MADE, DRIFT)
    await world.crm.remove(deal)
    (item,) = (await world.get("/outbox", status="waiting"))["items"]
    answer = await world.client.post(f"/outbox/{item['id']}/cancel")
    answer = await world.client.post(f"/outbox/{item['id']}/replay")
    assert answer.status_code == 200, answer.text
    await world.quiet()
    done = await world.get("/outbox", status="done")
    assert [one["id"] for one in done["items"]] == [item["id"]]
    assert world.crm.notes(deal) == []


async def test_a_crm_that_cannot_be_read_makes_no_drift_until_it_can(world: Circle) -> None:
    await world.connect(remedy=["observe"])
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    await world.tick()
    world.crm.fake.fail_next(5, 500)
    await world.crm.move(deal, "demo_completed")
    await world.judged(deal, MADE, DRIFT)
    assert [one["outcome"] for one in (await world.get("/decisions"))["items"]].count("blocked") == 1


async def test_whichever_call_is_lost_each_effect_is_there_once(world: Circle) -> None:
    """The CRM does what it is asked, and the connection breaks before it answers: once at every call in turn."""
    await world.connect(grace="1h", revert_closed=True)
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    for stage, *verdicts in (("demo_completed", MADE, DRIFT), ("won", MADE, DRIFT, ON)):
        await world.tick()
        await world.crm.move(deal, stage)
        await world.judged(deal, *verdicts)
    await world.tick()
    lost = 0
    for place in range(120):
        world.crm.fake._next = [Answer()] * place + [None]
        try:
            await world.answer()
        except Later as why:
            lost += why.code != "remedy_settles"
            await asyncio.sleep(0.05)
        else:
            if world.crm.fake._next:
                break
    assert lost > 6
    assert (world.crm.stage(deal), len(world.crm.notes(deal)), len(world.crm.tasks(deal))) == ("demo_scheduled", 2, 2)
    world.crm.fake._next = []
    await world.settled()
    refused, ours = (await world.verdicts(deal))[:3], (await world.verdicts(deal))[3:]
    assert (refused, {one for *_, one in ours}) == ([MADE, DRIFT, ON], {"own"})
