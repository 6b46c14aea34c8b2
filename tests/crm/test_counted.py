"""What verdicts come to in the figures, on both databases: each move once, under whoever had the deal then."""

from typing import Any

from app.store.crm_moves import Wanted, count_moves, list_drift, list_moves, note_remedied
from app.store.database import Database
from app.store.insights import Period, count_kept
from tests.crm.judged import ILLEGAL, Judged, changed, demo, judging

HELD = {"people": {"77": {"id": "rep-7"}, "o-1": {"id": "ana"}, "o-2": {"id": "bo"}}}


async def _owners(judged: Judged) -> list[Any]:
    rows = await count_kept(judged.database, "acme", "sales", by=("owner",), period=Period(), owner=None)
    return [row[0] for row in rows]


async def test_a_move_counts_under_whose_deal_it_was(database: Database) -> None:
    judged = await judging(database, **HELD)
    owned = (changed("o-1", 1, "hubspot_owner_id"), changed("o-2", 7, "hubspot_owner_id"))
    await judged.read(*ILLEGAL, *owned)
    assert await _owners(judged) == ["ana"]
    await judged.read(*ILLEGAL, *owned, changed("Send the offer", 4, "next_step_text"), at=20)
    assert await _owners(judged) == ["ana"]


async def test_what_an_answer_came_to_stays_when_another_event_tells_of_the_move(database: Database) -> None:
    judged = await judging(database)
    await judged.read(*ILLEGAL)
    key = (await list_moves(database, "acme", "hs", "1"))[-1].event_key
    await database.transaction(lambda tx: note_remedied(tx, "acme", "hs", "1", key, remedied="{}"))
    await judged.read(*ILLEGAL, changed(ILLEGAL[-1].value, 4), at=20)
    (move,) = await list_drift(database, "acme", Wanted("sales"), limit=9)
    assert (move.event_key == key, move.remedied) == (False, "{}")


async def test_figures_of_drift_are_those_counted_by_hand(database: Database) -> None:
    """A legal move, a refused one, one that skips a stage; of 22 and 23 November in Rome."""
    judged = await judging(database)
    a, b, won = "appointmentscheduled", "qualifiedtobuy", "w"
    day = 24 * 60
    late = 2 * day + 11 * 60 + 30  # 22 November, 23:30 UTC
    stages = [(a, 0, None), (b, 10, "UI"), (a, 2 * day, "API"), (won, 2 * day + 60, "API"), (a, late, "UI")]
    told = [changed(stage, at, by="77", channel=channel) for stage, at, channel in stages]
    await judged.read(ILLEGAL[0], *told, changed("Send the offer", 4, "next_step_text"), facts=[demo(3)], at=late + 9)
    assert await _by(judged, "channel") == {"": [0, 0, 0, 1, 0], "API": [0, 2, 0, 0, 0], "UI": [1, 1, 0, 0, 0]}
    assert await _by(judged, "author") == {"rep-7": [1, 3, 0, 1, 0]}
    assert await _by(judged, "week") == {"2026-W47": [1, 2, 0, 1, 0], "2026-W48": [0, 1, 0, 0, 0]}
    assert await _by(judged, "requirement") == {
        "rule drawn": [1, 3, 0, 0, 0],
        "requirement demo-held": [1, 0, 0, 0, 0],
        "requirement next-step": [1, 0, 0, 0, 0],
    }
    assert await _by(judged, None, Period("2026-11-23", "2026-11-23")) == {"": [0, 1, 0, 0, 0]}


async def _by(judged: Judged, by: Any, period: Period | None = None) -> dict[str, list[int]]:
    """Allowed, drift, incomplete, not judged and own by group."""
    rows = await count_moves(judged.database, "acme", Wanted("sales", period or Period()), by=by)
    width = 0 if by is None else 2 if by == "requirement" else 1
    return {" ".join(row[:width]): list(row[width:]) for row in rows}
