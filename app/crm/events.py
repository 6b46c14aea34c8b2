"""What a CRM reports, in words that are no vendor's: one event, one batch of them, and why one was refused."""

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

EventKind = Literal["created", "changed"]


class Malformed(Exception):
    """A delivery that cannot be read at all. `code` names the text, `params` fill it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Event(NamedTuple):
    """One thing that happened to one deal, at the CRM's own time.

    `key` is the same for every copy of the event; `by` is the id of the CRM's user, where the CRM told it.
    """

    key: str
    object_id: str
    kind: EventKind
    at: datetime
    name: str | None = None
    value: Any = None
    by: str | None = None


class Fault(NamedTuple):
    """An event of a batch that cannot be used: its place from 0, and why."""

    place: int
    code: str
    params: dict[str, Any]


class Batch(NamedTuple):
    """A delivery, read: what concerns deals, how many events are nothing to us, and those that cannot be used."""

    events: tuple[Event, ...]
    ignored: int
    faults: tuple[Fault, ...]


def from_milliseconds(milliseconds: int) -> datetime:
    """The instant so many milliseconds after the start of 1970, exactly: no float in between."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
