"""Where a deal is put back to after refused moves, and who has put it back already."""

from datetime import timedelta

from app.crm.client import Standing
from app.crm.events import Event
from app.crm.record import OwnWrite, Record
from app.crm.state import Deal, tell
from app.crm.timeline import Move
from app.crm.way_back import is_contested, is_still_there, put_back_by, refused_in_a_row
from tests.crm.builders import NOON, hubspot_settings

A, B, W = "appointmentscheduled", "qualifiedtobuy", "w"


def _deal(*stages: str, own: tuple[OwnWrite, ...] = ()) -> Deal:
    """A deal that went through these stages, one a minute."""
    events = [
        Event(f"{minute}", "1", "changed", NOON + timedelta(minutes=minute), "dealstage", stage)
        for minute, stage in enumerate(stages)
    ]
    return tell(hubspot_settings(), Record(own=own), events, None)


def _row(deal: Deal, place: int, refused: set[int]) -> list[int]:
    """The places of the moves that were refused in a row up to this one."""
    moves = deal.line.moves
    found = refused_in_a_row(deal, moves[place], lambda one: moves.index(one) in refused)
    return [moves.index(one) for one in found]


def _back(deal: Deal, place: int, *homes: int) -> str | None:
    def at(one: int) -> Move:
        return deal.line.moves[one]

    return put_back_by(deal, at(place), [at(one) for one in homes])


def test_refused_moves_in_a_row_go_back_to_the_first_of_them() -> None:
    deal = _deal(A, B, W, A)
    assert _row(deal, 2, {1, 2}) == [1, 2]
    assert _row(deal, 2, {2}) == [2]
    assert _row(deal, 3, {1, 3}) == [3]


def test_our_own_move_ends_the_row() -> None:
    own = OwnWrite("default", A, NOON + timedelta(minutes=2), NOON + timedelta(minutes=1))
    deal = _deal(A, B, A, W, own=(own,))
    assert [move.own for move in deal.line.moves] == [False, False, True, False]
    assert _row(deal, 3, {1, 2, 3}) == [3]
    assert _back(deal, 1, 1) == "us"


def test_people_put_a_deal_back_by_a_later_move_or_by_this_very_one() -> None:
    assert _back(_deal(A, B, W), 1, 1) is None
    assert _back(_deal(A, B, A), 1, 1) == "people"
    assert _back(_deal(A, B, W, A), 1, 1) == "people"
    assert _back(_deal(A, B, A), 2, 1) == "people"
    assert _back(_deal(A, B, A), 2, 2) is None


def test_a_deal_is_still_there_also_on_our_own_way_back() -> None:
    refused = _deal(A, B, W).line.moves[2]
    step = OwnWrite("default", A, NOON + timedelta(minutes=3), refused.event.at, refused.identity, B)
    on_the_way = _deal(A, B, W, B, own=(step,))
    assert is_still_there(on_the_way, on_the_way.line.moves[2], Standing("default", B))
    assert not is_still_there(on_the_way, on_the_way.line.moves[2], Standing("default", W))
    moved_on = _deal(A, B, W, B)
    assert not is_still_there(moved_on, moved_on.line.moves[2], Standing("default", B))


def test_what_moves_a_deal_on_every_time_is_let_have_it_in_the_end() -> None:
    def own(minute: int) -> OwnWrite:
        return OwnWrite("default", A, NOON + timedelta(minutes=minute), NOON + timedelta(minutes=minute - 1))

    thrice = _deal(A, B, A, B, A, B, A, B, own=(own(2), own(4), own(6)))
    moves = thrice.line.moves
    assert [is_contested(thrice, moves[place], moves[place]) for place in (1, 7)] == [True, True]
    twice = _deal(A, B, A, B, A, B, own=(own(2), own(4)))
    assert not is_contested(twice, twice.line.moves[5], twice.line.moves[5])
    next_day = moves[7]._replace(event=moves[7].event._replace(at=NOON + timedelta(days=1, minutes=3)))
    assert not is_contested(thrice, next_day, next_day)
