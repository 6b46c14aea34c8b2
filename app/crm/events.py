"""What a CRM reports, in words that are no vendor's: one event, one batch of them, and why one was refused."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeVar

EventKind = Literal["created", "changed", "seen", "deleted", "merged", "restored"]
"""`changed` at its very time; `seen`: the value was there at that time, and came to be there at a time nobody told.
`merged`: this deal went into another, whose id is the value."""

FactGroup = Literal["activity", "contact", "approval"]
Group = Literal["activities", "contacts", "approvals", "fields", "stage_history"]
"""What a deal's facts fall into, by the names that a decision's `facts.missing` uses."""


class Malformed(Exception):
    """A delivery that cannot be read at all. `code` names the text, `params` fill it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Event(NamedTuple):
    """One thing that happened to one deal, at the CRM's own time.

    `key` is the same for every copy of the event; `by` is the id of the CRM's user, where the CRM told it; `channel`
    is the CRM's own word for where the change was made (`CRM_UI`, `api`); `previous` is the value before the change,
    which only counts where `tells_previous`.
    """

    key: str
    object_id: str
    kind: EventKind
    at: datetime
    name: str | None = None
    value: Any = None
    by: str | None = None
    channel: str | None = None
    previous: Any = None
    tells_previous: bool = False


class Fact(NamedTuple):
    """One activity, contact or approval of a deal, in the words of a snapshot; `value` is None once it is gone.

    `at` is the CRM's own time of its last change: of one `id` in a group the latest counts, whatever came first.
    """

    object_id: str
    group: FactGroup
    id: str
    at: datetime
    value: dict[str, Any] | None


class Fault(NamedTuple):
    """An event of a batch that cannot be used: its place from 0, and why."""

    place: int
    code: str
    params: dict[str, Any]


class Batch(NamedTuple):
    """A delivery, read: what concerns deals, how many events are nothing to us, and those that cannot be used.

    `facts` came whole; `hints` are ids of deals that something happened to which only reading them back can tell.
    `gap`: something happened to deals that it does not name, so that all that has changed lately is to be read.
    """

    events: tuple[Event, ...]
    ignored: int
    faults: tuple[Fault, ...]
    facts: tuple[Fact, ...] = ()
    hints: tuple[str, ...] = ()
    gap: bool = False


T = TypeVar("T", Event, Fact)


def by_deal(told: Iterable[T]) -> dict[str, list[T]]:
    """What is told, deal by deal, in the order in which it names them."""
    found: dict[str, list[T]] = {}
    for one in told:
        found.setdefault(one.object_id, []).append(one)
    return found


def text_of(value: Any) -> str:
    """A value as it is compared: some tell a number, some its digits; what is empty and nothing are the same."""
    return "" if value is None else str(value)


def from_milliseconds(milliseconds: int) -> datetime:
    """The instant so many milliseconds after the start of 1970, exactly: no float in between."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
