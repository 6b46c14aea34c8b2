"""Our own writes among a deal's moves: they are where the deal has been, and nothing to judge."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from app.crm.events import Event
from app.crm.record import OwnWrite

ECHO = timedelta(minutes=10)
"""How long after our writing a stage the CRM's telling of it is taken for ours."""


class Made(Protocol):
    """A move as far as it matters here."""

    @property
    def event(self) -> Event:
        """What told of it."""
        ...

    @property
    def identity(self) -> str:
        """What names it."""
        ...


def own_moves(moves: Sequence[Made], own: Sequence[OwnWrite], acts_as: str | None) -> set[str]:
    """The moves that we made: of each of our writes the first that fits, and all by our own user.

    The CRM's clock is compared with ours only where that cannot be avoided, and its seconds may be coarse: what we
    caused comes after the move that we answered.
    """
    found = {move.identity for move in moves if acts_as is not None and move.event.by == acts_as}
    for write in own:
        start = next((place for place, move in enumerate(moves) if move.identity == write.answers), None)
        since = [move for move in moves if move.event.at > write.after] if start is None else moves[start + 1 :]
        if start is not None and since and str(since[0].event.value) == write.step and _may_be(write, since[0], ()):
            found.add(since[0].identity)
        for place, move in enumerate(since):
            if str(move.event.value) == write.stage and _may_be(write, move, since[:place]):
                found.add(move.identity)
                break
    return found


def _may_be(write: OwnWrite, move: Made, between: Sequence[Made]) -> bool:
    """A stage that was only seen may be there since our write, when nothing is told from in between."""
    if move.event.at <= write.at + ECHO:
        return True
    return move.event.kind == "seen" and all(one.event.at <= write.at for one in between)
