"""What HubSpot reports becomes judged moves and facts of stored deals, on both databases."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine import Snapshot
from app.services.deliveries import BadSignature, Request, UnknownConnection, receive
from app.store.crm_moves import list_moves
from app.store.database import Database
from app.store.deals import StoredDeal, insert_deal, read_deal
from app.store.decisions import list_decisions
from app.store.deliveries import read_delivery
from tests.crm.builders import NOON, SECRET, body_of, change, creation, signed_headers, stage_change
from tests.crm.world import KEY, URI, became_of, connect, deals_of, deliver, log_of, work_off

DEAL_ID = "hs:332507367156"
A, B, W = "appointmentscheduled", "qualifiedtobuy", "w"


def _at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


async def _take(database: Database, *events: Any) -> tuple[str, dict[str, int]]:
    delivery_id = await deliver(database, body_of(*events))
    await work_off(database)
    return await became_of(database, delivery_id)


async def _store(database: Database, **facts: Any) -> None:
    snapshot = Snapshot(id=DEAL_ID, **facts)
    row = ("acme", DEAL_ID, "sales", 1, snapshot.stage, None, 1, snapshot.model_dump_json(by_alias=True), None)
    await database.transaction(lambda tx: insert_deal(tx, StoredDeal(*row, NOON, NOON)))


async def test_a_deal_is_followed_from_its_making_to_its_end(database: Database) -> None:
    became = await _take(
        database,
        creation(),
        stage_change(A),
        change("next_step_text", "Send the offer", at=_at(1)),
        stage_change(B, at=_at(1), by="77"),
        stage_change(W, at=_at(2)),
        {**creation(), "subscriptionType": "deal.deletion"},
    )
    assert became == ("processed", {"judged": 2, "not_judged": 2, "facts": 2})
    assert await log_of(database) == [
        (None, None, "not_judged"),
        (None, "demo_scheduled", "not_judged"),
        ("demo_scheduled", "demo_completed", "allowed"),
        ("demo_completed", "won", "blocked"),
    ]
    assert await deals_of(database) == {
        DEAL_ID: {
            "id": DEAL_ID,
            "stage": "won",
            "stage_entered_at": "2026-11-20T12:02:00Z",
            "created_at": "2026-11-20T12:00:00Z",
            "stage_history": [
                {"stage": "demo_scheduled", "entered_at": "2026-11-20T12:00:00Z"},
                {"stage": "demo_completed", "entered_at": "2026-11-20T12:01:00Z"},
                {"stage": "won", "entered_at": "2026-11-20T12:02:00Z"},
            ],
            "fields": {"next_step": "Send the offer"},
        }
    }


async def test_a_verdict_says_what_it_lacked_and_who_moved(database: Database) -> None:
    await _take(database, stage_change(A), stage_change(B, at=_at(1), by="77"))
    judged, first = await list_decisions(database, "acme", limit=10)
    missing = ["activities", "approvals", "contacts", "fields", "stage_history"]
    assert json.loads(first.document)["missing"] == sorted([*missing, "stage"])
    assert json.loads(judged.document)["missing"] == missing
    findings = {one["requirement"]: one["code"] for one in json.loads(judged.document)["findings"]}
    assert findings == {"next-step": "cannot_evaluate", "demo-held": "cannot_evaluate"}
    assert (judged.source, judged.actor_id, judged.as_of, judged.facts_complete) == ("webhook", "rep-7", _at(1), False)


async def test_a_deal_kept_through_the_api_is_judged_with_the_facts_it_has(database: Database) -> None:
    await _store(database, stage="demo_scheduled", fields={"next_step": "Call them"})
    assert await _take(database, stage_change(B)) == ("processed", {"judged": 1})
    (judged,) = await list_decisions(database, "acme", limit=10)
    assert (judged.outcome, judged.facts_complete) == ("allowed", True)
    codes = [one["code"] for one in json.loads(judged.document)["findings"]]
    assert codes == ["activity_missing"]


async def test_a_late_move_takes_its_place_and_the_next_one_is_judged_anew(database: Database) -> None:
    await _take(database, stage_change(A), stage_change(W, at=_at(5)))
    assert await _take(database, stage_change(B, at=_at(3))) == ("processed", {"judged": 1, "judged_anew": 1})
    assert await log_of(database) == [
        (None, "demo_scheduled", "not_judged"),
        ("demo_scheduled", "won", "blocked"),
        ("demo_scheduled", "demo_completed", "blocked"),
        ("demo_completed", "won", "blocked"),
    ]
    assert (await deals_of(database))[DEAL_ID]["stage"] == "won"


async def test_copies_count_once_within_a_batch_and_across_deliveries(database: Database) -> None:
    first, second = stage_change(A), stage_change(B, at=_at(1))
    assert await _take(database, first, {**first, "eventId": 5}, second) == (
        "processed",
        {"not_judged": 1, "judged": 1, "duplicate": 1},
    )
    again = await _take(database, {**second, "attemptNumber": 3}, first)
    assert again == ("processed", {"duplicate": 2})
    assert len(await log_of(database)) == 2


async def test_a_stage_nobody_mapped_is_not_judged_nor_is_the_way_out_of_it(database: Database) -> None:
    await _take(database, stage_change(A), stage_change("won", at=_at(1)), stage_change(B, at=_at(2)))
    assert (await log_of(database))[1:] == [
        ("demo_scheduled", "unmapped:won", "not_judged"),
        ("unmapped:won", "demo_completed", "not_judged"),
    ]


async def test_the_pipeline_tells_which_process_judges(database: Database) -> None:
    pipelines = {
        "p1": {"process": "sales", "stages": {"s1": "demo_scheduled", "w": "won"}},
        "p2": {"process": "renewals", "stages": {"s2": "due", "w": "won"}},
    }
    await connect(database, pipelines=pipelines)
    await _take(database, stage_change("w", at=_at(4)))
    assert await log_of(database) == [(None, "unmapped:w", "not_judged")]
    assert await deals_of(database) == {}
    await _take(database, change("pipeline", "p2", at=_at(3)), stage_change("s2", at=_at(3)))
    assert (await log_of(database))[1:] == [(None, "due", "not_judged"), ("due", "won", "allowed")]
    deal = await read_deal(database, "acme", DEAL_ID)
    assert deal is not None
    assert (deal.process_key, deal.process_version, deal.stage, deal.connection_id) == ("renewals", 1, "won", "hs")


async def test_deals_of_one_batch_are_kept_apart(database: Database) -> None:
    events = [
        stage_change(stage, deal=deal, at=_at(minute)) for deal in (1, 2, 3) for minute, stage in enumerate([A, B])
    ]
    assert await _take(database, *reversed(events)) == ("processed", {"not_judged": 3, "judged": 3})
    assert {deal_id: deal["stage"] for deal_id, deal in (await deals_of(database)).items()} == {
        f"hs:{number}": "demo_completed" for number in (1, 2, 3)
    }


async def test_a_delivery_that_says_nothing_new_leaves_the_deal_as_it_is(database: Database) -> None:
    await _take(database, stage_change(A), stage_change(A, at=_at(5)))
    before = await read_deal(database, "acme", DEAL_ID)
    assert before is not None
    assert before.revision == 1
    assert await _take(database, stage_change(A, at=_at(6))) == ("processed", {"ignored": 1})
    assert await read_deal(database, "acme", DEAL_ID) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "json_invalid"),
        (body_of(stage_change(A, portal_id=1)), "event_of_another_account"),
        (body_of(*[stage_change(A)] * 101), "delivery_too_many_events"),
    ],
)
async def test_what_cannot_be_read_is_kept_as_refused_with_the_reason(
    database: Database, body: bytes, code: str
) -> None:
    delivery = await read_delivery(database, "acme", await deliver(database, body))
    assert delivery is not None
    assert (delivery.status, delivery.body, json.loads(delivery.reason or "")["code"]) == ("refused", body, code)
    await work_off(database)
    assert await log_of(database) == []


async def test_what_cannot_be_used_is_counted_and_the_rest_is(database: Database) -> None:
    became = await _take(database, stage_change(A), stage_change(B, portal_id=1), 17)
    assert became == ("processed", {"not_judged": 1, "refused": 2})


async def test_nothing_is_stored_of_what_is_not_signed_or_not_for_us(database: Database) -> None:
    body = body_of(stage_change(A))
    headers = signed_headers(body, uri=URI, at=NOON)
    request = Request("POST", URI, headers, body)
    with pytest.raises(UnknownConnection):
        await receive(database, "other", request, key=KEY, now=NOON)
    stale = {"now": _at(6)}, {"now": _at(-6)}
    for wrong in (*stale, {"request": request._replace(body=body + b" ")}, {"request": request._replace(headers={})}):
        with pytest.raises(BadSignature):
            await receive(database, "hs", **{"request": request, "key": KEY, "now": NOON, **wrong})  # type: ignore[arg-type]
    other = request._replace(headers=signed_headers(body, uri=URI, at=NOON, secret=SECRET[::-1]))
    with pytest.raises(BadSignature):
        await receive(database, "hs", other, key=KEY, now=NOON)
    await work_off(database)
    assert (await log_of(database), await deals_of(database)) == ([], {})


_HISTORY = st.lists(
    st.one_of(
        st.builds(
            lambda minute, stage: stage_change(stage, at=_at(minute)),
            st.integers(0, 9),
            st.sampled_from([A, B, W, "?"]),
        ),
        st.builds(
            lambda minute, value: change("amount", value, at=_at(minute)), st.integers(0, 9), st.sampled_from("12")
        ),
        st.builds(lambda minute: creation(at=_at(minute)), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=6,
)
_numbers = iter(range(1, 10**9))


async def test_a_copy_that_tells_who_it_was_counts_whichever_came_first(database: Database) -> None:
    told = [stage_change(B, at=_at(1)), stage_change(B, at=_at(1), by="77")]
    for deal, copies in ((1, told), (2, told[::-1])):
        for one in (stage_change(A), *copies, *copies):
            await _take(database, {**one, "objectId": deal})
        moves = await list_moves(database, "acme", "hs", str(deal))
        assert [one.author for one in moves if one.from_stage is not None] == ["rep-7"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_HISTORY, order=st.randoms(use_true_random=False), size=st.integers(1, 4))
async def test_any_order_ends_in_the_same_stored_deal(
    database: Database, history: list[Any], order: random.Random, size: int
) -> None:
    straight, shuffled = next(_numbers), next(_numbers)
    await deliver(database, body_of(*[{**event, "objectId": straight} for event in history]))
    copies = [{**event, "objectId": shuffled} for event in (*history, *history[::2])]
    order.shuffle(copies)
    for start in range(0, len(copies), size):
        await deliver(database, body_of(*copies[start : start + size]))
    await work_off(database)
    deals = await deals_of(database)
    one, other = deals.get(f"hs:{straight}"), deals.get(f"hs:{shuffled}")
    assert (one or {}) | {"id": ""} == (other or {}) | {"id": ""}
