"""A deal told in many orders, with copies: whatever came first, the same is known in the end."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.crm.connection import ConnectionSettings
from app.crm.events import Batch, Event
from app.crm.state import snapshot_now, tell

ORDERS = 120
HISTORIES = 50
Known = tuple[Any, ...]


def known_after(settings: ConnectionSettings, batches: Sequence[Batch], object_id: str) -> Known:
    """What is known of a deal after its deliveries: its snapshot, and its moves with where they began."""
    from app.crm.record import Record

    record = Record()
    deal = tell(settings, record, [], None)
    seen: set[Event] = set()
    for batch in batches:
        events = [one for one in batch.events if one.object_id == object_id and one not in seen]
        seen.update(events)
        facts = [one for one in batch.facts if one.object_id == object_id]
        deal = tell(settings, record, events, None, facts=facts)
        record = deal.record
    moves = [(one.event.at, one.before and one.before[:2], one.entry[:2]) for one in deal.line.moves]
    snapshot = None if deal.process is None else snapshot_now(deal, f"x:{object_id}", UTC)
    return snapshot, moves


def expect_the_same_in_any_order(
    settings: ConnectionSettings, history: Callable[[random.Random], list[bytes]], object_id: str,
    read: Callable[[bytes, Any], Batch],
) -> None:  # fmt: skip
    """Fifty histories of five deliveries each, in a hundred and twenty orders, some of them delivered twice."""
    for number in range(HISTORIES):
        chance = random.Random(number)  # noqa: S311 - the same histories in every run
        batches = [read(body, settings) for body in history(chance)]
        expected = known_after(settings, batches, object_id)
        for _ in range(ORDERS):
            order = [*batches, *chance.sample(batches, 2)]
            chance.shuffle(order)
            assert known_after(settings, order, object_id) == expected, (number, order)


def at(minutes: float) -> datetime:
    """So many minutes into the morning of the tests' day."""
    return datetime.fromtimestamp(1_763_632_800 + round(minutes * 60), UTC)
