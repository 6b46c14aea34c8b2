"""Activities, contacts, approvals and what else a CRM tells of a deal: now, and as it stood at a move."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.crm.client import Told
from app.crm.events import Event, Fact
from app.crm.record import OwnWrite, Record, from_document, to_document
from app.crm.state import Deal, Stored, lacking, snapshot_before, snapshot_now, tell
from app.engine.snapshot import Activity, Approval, Contact, Snapshot
from tests.crm.builders import NOON, hubspot_settings

SETTINGS = hubspot_settings(
    approvals={"boss_ok": {"role": "sales_manager", "to": "won"}, "any_ok": {"role": "sales_manager"}},
    people={"77": {"id": "rep-7", "roles": ["rep"]}, "88": {"id": "mgr-8", "roles": ["sales_manager"]}},
    acts_as="999",
)
STAGE = "dealstage"
A, B, W = "appointmentscheduled", "qualifiedtobuy", "w"


def _at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def _event(value: Any, minutes: float, name: str | None = STAGE, **more: Any) -> Event:
    kind = more.pop("kind", "changed")
    return Event(f"{kind}:{name}:{value}:{minutes}", "1", kind, _at(minutes), name, value, **more)


def _demo(minutes: float, at: float, value: dict[str, Any] | None = None, **more: Any) -> Fact:
    told = {"activity": "demo", "at": _at(at).isoformat(), "status": "done", "outcome": "held", **more}
    return Fact("1", "activity", "a-1", _at(minutes), told if value is None else value or None)


def _champion(minutes: float, role: str = "champion") -> Fact:
    return Fact("1", "contact", "c-1", _at(minutes), {"role": role})


def _told(*facts: Fact, at: float, complete: Sequence[str] = ("activities", "contacts"), **more: Any) -> Told:
    return Told(more.pop("events", ()), facts, frozenset(complete), _at(at), **more)  # type: ignore[arg-type]


def _deal(*events: Event, facts: Sequence[Fact] = (), told: Sequence[Told] = (), record: Record | None = None) -> Deal:
    deal = tell(SETTINGS, record or Record(), events, None, facts=facts)
    for one in told:
        deal = tell(SETTINGS, deal.record, (), None, told=one)
    return deal


def _moves(deal: Deal) -> list[tuple[str | None, str]]:
    return [(move.before.stage if move.before else None, move.entry.stage) for move in deal.line.moves]


def _now(deal: Deal) -> Snapshot:
    return snapshot_now(deal, "hs:1", UTC)


def _then(deal: Deal, place: int = -1, together: timedelta = timedelta(0)) -> Snapshot:
    return snapshot_before(deal, _now(deal), UTC, deal.line.moves[place], together)


def test_a_stage_that_was_only_seen_counts_as_a_change_at_its_time() -> None:
    deal = _deal(_event(A, 0), _event(B, 5, kind="seen"), _event(B, 9, kind="seen"))
    assert _moves(deal) == [(None, "demo_scheduled"), ("demo_scheduled", "demo_completed")]
    assert _now(deal).stage_entered_at == _at(5)


def test_what_an_event_tells_of_before_is_the_entry_before_where_none_is_known() -> None:
    deal = _deal(_event(B, 5, previous=A, tells_previous=True))
    assert _moves(deal) == [("demo_scheduled", "demo_completed")]
    assert _then(deal).stage_entered_at is None


def test_where_another_stage_is_known_before_one_event_is_missing_and_the_told_stage_stands_between() -> None:
    deal = _deal(_event(A, 0), _event(W, 5, previous=B, tells_previous=True))
    assert _moves(deal) == [(None, "demo_scheduled"), ("demo_completed", "won")]
    assert [entry[1:3] for entry in deal.line.entries] == [
        ("demo_scheduled", NOON),
        ("demo_completed", None),
        ("won", _at(5)),
    ]


def test_the_same_move_told_twice_a_moment_apart_is_one_move() -> None:
    deal = _deal(_event(A, 0), _event(B, 5), _event(B, 5.01, previous=A, tells_previous=True))
    assert _moves(deal) == [(None, "demo_scheduled"), ("demo_scheduled", "demo_completed")]


def test_an_activity_that_had_happened_counts_though_it_was_logged_later() -> None:
    deal = _deal(_event(A, 0), _event(B, 9), facts=[_demo(30, at=5)])
    held = Activity(id="a-1", activity="demo", at=_at(5), status="done", outcome="held")
    assert _then(deal).activities == _now(deal).activities == (held,)


def test_an_activity_that_was_still_to_come_counts_as_it_was_planned_then() -> None:
    booked = _demo(1, at=60, status="planned", outcome=None)
    deal = _deal(_event(A, 0), _event(B, 9), facts=[booked, _demo(70, at=61)])
    assert _then(deal).activities == (Activity(id="a-1", activity="demo", at=_at(60), status="planned"),)
    unseen = _deal(_event(A, 0), _event(B, 9), facts=[_demo(70, at=61)])
    assert _then(unseen).activities == (Activity(id="a-1", activity="demo", at=_at(61), status="planned"),)


def test_what_is_taken_off_the_record_after_a_move_was_on_it_at_the_move() -> None:
    deal = _deal(_event(A, 0), _event(B, 9), facts=[_demo(1, at=1), _demo(20, at=0, value={})])
    assert (len(_then(deal).activities), _now(deal).activities) == (1, ())
    before = _deal(_event(A, 0), _event(B, 9), facts=[_demo(1, at=1), _demo(5, at=0, value={})])
    assert _then(before).activities == ()


def test_what_a_whole_reading_does_not_hold_is_gone_and_what_is_newer_stays() -> None:
    newer = Fact("1", "contact", "c-2", _at(20), {"role": "champion"})
    deal = _deal(_event(A, 0), facts=[_champion(1), newer, _demo(1, at=1)], told=[_told(_demo(1, at=1), at=10)])
    assert [one.id for one in _now(deal).contacts] == ["c-2"]
    late = tell(SETTINGS, deal.record, (), None, facts=[Fact("1", "contact", "c-3", _at(2), {"role": "champion"})])
    assert [one.id for one in _now(late).contacts] == ["c-2"]


def test_a_contact_that_a_later_reading_finds_may_have_been_there_at_the_move() -> None:
    deal = _deal(_event(A, 0), _event(B, 30), told=[_told(at=10), _told(_champion(-900), at=31)])
    assert _now(deal).contacts == _then(deal).contacts == (Contact(id="c-1", role="champion"),)


def test_a_role_is_the_one_of_the_time() -> None:
    deal = _deal(_event(A, 0), _event(B, 9), facts=[_champion(1), _champion(60, "blocker")])
    assert [one.role for one in (*_then(deal).contacts, *_now(deal).contacts)] == ["champion", "blocker"]


def test_a_group_lacks_nothing_up_to_the_time_that_its_last_reading_covers() -> None:
    deal = _deal(_event(A, 0), _event(B, 30), told=[_told(at=10)])
    assert lacking(deal, _at(5)) == {"approvals", "fields", "stage_history"}
    assert lacking(deal, _at(30)) == {"activities", "approvals", "contacts", "fields", "stage_history"}
    fast = _told(at=10, events=(_event(W, 11),), complete=("stage_history", "fields"))
    assert lacking(_deal(_event(A, 0), told=[fast]), _at(11)) == {"activities", "approvals", "contacts"}


def test_a_way_that_was_known_whole_once_is_not_for_what_came_since() -> None:
    whole = ("stage_history", "fields", "activities", "contacts", "approvals")
    first = _told(at=10, events=(_event(None, 0, None, kind="created"), _event(A, 0)), complete=whole)
    partial = _told(at=30, events=(_event(W, 20),), complete=whole[1:])
    deal = _deal(told=(first, partial))
    assert [sorted(lacking(deal, _at(minute))) for minute in (5, 20)] == [[], ["stage_history"]]
    again = _told(at=40, events=(_event(B, 15), _event(W, 20)), complete=whole)
    assert lacking(_deal(record=deal.record, told=(again,)), _at(20)) == frozenset()


def test_filling_a_property_approves_and_emptying_it_takes_that_back() -> None:
    given_to = Approval.model_validate(
        {"role": "sales_manager", "by": "mgr-8", "from": "demo_completed", "to": "won", "at": _at(7)}
    )
    events = [_event(A, 0), _event(B, 5), _event("yes", 7, "boss_ok", by="88"), _event(W, 9)]
    assert _then(_deal(*events)).approvals == _now(_deal(*events)).approvals == (given_to,)
    taken_back = _deal(*events, _event("", 8, "boss_ok", by="88"))
    assert _then(taken_back).approvals == _now(taken_back).approvals == ()
    named = _deal(_event(A, 0), _event("88", 3, "any_ok", by="77"))
    assert [(one.by, one.from_stage, one.to_stage) for one in _now(named).approvals] == [
        ("mgr-8", "demo_scheduled", "demo_completed"),
        ("mgr-8", "demo_scheduled", "won"),
        ("mgr-8", "demo_scheduled", "lost"),
    ]


def test_what_is_saved_together_with_a_move_is_judged_with_it() -> None:
    deal = _deal(
        _event(A, 0), _event(B, 9), _event("9", 9.5, "amount"), _event("88", 9.5, "any_ok"), facts=[_demo(9, at=9.2)]
    )
    together = _then(deal, together=timedelta(minutes=1))
    assert (together.fields, len(together.approvals), together.activities[0].at) == ({"amount": 9}, 1, _at(9))
    apart = _then(deal)
    assert (apart.fields, apart.approvals) == ({}, ())


def test_a_field_that_was_only_seen_later_may_have_been_there() -> None:
    seen = _event("9", 60, "amount", kind="seen")
    assert _then(_deal(_event(A, 0), _event(B, 9), seen)).fields == {"amount": 9}
    told = _event("9", 60, "amount", previous="3", tells_previous=True)
    assert _then(_deal(_event(A, 0), _event(B, 9), told)).fields == {"amount": 3}


def test_what_was_stored_through_the_api_stays_when_an_older_change_is_told_under_another_key() -> None:
    known = _deal(_event(A, 0), _event("1000", 5, "amount", kind="seen"))
    stored = Stored(
        "sales", Snapshot(id="hs:1", stage="demo_scheduled", stage_entered_at=NOON, fields={"amount": 2000}), NOON
    )
    again = _event("1000", 5, "amount")
    assert again.key < known.record.events[-1].key
    told = tell(SETTINGS, known.record, (again,), stored)
    assert _now(told).fields == {"amount": 2000}
    assert _now(tell(SETTINGS, told.record, (_event("3000", 6, "amount"),), stored)).fields == {"amount": 3000}


def test_our_own_writes_are_where_the_deal_has_been_and_no_moves_of_anybody() -> None:
    record = Record(own=(OwnWrite("default", A, _at(20), _at(9)),))
    deal = _deal(_event(A, 0), _event(B, 9), _event(A, 20.1), _event(B, 21), _event(A, 25), record=record)
    assert [move.own for move in deal.line.moves] == [False, False, True, False, False]
    by_us = _deal(_event(A, 0), _event(B, 9, by="999"))
    assert [move.own for move in by_us.line.moves] == [False, True]
    seen_late = _deal(_event(A, 0), _event(B, 9), _event(A, 90, kind="seen"), record=record)
    assert [move.own for move in seen_late.line.moves] == [False, False, True]


def test_what_a_crm_does_on_the_way_to_where_we_put_a_deal_is_ours_as_well() -> None:
    """Dynamics opens a closed deal first, where it stood before, and only then lets its stage be changed."""
    line = _deal(_event(A, 0), _event(B, 4), _event(W, 5)).line
    record = Record(own=(OwnWrite("default", A, _at(20), _at(5), line.moves[2].identity, B),))
    events = (_event(A, 0), _event(B, 4), _event(W, 5), _event(B, 20))
    for steps, ours in (((), [True]), ((_event(A, 21),), [True, True]), ((_event(A, 21), _event(B, 22)), [True] * 2)):
        moves = _deal(*events, *steps, record=record).line.moves
        assert [move.own for move in moves][: 3 + len(ours)] == [False] * 3 + ours
        assert not any(move.own for move in moves[3 + len(ours) :])
    by_people = _deal(*events[:3], _event(A, 20), _event(B, 21), record=record)
    assert [move.own for move in by_people.line.moves] == [False] * 3 + [True, False]


def test_of_two_moves_in_one_second_the_one_that_goes_on_from_where_the_deal_stands_comes_first() -> None:
    there, back = (_event(W, 5, previous=B, tells_previous=True), _event(B, 5, previous=W, tells_previous=True))
    deal = _deal(_event(A, 0), _event(B, 4), there, back)
    assert _moves(deal)[2:] == [("demo_completed", "won"), ("won", "demo_completed")]
    answered = Record(own=(OwnWrite(None, B, _at(5.1), _at(5), deal.line.moves[2].identity),))
    again = _deal(_event(A, 0), _event(B, 4), there, back, record=answered)
    assert [move.own for move in again.line.moves] == [False, False, False, True]


def test_a_deal_is_gone_until_it_is_restored() -> None:
    gone = _deal(_event(A, 0), _event(None, 5, None, kind="deleted"))
    assert gone.line.gone is not None
    assert _deal(_event(A, 0), told=[_told(at=5, gone="merged:7")]).line.gone == Event(
        f"read:merged:7:{_at(5).isoformat()}", "1", "merged", _at(5), None, "7"
    )
    assert tell(SETTINGS, gone.record, (), None, told=_told(at=9)).line.gone is None
    late = (_told(at=9), _told(at=7, gone="deleted"))
    assert [_deal(_event(A, 0), told=order).line.gone for order in (late, late[::-1])] == [None, None]


def test_a_record_with_everything_in_it_is_the_same_after_it_was_kept() -> None:
    record = _deal(
        _event(A, 0, previous=B, tells_previous=True, channel="CRM_UI"),
        facts=[_demo(1, at=1)],
        told=[_told(_champion(2), at=3)],
        record=Record(own=(OwnWrite(None, A, _at(1), NOON),), waiting_since=NOON),
    ).record
    assert from_document(to_document(record)) == record


_minutes = st.integers(0, 12)
_things = st.one_of(
    st.builds(_event, st.sampled_from([A, B, W, "?"]), _minutes),
    st.builds(_event, st.sampled_from([A, B, W]), _minutes, kind=st.just("seen")),
    st.builds(
        _event,
        st.sampled_from([A, B, W]),
        _minutes,
        previous=st.sampled_from([A, B]),
        tells_previous=st.just(value=True),
    ),
    st.builds(_event, st.sampled_from(["88", "", "x"]), _minutes, st.just("any_ok"), by=st.sampled_from(["77", None])),
    st.builds(_event, st.just(None), _minutes, st.none(), kind=st.sampled_from(["deleted", "restored", "created"])),
    st.builds(_demo, _minutes, _minutes, status=st.sampled_from(["done", "planned"])),
    st.builds(_demo, _minutes, _minutes, st.just({})),
    st.builds(_champion, _minutes, st.sampled_from(["champion", "blocker"])),
)


def _arrive(things: Sequence[Event | Fact], size: int) -> tuple[Record, Snapshot | None, list[Snapshot]]:
    record, stored = Record(own=(OwnWrite(None, A, _at(3), _at(1)),)), None
    deal = tell(SETTINGS, record, (), None)
    for start in range(0, len(things), size):
        batch = things[start : start + size]
        deal = tell(
            SETTINGS,
            record,
            [one for one in batch if isinstance(one, Event)],
            stored,
            facts=[one for one in batch if isinstance(one, Fact)],
        )
        record = deal.record
        if deal.process is not None:
            stored = Stored(deal.process, _now(deal), NOON)
    moves = [snapshot_before(deal, _now(deal), UTC, move) for move in deal.line.moves if move.judgeable]
    return record, stored.snapshot if stored else None, moves


@given(history=st.lists(_things, max_size=9), order=st.randoms(), size=st.integers(1, 9))
def test_any_order_any_batches_and_any_doubles_of_events_and_facts_end_in_the_same(
    history: list[Event | Fact], order: random.Random, size: int
) -> None:
    shuffled = history + history[::2]
    order.shuffle(shuffled)
    assert _arrive(shuffled, size) == _arrive(history, 99)
