"""The verdicts on a deal's moves, on both databases: kept while they hold, superseded when they do not."""

import json

from app.crm.client import Told
from app.crm.record import OwnWrite, from_document, to_document
from app.crm.timeline import identity
from app.services.crm_facts import News, source_of, take_in
from app.services.processes import Processes
from app.store.crm_moves import list_moves
from app.store.crm_records import lock_record, read_record, write_record
from app.store.database import Database, Transaction
from app.store.deals import read_deal
from app.store.outbox import list_items
from app.store.processes import ProcessVersion, lock_process, publish
from tests.crm.builders import NOON
from tests.crm.judged import CREATED, ILLEGAL, WHOLE, A, B, after, changed, demo, judging
from tests.crm.world import SALES


async def test_drift_is_logged_with_its_author_and_answered_later(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL)
    assert (await judged.moves())[-1] == ("demo_scheduled", "demo_completed", "drift")
    assert await judged.log() == [("blocked", "rep-7", False)]
    (item,) = await list_items(database, "acme", limit=9)
    assert (item.kind, item.target_id, item.order_key, item.not_before) == ("remedy", "connection:hs", "1", after(69))


async def test_the_same_verdict_again_is_no_new_decision(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL)
    again = await judged.read(*ILLEGAL, facts=[demo(30)], at=40)
    assert again.decision_ids == []
    assert len(await judged.log()) == len(await judged.outbox()) == 1


async def test_a_late_fact_supersedes_and_withdraws_the_answer_and_it_counts_once(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL)
    assert await judged.counted() == 1
    await judged.read(*ILLEGAL, changed("Send the offer", 4, "next_step_text"), at=20)
    assert (await judged.moves())[-1] == ("demo_scheduled", "demo_completed", "allowed")
    assert await judged.log() == [("blocked", "rep-7", False), ("allowed", "rep-7", True)]
    assert await judged.outbox() == [("remedy", "cancelled")]
    assert await judged.counted() == 1


async def test_what_happens_after_a_move_changes_no_verdict(database: Database) -> None:
    judged = await judging(database)
    filled = changed("Send the offer", 4, "next_step_text")
    await judged.read(*ILLEGAL, filled, facts=[demo(3)])
    gone = demo(0)._replace(at=after(50), value=None)
    later = await judged.read(*ILLEGAL, filled, changed("", 30, "next_step_text"), facts=[gone], at=60)
    assert later.decision_ids == []


async def test_what_is_not_whole_makes_no_drift(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL, complete=("fields", "stage_history"))
    assert (await judged.moves())[-1][2] == "blocked_incomplete"
    assert await judged.outbox() == []
    deal = await read_deal(database, "acme", "hs:1")
    assert deal is not None
    assert deal.missing == "activities approvals contacts"


async def test_a_group_that_nothing_is_mapped_to_is_no_lack_for_a_move_that_does_not_ask_for_it(
    database: Database,
) -> None:
    judged = await judging(database, approvals={})
    await judged.read(*ILLEGAL, complete=("activities", "contacts", "fields", "stage_history"))
    assert (await judged.moves())[-1][2] == "drift"
    await judged.read(*ILLEGAL, changed(A, 20, "none"), at=30, complete=("fields", "stage_history"))
    assert (await judged.moves())[-1][2] == "drift"


async def test_what_is_drift_though_a_group_lacks_that_the_process_never_asks_about_counts_everywhere(
    database: Database,
) -> None:
    judged = await judging(database, contact_roles={"boss": "champion"})
    await judged.read(*ILLEGAL, complete=("activities", "approvals", "fields", "stage_history"))
    assert ((await judged.moves())[-1][2], await judged.counted()) == ("drift", 1)


async def test_old_moves_are_counted_and_not_answered(database: Database) -> None:
    judged = await judging(database)
    days = 9 * 24 * 60
    await judged.read(*ILLEGAL, at=days)
    assert (await judged.moves())[-1][2] == "drift"
    assert await judged.outbox() == []


async def test_moves_of_before_the_connection_are_not_answered(database: Database) -> None:
    judged = await judging(database)
    judged.connection = judged.connection._replace(created_at=after(6))
    await judged.read(*ILLEGAL)
    assert ((await judged.moves())[-1][2], await judged.outbox()) == ("drift", [])


async def test_a_deal_that_is_gone_is_not_answered_and_rots_no_more(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL, gone="deleted")
    deal = await read_deal(database, "acme", "hs:1")
    assert deal is not None
    assert ((await judged.moves())[-1][2], await judged.outbox(), deal.rots_at) == ("drift", [], None)


async def test_an_old_move_is_judged_by_the_version_that_judged_it_first(database: Database) -> None:
    judged = await judging(database)
    filled = (*ILLEGAL, changed("Send the offer", 4, "next_step_text"))
    await judged.read(*filled, facts=[demo(3)])

    async def stricter(tx: Transaction) -> None:
        source = SALES.replace(b"mode: warn", b"within: 1m")
        await lock_process(tx, "acme", "sales", NOON)
        row = ("acme", "sales", 2, "sha256:2", "application/yaml", source.decode(), "[]", NOON, None)
        await publish(tx, ProcessVersion(*row))

    await database.transaction(stricter)
    stages = {"default": {"process": "sales", "version": 2, "stages": {A: "demo_scheduled", B: "demo_completed"}}}
    await judged.connect(pipelines=stages)
    again = await judged.read(*filled, facts=[demo(3)], at=60)
    assert again.decision_ids == []


async def test_a_move_that_turns_out_to_be_none_counts_no_more(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL)
    await judged.read(*ILLEGAL, changed(B, 4), at=20)
    assert await judged.moves() == [
        (None, "demo_scheduled", "not_judged"),
        ("demo_scheduled", "demo_completed", "drift"),
    ]
    log = [("blocked", "rep-7", False), ("blocked", None, True)]
    assert (await judged.log(), await judged.counted()) == (log, 1)
    assert await judged.outbox() == [("remedy", "waiting")]


async def test_a_move_that_is_one_after_all_has_an_answer_of_its_own(database: Database) -> None:
    judged = await judging(database)
    late, early, between = changed(B, 9), changed(B, 1), changed(A, 3)
    for events in ((late,), (late, early), (late, early, between)):
        await judged.read(CREATED, changed(A, 0), *events, at=20)
    assert [verdict for _, _, verdict in await judged.moves()] == ["not_judged", "drift", "drift", "drift"]
    assert await judged.outbox() == [("remedy", "waiting")] * 3


async def test_who_moved_it_and_where_is_put_right_when_it_is_told_later(database: Database) -> None:
    judged = await judging(database)
    await judged.read(CREATED, changed(A, 0), changed(B, 5))
    await judged.read(*ILLEGAL, at=20)
    assert await judged.log() == [("blocked", None, False), ("blocked", "rep-7", True)]
    move = (await list_moves(database, "acme", "hs", "1"))[-1]
    assert (move.author, move.channel, await judged.counted()) == ("rep-7", "CRM_UI", 1)
    assert await judged.outbox() == [("remedy", "waiting")]


async def test_verdicts_of_before_moves_had_an_identity_are_superseded_and_count_once(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL)

    async def as_it_was_kept(tx: Transaction) -> None:
        stored = await lock_record(tx, "acme", "hs", "1")
        document = json.loads(stored.document or "")
        keys = {identity(event): event.key for event in ILLEGAL}
        document["verdicts"] = {keys[key]: [one[0], "as it was"] for key, one in document["verdicts"].items()}
        await write_record(tx, stored._replace(document=json.dumps(document)))

    await database.transaction(as_it_was_kept)
    await judged.read(*ILLEGAL, at=20)
    assert await judged.log() == [("blocked", "rep-7", False), ("blocked", "rep-7", True)]
    assert (await judged.counted(), await judged.outbox()) == (1, [("remedy", "waiting")])


async def test_verdicts_that_were_kept_without_their_authors_stand(database: Database) -> None:
    """That a newer version of ours looks at them is no reason to log them once more."""
    judged = await judging(database)
    await judged.read(*ILLEGAL)
    kept = ("24564ceb53bd0aab2082c2c271258b20", "a602d37aee1a36da553448b72cb9c7b4", "d37b4f6f856efe97ef76477856906f90")

    async def as_it_was_kept(tx: Transaction) -> None:
        stored = await lock_record(tx, "acme", "hs", "1")
        document = json.loads(stored.document or "")
        for verdict, about in zip(document["verdicts"].values(), kept, strict=True):
            verdict[1] = about
        await write_record(tx, stored._replace(document=json.dumps(document)))

    await database.transaction(as_it_was_kept)
    assert (await judged.read(*ILLEGAL, at=20)).decision_ids == []
    late = await judged.read(*ILLEGAL, changed("Send the offer", 4, "next_step_text"), at=30)
    assert len(late.decision_ids) == 1
    assert await judged.log() == [("blocked", "rep-7", False), ("allowed", "rep-7", True)]


async def test_our_own_write_is_where_the_deal_has_been_and_is_not_judged(database: Database) -> None:
    judged = await judging(database)
    taken = await judged.read(*ILLEGAL)
    refused = taken.deal.line.moves[-1]

    async def write(tx: Transaction) -> None:
        stored = await lock_record(tx, "acme", "hs", "1")
        own = OwnWrite("default", A, after(10), refused.event.at, refused.identity)
        record = from_document(stored.document).with_own(own)
        await write_record(tx, stored._replace(document=to_document(record)))

    await database.transaction(write)
    await judged.read(*ILLEGAL, changed(A, 10), at=20)
    assert (await judged.moves())[-1] == ("demo_completed", "demo_scheduled", "own")
    assert len(await judged.log()) == 1


async def test_what_has_come_since_a_reading_began_settles_first(database: Database) -> None:
    judged = await judging(database)
    source = source_of(judged.connection, Processes(), after(6))
    await database.transaction(lambda tx: take_in(tx, source, "1", News(ILLEGAL)))
    stored = await read_record(database, "acme", "hs", "1")
    assert stored is not None
    assert stored.judge_at == after(7)
    told = Told((), (), frozenset(WHOLE), after(6))
    early = News(told=told, settled=True, lease=after(99))
    taken = await database.transaction(lambda tx: take_in(tx, source, "1", early))
    assert (taken.settling, await judged.moves()) == (True, [])
    due = News(told=told, settled=True, lease=after(7))
    taken = await database.transaction(lambda tx: take_in(tx, source, "1", due))
    assert (taken.settling, len(await judged.moves())) == (False, 2)
    stored = await read_record(database, "acme", "hs", "1")
    assert stored is not None
    assert stored.judge_at is None


async def test_while_more_comes_it_settles_anew_but_not_for_ever(database: Database) -> None:
    judged = await judging(database)
    due = []
    for minute in range(8):
        source = source_of(judged.connection, Processes(), after(minute))
        news = News([changed("A" * (minute + 1), minute, "next_step_text")])
        await database.transaction(lambda tx, s=source, n=news: take_in(tx, s, "1", n))  # type: ignore[misc]
        stored = await read_record(database, "acme", "hs", "1")
        due.append(None if stored is None else stored.judge_at)
    assert due == [after(minute) for minute in (1, 2, 3, 4, 5, 5, 6, 7)]
