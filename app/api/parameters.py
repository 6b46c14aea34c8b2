"""Parameters of paths and queries, with their bounds, and the cursors of lists."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.api.problems import Problem
from app.engine import Actor, instant
from app.engine.snapshot import EARLIEST, LATEST
from app.services.refusals import InvalidRequest


def _safe(text: str) -> str:
    """No NUL, no lone surrogate: neither database could look it up."""
    if "\0" in text or not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise PydanticCustomError("string_unicode", "not text") from error
        if "\0" in text:
            raise PydanticCustomError("json_nul", "no NUL")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_safe)]
DealId = Annotated[Text, Path(description="The deal's id; a connection's deals are `connection:id`.")]
ProcessKey = Annotated[Text, Path(description="The key of the process.")]
Limit = Annotated[int, Field(ge=1, le=200, description="At most so many.")]
Cursor = Annotated[
    Annotated[str, Field(min_length=1, max_length=1200), AfterValidator(_safe)] | None,
    Query(description="`next_cursor` of the page before."),
]
"""Long enough for an id of 200 characters of four bytes each."""


_TIME = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def only_text(value: Any) -> Any:
    """Numbers are no times."""
    if isinstance(value, str) and not _TIME.match(value):
        raise PydanticCustomError("datetime_parsing", "not a time", {"error": "RFC 3339 with an offset"})
    return value


AsOf = Annotated[
    Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), BeforeValidator(only_text)] | None,
    Query(description="The instant to judge at, RFC 3339 with an offset; now if not said."),
]


ActorId = Annotated[Text | None, Query(description="Who moves the deal.")]
Roles = Annotated[list[Text] | None, Query(description="The actor's roles.")]


def actor_from(actor: str | None, roles: Sequence[str] | None) -> Actor | None:
    """The actor that a query names. Raises InvalidRequest for roles of nobody."""
    if actor is None and roles:
        raise InvalidRequest("role", "role_without_actor")
    return None if actor is None else Actor(id=actor, roles=tuple(roles or ()))


def cursor_for(last: str) -> str:
    """An opaque cursor: where the page ended."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> str | None:
    """Where the next page begins. Raises invalid-cursor."""
    if cursor is None:
        return None
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError, UnicodeError) as error:
        raise Problem("invalid-cursor", cursor=cursor[:80]) from error
    if not place or "\0" in place or cursor_for(place) != cursor.rstrip("="):
        raise Problem("invalid-cursor", cursor=cursor[:80])
    return place


def page(items: list[Any], keys: Sequence[str], limit: int) -> dict[str, Any]:
    """A page: one more than `limit` was read to know whether there is another."""
    more = len(items) > limit
    return {"items": items[:limit], "next_cursor": cursor_for(keys[limit - 1]) if more else None}


def iso(moment: datetime) -> str:
    """A time as it is answered."""
    return instant(moment)


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """A document with its times as they are answered."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in document.items()}
