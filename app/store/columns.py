"""Column types that mean the same on SQLite and PostgreSQL: case-sensitive keys and timezone-aware UTC times."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.store.errors import Unstorable

# Compared byte by byte on both: PostgreSQL would follow the locale of the database, which may even ignore case.
Key = Text().with_variant(Text(collation="C"), "postgresql")


def to_text(value: datetime | None) -> str | None:
    """Fixed width, so that text order is time order: `2026-11-23T10:00:00.000000Z`."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = _as_utc(value)
    return value.isoformat(timespec="microseconds")[:26] + "Z"


def from_text(value: str | None) -> datetime | None:
    """The time behind a stored text."""
    return None if value is None else datetime.fromisoformat(value)


def _as_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a stored time needs a timezone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Unstorable("in UTC this time falls outside the years 1 to 9999") from None


def _aware(value: datetime | None) -> datetime | None:
    """PostgreSQL's driver hands out aware times, save the first and the last instant, which it takes for infinity."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class UtcTime(TypeDecorator[datetime]):
    """`timestamptz` on PostgreSQL, sortable text on SQLite; aware UTC in Python on both."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text where the database has no type for an instant."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Overridden whole: the stock wrapper would cost a second call for every value."""
        return to_text if dialect.name == "sqlite" else lambda value: None if value is None else _as_utc(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Back to an aware time."""
        del coltype
        return from_text if dialect.name == "sqlite" else _aware
