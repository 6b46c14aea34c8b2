"""Our own writes among what a CRM tells: they are where a deal has been, and nothing to judge."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice

from app.crm.connection import ConnectionSettings
from app.crm.events import Event
from app.crm.record import OwnWrite

ECHO = timedelta(minutes=10)
"""How long after our writing a stage the CRM's telling of it is taken for ours."""


def own_events(settings: ConnectionSettings, ordered: Sequence[Event], own: Sequence[OwnWrite]) -> set[str]:
    """The keys of the stage events that we caused: the first that fits each of our writes, and all by our user.

    The two clocks are not compared where that can be avoided: what we caused comes after the move that we answered.
    """
    stages = [event for event in ordered if event.name == settings.stage_property]
    found = {event.key for event in stages if settings.acts_as is not None and event.by == settings.acts_as}
    for write in own:
        found |= set(islice(_echoes(stages, write), 1))
    return found


def _echoes(stages: Sequence[Event], write: OwnWrite) -> Iterator[str]:
    """What fits a write of ours. A stage that was only seen may have been there for long: since our write, it may be,
    when nothing else is told from in between.
    """
    last: Event | None = None
    for event in stages:
        if event.at > write.after and str(event.value) == write.stage:
            unknown_since = event.kind == "seen" and (last is None or last.at <= write.at)
            if event.at <= write.at + ECHO or unknown_since:
                yield event.key
        last = event
