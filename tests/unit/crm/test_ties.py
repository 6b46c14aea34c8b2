"""What CRMs are vague about: several changes in one second, a stage that was only seen, groups that nobody asks for."""

from datetime import timedelta
from itertools import permutations
from typing import Any

from app.crm.client import Told
from app.crm.events import Event, Fact
from app.crm.joining import in_order, joined
from app.crm.record import HISTORY, Record
from app.crm.state import Deal, tell
from app.engine import compile_process, load_process, never_asked
from app.engine.snapshot import Activity
from tests.crm.builders import NOON, hubspot_settings

SETTINGS = hubspot_settings()
STAGE = "dealstage"
A, B, W, L = "appointmentscheduled", "qualifiedtobuy", "w", "l"


def _changed(value: str, previous: str | None, seconds: float = 0) -> Event:
    at = NOON + timedelta(seconds=seconds)
    return Event(f"{value}:{seconds}", "1", "changed", at, STAGE, value, previous=previous, tells_previous=True)


def _seen(value: str, seconds: float) -> Event:
    return Event(f"seen:{value}:{seconds}", "1", "seen", NOON + timedelta(seconds=seconds), STAGE, value)


def _moves(deal: Deal) -> list[tuple[str | None, str]]:
    return [(move.before.stage if move.before else None, move.entry.stage) for move in deal.line.moves]


def test_changes_in_one_second_follow_each_other_as_they_tell() -> None:
    through = [_changed(B, A), _changed(W, B), _changed(L, W)]
    back = [_changed(A, None, -9), _changed(B, A), _changed(A, B)]
    for events in (through, back):
        orders = {tuple(one.value for one in in_order(order)) for order in permutations(events)}
        assert orders == {tuple(one.value for one in events)}
        assert {joined((), order) for order in permutations(events)} == {tuple(events)}


def test_changes_in_one_second_that_fit_no_chain_keep_one_order_all_the_same() -> None:
    for events in ([_changed(B, A), _changed(W, A)], [_changed(B, A), _seen(W, 0)]):
        assert len({tuple(in_order(order)) for order in permutations(events)}) == 1


def test_a_stage_that_was_seen_late_makes_no_move_where_every_change_is_known() -> None:
    told_late: Any = (_seen(B, 12), _seen(A, 13))
    changes = (_changed(A, None), _changed(B, A, 5), _changed(A, B, 10))
    first = tell(SETTINGS, Record(), told_late, None)
    assert _moves(first) == [(None, "demo_completed"), ("demo_completed", "demo_scheduled")]
    told = Told(changes, (), frozenset({HISTORY}), NOON + timedelta(seconds=60))
    whole = tell(SETTINGS, first.record, (), None, told=told)
    expected = [(None, "demo_scheduled"), ("demo_scheduled", "demo_completed"), ("demo_completed", "demo_scheduled")]
    assert _moves(whole) == expected
    assert _moves(tell(SETTINGS, whole.record, told_late, None)) == expected
    later = tell(SETTINGS, whole.record, (_seen(W, 90),), None)
    assert _moves(later) == [*expected, ("demo_scheduled", "won")]


def test_every_change_is_known_up_to_the_last_that_the_crm_told_though_its_clock_runs_ahead() -> None:
    changes = (_changed(A, None), _changed(B, A, 5), _changed(A, B, 10))
    noted = Event("n", "1", "changed", NOON + timedelta(seconds=14), "next_step_text", "Call")
    told = Told((*changes, noted), (), frozenset({HISTORY}), NOON + timedelta(seconds=3))
    deal = tell(SETTINGS, Record().with_events([_seen(B, 12)]), (), None, told=told)
    assert [after for _, after in _moves(deal)] == ["demo_scheduled", "demo_completed", "demo_scheduled"]


def _demo(status: str) -> Fact:
    return Fact("1", "activity", "a", NOON, {"activity": "demo", "at": NOON.isoformat(), "status": status})


def test_an_activity_that_was_ticked_off_in_the_second_it_was_booked_in_is_done() -> None:
    for order in permutations([_demo("planned"), _demo("done")]):
        deal = tell(SETTINGS, Record(), (), None, facts=order)
        assert [one.status for one in deal.facts.now(Activity)] == ["done"]


def _asks(requirement: str, policies: str = "{}") -> list[str]:
    source = f"""
process: p
roles: [boss]
contacts: [champion]
activities: [{{key: call, kind: call}}]
fields: [{{key: amount, type: number}}]
stages: [{{key: a}}, {{key: won, kind: won}}]
path: [a, won]
policies: {policies}
transitions: [{{from: a, to: won, requires: [{requirement}]}}]
"""
    return sorted(never_asked(compile_process(load_process(source.encode(), source="p.yaml"), 1)))


def test_a_process_lacks_no_facts_that_it_never_asks_for() -> None:
    assert _asks("{id: x, field: amount, is: present}") == ["activities", "approvals", "contacts"]
    assert _asks("{id: x, activity: call}") == ["approvals", "contacts"]
    assert _asks("{id: x, activity: call, with: champion}") == ["approvals"]
    assert _asks("{id: x, any: [{contact: champion}, {not: {approval: boss}}]}") == ["activities"]
    assert _asks("{id: x, field: amount, is: present, when: {approval: boss}}") == ["activities", "contacts"]
    assert _asks("{id: x, field: amount, is: present}", "{first_touch: call}") == ["approvals", "contacts"]
