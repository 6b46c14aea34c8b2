"""What a CRM's API is asked for, whatever the CRM: reading a deal back, and putting right what went wrong.

A client is written against `Http`, so that it opens no connection itself; the time comes in where a call needs it.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from app.crm.events import Event, Fact, Group


class Told(NamedTuple):
    """A deal read back: every event and fact that the CRM holds of it.

    `complete` names what was read whole, so that what is not in it is not there; `stage_history` only where the CRM
    told every stage since the deal was made. `gone` is `deleted`, or `merged:ID` with the deal it went into.
    """

    events: tuple[Event, ...]
    facts: tuple[Fact, ...]
    complete: frozenset[Group]
    read_at: datetime
    gone: str | None = None


class Page(NamedTuple):
    """Ids of deals; `cursor` asks for the next page, and is None on the last."""

    ids: tuple[str, ...]
    cursor: str | None
    total: int | None = None


class Standing(NamedTuple):
    """Where a deal stands in the CRM at this moment."""

    pipeline: str | None
    stage: str


class Note(NamedTuple):
    """A text to leave on a deal. `marker` is part of the text: by it we know what we have written already."""

    marker: str
    text: str


class Task(NamedTuple):
    """Something for the owner to do; `owner` is the CRM's own id."""

    marker: str
    subject: str
    text: str
    due: date
    owner: str | None


class ClientError(Exception):
    """The CRM did not do what it was asked. `code` names the text, `params` fill it.

    `again` says whether another try may help; `after` is how many seconds the CRM asks us to wait.
    """

    def __init__(self, code: str, *, again: bool, after: float | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
        self.again = again
        self.after = after


class Client(Protocol):
    """One CRM account. Each call raises ClientError, or Unreachable (app/crm/http.py)."""

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """All that the CRM holds of a deal; a deal that is not there any more is `gone`."""
        ...

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """Ids of the deals that have changed since (all of them where None), a page at a time."""
        ...

    async def standing(self, object_id: str) -> Standing | None:
        """Where the deal stands now; None when it is gone."""
        ...

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Whether a note with this marker is on the deal already."""
        ...

    async def add_note(self, object_id: str, note: Note) -> None:
        """Leave a note on the deal."""
        ...

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Whether a task with this marker is on the deal already."""
        ...

    async def add_task(self, object_id: str, task: Task) -> None:
        """Give the owner something to do."""
        ...

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """Put the deal into a stage."""
        ...

    async def configuration(self) -> dict[str, Any]:
        """The CRM's own pipelines, stages and fields, as `adapter.draft` reads them."""
        ...

    async def renew_channel(self, now: datetime) -> datetime | None:
        """Renew a subscription that expires; until when it now lasts. None where the CRM's do not expire."""
        ...


Credentials = Mapping[str, str]
"""What the API asks for, by name."""
OAUTH = ("access_token", "refresh_token", "client_id", "client_secret", "scope")
"""The names that every CRM's credentials may have."""

Keep = Callable[[Credentials], Awaitable[None]]
"""Keeps renewed credentials, so that the next client begins with them."""
