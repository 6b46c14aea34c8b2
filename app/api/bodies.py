"""Bodies of requests: read with a limit on size and time, checked as JSON, turned into values; every error at once."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.types import Receive

from app.api.problems import InvalidBody, Problem
from app.safe_json import read_json

M = TypeVar("M", bound=BaseModel)

PATIENCE = 15.0
"""Seconds within which a body must have come."""


async def read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """The whole body. Raises body-too-large before reading what is announced as too much, and request-timeout."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise Problem("body-too-large", limit=limit, headers={"connection": "close"})
    try:
        async with asyncio.timeout(PATIENCE):
            return await _read(receive, limit)
    except TimeoutError as error:
        raise Problem("request-timeout", seconds=int(PATIENCE), headers={"connection": "close"}) from error


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if len(body) <= limit and not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while size <= limit and message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > limit:
        raise Problem("body-too-large", limit=limit, headers={"connection": "close"})
    return b"".join(parts)


def require_json(content_type: str | None) -> None:
    """Whether the body says that it is JSON; the charset, if any, is UTF-8."""
    if content_type == "application/json":
        return
    media, _, parameters = (content_type or "").partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if media.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Problem("unsupported-media-type", found=content_type or "-", allowed=["application/json"])


@cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def parse(model: type[M], data: bytes) -> M:
    """The value of a JSON body: checked for what no layer below could bear, then by its model."""
    read_json(data)
    try:
        value: M = _adapter(model).validate_json(data)
    except ValidationError as error:
        raise InvalidBody.of(error) from error
    return value
