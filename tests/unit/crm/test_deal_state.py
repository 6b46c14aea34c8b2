"""A deal told by events: the same deal whatever the order of arrival, and each move seen with the facts of its time."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.crm.events import Event
from app.crm.hubspot import read
from app.crm.record import Record, from_document, to_document
from app.crm.state import Deal, Stored, snapshot_before, snapshot_now, tell
from app.engine.snapshot import Snapshot, StageEntry
from tests.crm.builders import NOON, body_of, change, creation, hubspot_settings, stage_change

SETTINGS = hubspot_settings()
A, B, C = "appointmentscheduled", "qualifiedtobuy", "w"


def _at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def _events(*raw: Any) -> tuple[Event, ...]:
    return read(body_of(*raw), SETTINGS).events


def _stored(**facts: Any) -> Stored:
    return Stored("sales", Snapshot(id="hs:1", **facts), NOON)


def _moves(deal: Deal) -> list[tuple[str | None, str, bool]]:
    return [(move.before.stage if move.before else None, move.entry.stage, move.judgeable) for move in deal.line.moves]


def test_a_late_event_takes_its_place_and_the_later_move_begins_from_it() -> None:
    deal = tell(SETTINGS, Record(), _events(stage_change(A), stage_change(C, at=_at(9))), None)
    assert _moves(deal) == [(None, "demo_scheduled", False), ("demo_scheduled", "won", True)]
    later = tell(SETTINGS, deal.record, _events(stage_change(B, at=_at(5))), None)
    assert _moves(later)[1:] == [("demo_scheduled", "demo_completed", True), ("demo_completed", "won", True)]
    assert snapshot_now(later, "hs:1", UTC) == Snapshot(
        id="hs:1",
        stage="won",
        stage_entered_at=_at(9),
        stage_history=(
            StageEntry(stage="demo_scheduled", entered_at=NOON),
            StageEntry(stage="demo_completed", entered_at=_at(5)),
            StageEntry(stage="won", entered_at=_at(9)),
        ),
    )


def test_what_is_asked_comes_after_all_that_was_so_in_its_second_and_before() -> None:
    emptied = Event("k", "1", "seen", NOON, "next_step_text", None)
    for known_at in (NOON, NOON + timedelta(seconds=9)):
        filled = Event("f", "1", "seen", known_at, "next_step_text", "send the offer")
        record = Record().with_events([emptied, filled])
        deal = tell(
            SETTINGS,
            record,
            record.asked_about([emptied]),
            _stored(stage="demo_scheduled", fields={"next_step": "Call"}),
        )
        assert snapshot_now(deal, "hs:1", UTC).fields["next_step"] is None


def test_to_be_told_of_the_stage_it_stands_in_is_no_move() -> None:
    deal = tell(SETTINGS, Record(), _events(stage_change(A), stage_change(A, at=_at(3))), None)
    assert _moves(deal) == [(None, "demo_scheduled", False)]
    assert snapshot_now(deal, "hs:1", UTC).stage_entered_at == NOON


def test_a_stage_that_is_not_mapped_can_never_be_taken_for_one_of_the_process() -> None:
    deal = tell(
        SETTINGS, Record(), _events(stage_change(A), stage_change("won", at=_at(1)), stage_change(C, at=_at(2))), None
    )
    assert _moves(deal)[1:] == [("demo_scheduled", "unmapped:won", False), ("unmapped:won", "won", False)]


def test_a_move_is_seen_with_the_facts_of_its_time() -> None:
    told = _events(
        change("amount", "1000", at=_at(1)),
        stage_change(A, at=_at(0)),
        stage_change(B, at=_at(2)),
        change("amount", "9000", at=_at(3)),
        change("next_step_text", "Send the offer", at=_at(3)),
        change("hubspot_owner_id", "o-77", at=_at(3)),
    )
    stored = _stored(stage="demo_scheduled", fields={"next_step": "tbd", "budget": "approved"}, owner="rep-1")
    deal = tell(SETTINGS, Record(), told, stored)
    now = snapshot_now(deal, "hs:1", UTC)
    assert (now.fields, now.owner) == ({"next_step": "Send the offer", "budget": "approved", "amount": 9000}, "rep-7")
    then = snapshot_before(deal, now, UTC, deal.line.moves[-1])
    assert (then.fields, then.owner) == ({"next_step": "tbd", "budget": "approved", "amount": 1000}, "rep-1")
    assert (then.stage, [entry.stage for entry in then.stage_history]) == ("demo_scheduled", [])


def test_what_was_stored_through_the_api_since_the_last_change_stays() -> None:
    first = tell(SETTINGS, Record(), _events(stage_change(A), change("amount", "1000", at=_at(5))), None)
    stored = _stored(stage="demo_scheduled", stage_entered_at=NOON, fields={"amount": 2000})
    late = tell(SETTINGS, first.record, _events(change("amount", "500", at=_at(4))), stored)
    assert snapshot_now(late, "hs:1", UTC).fields == {"amount": 2000}
    newer = tell(SETTINGS, late.record, _events(change("amount", "", at=_at(6))), stored)
    assert snapshot_now(newer, "hs:1", UTC).fields == {"amount": None}


def test_a_deal_stored_without_times_moves_from_the_stage_it_was_stored_in() -> None:
    stored = _stored(stage="demo_scheduled")
    deal = tell(SETTINGS, Record(), _events(stage_change(B, at=_at(-9000))), stored)
    assert _moves(deal) == [("demo_scheduled", "demo_completed", True)]
    again = Stored("sales", snapshot_now(deal, "hs:1", UTC), NOON)
    later = tell(SETTINGS, deal.record, _events(stage_change(C, at=_at(-10000))), again)
    assert _moves(later) == [("demo_scheduled", "won", True), ("won", "demo_completed", True)]


def test_facts_alone_leave_the_stage_of_a_stored_deal_as_it_is() -> None:
    stored = _stored(stage="demo_scheduled", stage_entered_at=NOON)
    deal = tell(SETTINGS, Record(), _events(change("amount", "5"), creation(at=_at(-5))), stored)
    expected = stored.snapshot.model_copy(update={"fields": {"amount": 5}, "created_at": _at(-5)})
    assert snapshot_now(deal, "hs:1", UTC) == expected


def test_a_deal_of_which_no_stage_is_mapped_is_in_no_process() -> None:
    deal = tell(SETTINGS, Record(), _events(stage_change("elsewhere"), change("amount", "5")), None)
    assert deal.process is None


def test_a_record_is_the_same_after_it_was_kept() -> None:
    deal = tell(SETTINGS, Record(), _events(creation(), stage_change(A, by="77"), change("amount", "é\u2028")), None)
    assert from_document(to_document(deal.record)) == deal.record


PIPELINES = {
    "p1": {"process": "sales", "stages": {"a": "new", "b": "met", "same": "won"}},
    "p2": {"process": "renewals", "stages": {"x": "due", "same": "won"}},
}
MANY = hubspot_settings(pipelines=PIPELINES)

_minutes = st.integers(0, 12).map(_at)
_happenings = st.one_of(
    st.builds(
        lambda at, stage: stage_change(stage, at=at), _minutes, st.sampled_from(["a", "b", "x", "same", "other"])
    ),
    st.builds(lambda at, value: change("pipeline", value, at=at), _minutes, st.sampled_from(["p1", "p2", "p9", ""])),
    st.builds(lambda at, value: change("amount", value, at=at), _minutes, st.sampled_from(["1", "2", ""])),
    st.builds(lambda at, value: change("hubspot_owner_id", value, at=at), _minutes, st.sampled_from(["o-77", "5"])),
    st.builds(lambda at: creation(at=at), _minutes),
)


def _arrive(events: Sequence[Event], cuts: Sequence[int]) -> tuple[Snapshot | None, Record]:
    """Deliver in batches, storing the deal in between as the service does.

    A deal that turns out to be in no process that can be told was none of ours: what was stored of it says nothing.
    """
    record, stored = Record(), None
    known: set[str] = set()
    for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        new = {event.key: event for event in events[start:end] if event.key not in known}
        known |= set(new)
        deal = tell(MANY, record, tuple(new.values()), stored)
        record = deal.record
        if deal.process is not None:
            stored = Stored(deal.process, snapshot_now(deal, "hs:1", UTC), NOON)
    is_ours = tell(MANY, record, (), stored).process is not None
    return stored.snapshot if stored and is_ours else None, record


@given(history=st.lists(_happenings, max_size=9), order=st.randoms(), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_any_order_any_batches_and_any_doubles_end_in_the_same_deal(
    history: list[Any], order: random.Random, cuts: list[int]
) -> None:
    events = list(read(body_of(*history), MANY).events)
    shuffled = events + events[::2]
    order.shuffle(shuffled)
    expected = _arrive(events, [])
    assert _arrive(shuffled, sorted(min(cut, len(shuffled)) for cut in cuts)) == expected
