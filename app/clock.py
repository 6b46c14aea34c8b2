"""The only reader of the clock.

Everything else is told the time, so that a decision can be made again for any instant.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """Say what time it is, in UTC and with the offset attached."""
    return datetime.now(UTC)
