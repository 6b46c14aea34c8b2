"""Where refused moves came from, in the CRM's own ids, so that a deal can be put back there; and whose deal it is."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Literal

from app.crm.client import Standing
from app.crm.connection import ConnectionSettings
from app.crm.state import Deal
from app.crm.timeline import Move

A_DAY = timedelta(days=1)
MOST_A_DAY = 3
"""So often a day one deal is put back to one stage."""


def refused_in_a_row(deal: Deal, move: Move, refused: Callable[[Move], bool]) -> list[Move]:
    """The refused moves that followed one another and end with this one, oldest first.

    What we moved ourselves, and what was allowed or is in doubt, ends the row.
    """
    row = [move]
    for one in reversed(deal.line.moves[: deal.line.moves.index(move)]):
        if one.own or one.entry != row[0].before or not refused(one):
            break
        row.insert(0, one)
    return row


def way_back(settings: ConnectionSettings, move: Move) -> Standing | None:
    """The stage before a move as the CRM calls it; None where that is not known, or where several mean it."""
    before = move.before
    if before is None or not before.mapped:
        return None
    named = [
        Standing(pipeline, stage)
        for pipeline, one in settings.pipelines.items()
        for stage, key in one.stages.items()
        if one.process == before.process and key == before.stage
    ]
    if before.crm_stage is not None:
        if before.pipeline is not None:
            return Standing(before.pipeline, before.crm_stage)
        named = [one for one in named if one.stage == before.crm_stage]
        return named[0] if len(named) == 1 else Standing(None, before.crm_stage)
    beside = [one for one in named if one.pipeline == move.entry.pipeline]
    fitting = beside or named
    return fitting[0] if len(fitting) == 1 else None


def is_still_there(deal: Deal, move: Move, standing: Standing) -> bool:
    """Whether the deal is where this very move has put it, and has been since; or on our own way back from there."""
    since = deal.line.moves[deal.line.moves.index(move) :]
    last = since[-1].entry
    same_pipeline = None in (standing.pipeline, last.pipeline) or standing.pipeline == last.pipeline
    at_rest = deal.line.entries[-1] is last and all(one.own for one in since[1:])
    return at_rest and standing.stage == last.crm_stage and same_pipeline


def put_back_by(deal: Deal, move: Move, homes: Collection[Move]) -> Literal["us", "people"] | None:
    """Who has put a deal back to where any of `homes` came from, by a move or since; None where nobody has."""
    places = {one.before[:2] for one in homes if one.before is not None}
    since = deal.line.moves[deal.line.moves.index(move) :]
    back = next((one for one in since if one.entry[:2] in places), None)
    return None if back is None else "us" if back.own else "people"


def is_contested(deal: Deal, move: Move, first: Move) -> bool:
    """Whether we have put the deal back there so often by now that something else moves it on every time: a workflow
    of the CRM's own that our writing sets off would never come to an end.
    """
    home, since = first.before, move.event.at - A_DAY
    ours = [one for one in deal.line.moves if one.own and one.event.at >= since]
    return home is not None and sum(one.entry[:2] == home[:2] for one in ours) >= MOST_A_DAY


def crm_owner(deal: Deal, owner: str | None) -> str | None:
    """The CRM's own id of whose deal it is: as it was told, else the one that the mapping has for our person."""
    told = deal.values.changes.latest(deal.settings.owner_property)
    if told is not None:
        return str(told.value) if told.value not in (None, "") else None
    return next((crm_id for crm_id, person in deal.settings.people.items() if person.id == owner), None)
