"""HubSpot's API, called: its own errors, its pages and batches."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.crm import calling
from app.crm.calling import Dialect, bearer, refreshing, said
from app.crm.client import ClientError, Credentials, Keep
from app.crm.http import Http

URL = "https://api.hubapi.com"
PAGE = 500
BATCH = 100
MOST_LISTED = 20_000
"""Of one kind of thing on one deal; what has more is not read on."""
_A_DAY_S_LIMIT = 3600.0
_THROTTLED = 429
_BUSY = frozenset({408, 423, 477})
"""Timed out, locked, moving between HubSpot's data centres: over soon."""


class Api:
    """One HubSpot account's API."""

    def __init__(self, url: str | None, credentials: Credentials, http: Http, keep: Keep) -> None:
        base = url or URL
        token = refreshing(lambda _credentials: f"{base.rstrip('/')}/oauth/v1/token")
        self._api = calling.Api(base, credentials, http, keep, Dialect(bearer, token, _problem))

    @property
    def answered_at(self) -> datetime | None:
        """When HubSpot gave its last answer, by its own clock."""
        return self._api.answered_at

    async def find(self, path: str, **query: Any) -> dict[str, Any] | None:
        """The object at a path; None where there is none."""
        found = await self._api.call("GET", path, query=query, missing=True)
        return None if found is None else _object(found)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The object at a path, which must be there."""
        return _object(await self._api.call("GET", path, query=query))

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        """The object that comes of posting."""
        return _object(await self._api.call("POST", path, body=body))

    async def patch(self, path: str, body: Any) -> None:
        """Change the object at a path."""
        await self._api.call("PATCH", path, body=body)

    async def pages(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Every result of a list that comes in pages."""
        after: str | None = None
        count = 0
        while count < MOST_LISTED:
            page = await self.get(path, **query, after=after)
            for one in results(page):
                count += 1
                yield one
            following = next_page(page)
            if following is None:
                return
            if following == after:
                break
            after = following
        raise ClientError("client_endless", again=False, path=path)

    async def batch(self, path: str, ids: Sequence[str], size: int = BATCH, **body: Any) -> list[dict[str, Any]]:
        """What a batch read finds of many ids. What is gone meanwhile is left out."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), size):
            inputs = [{"id": one} for one in ids[start : start + size]]
            found += results(await self.post(path, {"inputs": inputs, **body}))
        return found


def path_of(*parts: str) -> str:
    """A path whose parts may hold anything."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def results(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of a page."""
    found = page.get("results")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def next_page(page: Mapping[str, Any]) -> str | None:
    """Where the next page begins; None on the last."""
    paging = page.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return str(after) if isinstance(after, str | int) and after != "" else None


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ClientError("client_unreadable", again=True)
    return found


def _problem(status: int, content: Any) -> ClientError | None:
    """HubSpot tells the day's limit from that of ten seconds by its name; only the latter is over soon."""
    if status == _THROTTLED and isinstance(content, dict) and content.get("policyName") == "DAILY":
        return ClientError("client_throttled", again=True, after=_A_DAY_S_LIMIT, status=status)
    if status in _BUSY:
        return ClientError("client_failing", again=True, status=status, said=said(content))
    return None
