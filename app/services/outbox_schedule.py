"""When what failed is tried again, and when a target that does not answer is left alone: figures, nothing else."""

import random
from datetime import datetime, timedelta

from app.store.outbox_targets import StoredTarget

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The schedule of Standard Webhooks: what waits after each failed attempt."""
MOST_ATTEMPTS = len(WAITS) + 1
LONGEST_ASKED = timedelta(hours=24)
"""However long the other side asks us to wait, an item waits no longer."""
LONGEST_PAUSE = timedelta(hours=1)
"""The same for a whole target."""
OPENS_AFTER = 5
"""So many failures in a row open a target's circuit."""
FIRST_OPEN = timedelta(seconds=30)
LONGEST_OPEN = timedelta(minutes=15)
NOT_COUNTED = 5.0
"""Seconds until the next try when nobody is to blame and nobody said how long."""
_JITTER = 0.1


def _jittered(wait: timedelta, chance: random.Random, least: float = 1 - _JITTER) -> timedelta:
    return wait * chance.uniform(least, 1 + _JITTER)


def next_try(attempt: int, after: float | None, now: datetime, chance: random.Random) -> datetime | None:
    """When an item is tried again after this attempt; None when that was the last one."""
    if attempt >= MOST_ATTEMPTS:
        return None
    asked = min(timedelta(seconds=max(after or 0.0, 0.0)), LONGEST_ASKED)
    # Nobody comes back earlier than asked; jitter only spreads them behind it.
    return now + max(_jittered(WAITS[attempt - 1], chance), _jittered(asked, chance, 1.0))


def is_half_open(target: StoredTarget) -> bool:
    """Whether it has failed so often that one item alone goes first, to see whether it answers again."""
    return target.failures >= OPENS_AFTER


def after_failure(target: StoredTarget, after: float | None, now: datetime, chance: random.Random) -> StoredTarget:
    """The target after one more failure: left alone for a while when there were many, or when it asked for it."""
    pause = min(timedelta(seconds=max(after or 0.0, 0.0)), LONGEST_PAUSE)
    is_open = target.open_until is not None and target.open_until > now
    # What was under way when the circuit opened tells nothing new.
    failures = target.failures + (0 if is_open else 1)
    if failures >= OPENS_AFTER and not is_open:
        growing = FIRST_OPEN * 2 ** min(failures - OPENS_AFTER, 10)
        pause = max(pause, _jittered(min(growing, LONGEST_OPEN), chance))
    until = now + pause if pause else target.open_until
    if until is not None and target.open_until is not None:
        until = max(until, target.open_until)
    return target._replace(failures=failures, open_until=until)
