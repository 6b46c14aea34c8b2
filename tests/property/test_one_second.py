"""CRMs that tell whole seconds: however often a deal moves within one, its way and where it stands come out right."""

import json
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.crm.client import Told
from app.crm.connection import ConnectionSettings
from app.crm.events import Event
from app.crm.pipedrive.events import read
from app.crm.pipedrive.history import history
from app.crm.record import HISTORY, Record
from app.crm.state import Deal, Stored, snapshot_now, tell
from app.crm.zoho.reading import stage_history
from tests.crm.builders import NOON
from tests.crm.fakes.pipedrive import FakePipedrive, pipedrive_settings
from tests.crm.fakes.zoho import DEAL, FakeZoho, zoho_settings

Way = list[tuple[int, str]]
"""Seconds since the deal was made, and the stage that it came to be in: the first one is the one it was made in."""
READ_AT = NOON + timedelta(hours=1)


def _walks(*stages: str) -> st.SearchStrategy[Way]:
    steps = st.lists(st.tuples(st.sampled_from((0, 0, 0, 1)), st.sampled_from(stages)), min_size=1, max_size=9)
    return steps.map(_walk)


def _walk(steps: Sequence[tuple[int, str]]) -> Way:
    way: Way = [(0, steps[0][1])]
    for pause, stage in steps[1:]:
        if stage != way[-1][1]:
            way.append((way[-1][0] + pause, stage))
    return way


def _read_back(settings: ConnectionSettings, events: Sequence[Event], before: Sequence[Event] = ()) -> Deal:
    record = Record().with_events(before)
    return tell(settings, record, (), None, told=Told(tuple(events), (), frozenset({HISTORY}), READ_AT))


Moves = list[tuple[int, str | None, str]]


def _told(deal: Deal) -> Moves:
    """Every move as it is told: when, from where, to where. No two of them may go by the same name."""
    moves = deal.line.moves
    assert len({move.identity for move in moves}) == len({move.entry for move in moves}) == len(moves)
    return [
        ((one.event.at - NOON) // timedelta(seconds=1), one.before and one.before.crm_stage, str(one.event.value))
        for one in moves
    ]


def _moves(way: Way) -> Moves:
    befores = [None, *(stage for _, stage in way)]
    return [(seconds, before, stage) for before, (seconds, stage) in zip(befores, way, strict=False)]


def _pipedrive(way: Way) -> tuple[FakePipedrive, list[dict[str, Any]]]:
    crm = FakePipedrive()
    webhooks = crm.make_deal(42, at=NOON, **_fields(way[0][1]))
    for seconds, stage in way[1:]:
        webhooks += crm.change(42, at=NOON + timedelta(seconds=seconds), **_fields(stage))
    return crm, webhooks


def _fields(stage: str) -> dict[str, Any]:
    return {"status": stage} if stage in ("won", "lost") else {"status": "open", "stage_id": int(stage)}


@given(_walks("1", "2", "3"), st.booleans())
def test_a_changelog_tells_every_move_in_its_order_whichever_way_round_it_comes(way: Way, newest_first: bool) -> None:
    settings = pipedrive_settings()
    crm, _ = _pipedrive(way)
    changelog = crm.changelog[42][::-1] if newest_first else crm.changelog[42]
    if not newest_first and len({seconds for seconds, _ in way}) == 1:
        changelog = changelog[::-1]  # of one second alone, and back where it began, the order does not show
    assert _told(_read_back(settings, history(settings, "42", crm.deals[42], changelog, READ_AT))) == _moves(way)


@given(_walks("1", "2", "3"), st.lists(st.booleans(), min_size=10, max_size=10), st.randoms())
def test_webhooks_that_came_before_or_after_change_nothing_about_it(way: Way, came: list[bool], chance: Any) -> None:
    settings = pipedrive_settings()
    crm, webhooks = _pipedrive(way)
    some = [webhook for webhook, has_come in zip(webhooks, came, strict=False) if has_come]
    chance.shuffle(some)
    events = [event for webhook in some for event in _events(webhook)]
    back = history(settings, "42", crm.deals[42], crm.changelog[42][::-1], READ_AT)
    first = _read_back(settings, back, events)
    assert _told(first) == _moves(way)
    later = tell(settings, _read_back(settings, back).record, events, None)
    assert (_told(later), later.record.events) == (_moves(way), first.record.events)


@given(_walks("1", "2", "3"), st.randoms())
def test_webhooks_alone_tell_as_much_as_they_can(way: Way, chance: Any) -> None:
    _, webhooks = _pipedrive(way)
    chance.shuffle(webhooks)
    deal = tell(pipedrive_settings(), Record(), [one for webhook in webhooks for one in _events(webhook)], None)
    told, moves = _told(deal), _moves(way)
    if len(set(moves)) == len(moves):  # the very same move, made twice in one second, cannot be told from a copy
        assert (told[-1][2], sorted(told[1:])) == (way[-1][1], sorted(moves[1:]))
    if len(set(way)) == len(way):  # of several ways round to the same stage nobody says which came first
        assert told == moves


@given(_walks("1", "2", "3"), st.randoms())
def test_a_deal_that_is_stored_after_each_webhook_is_the_same_in_the_end(way: Way, chance: Any) -> None:
    settings = pipedrive_settings()
    _, webhooks = _pipedrive(way)
    whole = tell(settings, Record(), [one for webhook in webhooks for one in _events(webhook)], None)
    chance.shuffle(webhooks)
    deal, stored = tell(settings, Record(), (), None), None
    for webhook in (*webhooks, *webhooks):
        deal = tell(settings, deal.record, _events(webhook), stored)
        stored = Stored("sales", snapshot_now(deal, "pd:42", UTC), NOON)
    assert [entry[:3] for entry in deal.line.entries] == [entry[:3] for entry in whole.line.entries]


def _events(webhook: dict[str, Any]) -> tuple[Event, ...]:
    return read(json.dumps(webhook).encode(), pipedrive_settings()).events


@given(_walks("Demo", "Shown", "Closed Won"), st.booleans(), st.booleans())
def test_a_stage_history_tells_every_move_in_its_order(way: Way, newest_first: bool, was_told: bool) -> None:
    settings = zoho_settings()
    crm = FakeZoho()
    crm.make_deal(DEAL, at=NOON, Stage=way[0][1])
    for seconds, stage in way[1:]:
        crm.change(DEAL, at=NOON + timedelta(seconds=seconds), Stage=stage)
    shows_its_order = way[0] != (0, way[-1][1]) or way[-1][0] > 0
    entries = crm.history[DEAL] if shows_its_order and not newest_first else crm.history[DEAL][::-1]
    events = list(stage_history(entries, settings, DEAL, way[-1][1]))
    last = NOON + timedelta(seconds=way[-1][0])
    seen = [Event("seen", DEAL, "seen", last, "Stage", way[-1][1])] if was_told else []
    assert _told(_read_back(settings, events, seen)) == _moves(way)
