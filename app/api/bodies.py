"""Bodies of requests: read with a limit on size and time, checked as JSON, turned into values; every error at once."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.types import Message, Receive

from app.api.patience import InTime
from app.api.problems import InvalidBody, Problem
from app.safe_json import read_json

M = TypeVar("M", bound=BaseModel)

PATIENCE = 15.0
"""Seconds within which a body must have come."""
_TIMES = ("as_of", "at", "created_at", "entered_at", "stage_entered_at")
_NUMBER = re.compile(r"^[+-]?[0-9]+(\.[0-9]*)?$")
_NUMERIC_AT = re.compile(rb'at"\s*:\s*"[+-]?[0-9]+(?:\.[0-9]*)?"')
_NUMERIC_AS_OF = re.compile(rb'as_of"\s*:\s*"[+-]?[0-9]+(?:\.[0-9]*)?"')
"""What may be such a time: the names end alike, and a pattern that begins with plain text is searched fast."""


_SHOWN = 200
"""Characters of a stranger's word that an answer repeats."""


class ClientGone(Exception):
    """The client went away before its body was whole: what came of it is no request, and nobody waits for an answer."""


async def read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """The whole body. Raises body-too-large before reading what is announced as too much, and request-timeout."""
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > limit:
        raise Problem("body-too-large", limit=limit, headers={"connection": "close"})
    try:
        return await InTime(_read(receive, limit), PATIENCE)
    except TimeoutError as error:
        raise Problem("request-timeout", seconds=int(PATIENCE), headers={"connection": "close"}) from error


async def _read(receive: Receive, limit: int) -> bytes:
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if len(body) <= limit and not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while size <= limit and message.get("more_body", False):
        message = await _next(receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > limit:
        raise Problem("body-too-large", limit=limit, headers={"connection": "close"})
    return b"".join(parts)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def require_json(content_type: str | None) -> None:
    """Whether the body says that it is JSON; the charset, if any, is UTF-8."""
    if content_type == "application/json":
        return
    if media_type(content_type) != "application/json":
        raise Problem("unsupported-media-type", found=(content_type or "-")[:_SHOWN], allowed=["application/json"])


def media_type(content_type: str | None) -> str | None:
    """The media type of a body in lower case; None for another charset than UTF-8."""
    media, _, parameters = (content_type or "").partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    return media.strip().lower() if charset in ("", "charset=utf-8") else None


@cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def parse(model: type[M], data: bytes) -> M:
    """The value of a JSON body: checked for what no layer below could bear, then by its model."""
    content = read_json(data)
    try:
        value: M = _adapter(model).validate_json(data)
    except ValidationError as error:
        raise InvalidBody.of(error, getattr(model, "TAG", None)) from error
    if _NUMERIC_AT.search(data) or _NUMERIC_AS_OF.search(data):
        _refuse_numeric_times(content)
    return value


def _refuse_numeric_times(content: Any) -> None:
    """Seconds since 1970 in a text have no offset, though a parser of times takes them."""
    wrong = [ErrorDetails(type="datetime_parsing", loc=place, msg="", input=None) for place in _numeric_times(content)]
    if wrong:
        raise InvalidBody(wrong)


def _numeric_times(content: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(content, list):
        for index, inner in enumerate(content):
            yield from _numeric_times(inner, (*place, index))
    elif isinstance(content, dict):
        for name, inner in content.items():
            if name in _TIMES and isinstance(inner, str) and _NUMBER.match(inner):
                yield (*place, name)
            elif name != "fields":  # what stands there is the caller's own
                yield from _numeric_times(inner, (*place, name))
