"""Zoho's API, called: its own codes, its pages, its data centres."""

import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

from app.crm import calling
from app.crm.calling import Dialect, refreshing, said
from app.crm.client import ClientError, Credentials, Keep
from app.crm.http import Http
from app.crm.zoho.settings import ZohoSettings

API, ACCOUNTS = "https://www.zohoapis.com", "https://accounts.zoho.com"
PAGE = 200
_MOST_PAGES = 100
_DATA_CENTRE = re.compile(r"https://www\.zohoapis\.([a-z.]+)/?")
_CANADA = "ca"
_NOTHING = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
_BUSY = frozenset({"RECORD_LOCKED", "TOO_MANY_REQUESTS", "LIMIT_EXCEEDED", "INTERNAL_ERROR"})
_FORBIDDEN = frozenset({"NO_PERMISSION", "OAUTH_SCOPE_MISMATCH", "AUTHORIZATION_FAILED"})


class Api:
    """One organisation's API."""

    def __init__(self, settings: ZohoSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        tokens = f"{settings.accounts_url or _accounts_of(settings.api_url)}/oauth/v2/token"
        dialect = Dialect(_authorise, refreshing(lambda _: tokens), _problem, nothing=_NOTHING)
        self._api = calling.Api(f"{settings.api_url or API}/crm/v8", credentials, http, keep, dialect)

    async def get(self, path: str, *, since: str | None = None, missing: bool = False, **query: Any) -> dict[str, Any]:
        """The object at a path; an empty one where there is nothing, or nothing new since a time."""
        headers = {} if since is None else {"if-modified-since": since}
        found = await self._api.call("GET", path, query=query, headers=headers, missing=missing)
        return found if isinstance(found, dict) else {}

    async def write(self, method: str, path: str, body: Any) -> Any:
        """Write. Zoho answers 200 and says for each record whether it was written."""
        answer = await self._api.call(method, path, body=body)
        code = code_of(answer)
        if code not in (None, "SUCCESS"):
            raise _problem(HTTPStatus.OK, answer) or ClientError(
                "client_refused", again=False, status=200, said=said(answer)
            )
        return answer

    async def pages(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Everything, page after page; an empty list is answered with nothing at all."""
        token = None
        for _ in range(_MOST_PAGES):
            answer = await self.get(path, **query, per_page=PAGE, page_token=token)
            for one in listed(answer):
                yield one
            token = next_page(answer)
            if token is None:
                return
        raise ClientError("client_endless", again=False, path=path)


def listed(answer: Any, name: str = "data") -> list[dict[str, Any]]:
    """The records of an answer."""
    data = answer.get(name) if isinstance(answer, dict) else None
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def next_page(answer: Mapping[str, Any]) -> str | None:
    """What asks for the next page; None on the last."""
    info = answer.get("info")
    if not isinstance(info, dict) or not info.get("more_records"):
        return None
    token = info.get("next_page_token")
    return token if isinstance(token, str) and token else None


def code_of(content: Any) -> str | None:
    """`SUCCESS`, or what went wrong: of the whole, or of the first record."""
    if not isinstance(content, dict):
        return None
    for name in ("data", "watch"):
        first = next(iter(listed(content, name)), None)
        if first is not None:
            content = first
            break
    code = content.get("code")
    return code if isinstance(code, str) else None


def _accounts_of(api_url: str | None) -> str:
    """The data centre that renews tokens: that of the API, where its address is one of Zoho's."""
    if api_url is None:
        return ACCOUNTS
    centre = _DATA_CENTRE.fullmatch(api_url)
    if centre is None:
        return ACCOUNTS
    return "https://accounts.zohocloud.ca" if centre[1] == _CANADA else f"https://accounts.zoho.{centre[1]}"


def _authorise(credentials: Credentials) -> Mapping[str, str]:
    token = credentials.get("access_token")
    return {"authorization": f"Zoho-oauthtoken {token}"} if token else {}


def _problem(status: int, content: Any) -> ClientError | None:
    """Zoho's own codes, wherever in the answer they stand; what a status says of itself is left to it."""
    code = code_of(content)
    if code is None or status > HTTPStatus.BAD_REQUEST:
        return None
    if code in _FORBIDDEN:
        return ClientError("client_forbidden", again=False, said=code)
    return ClientError("client_refused", again=code in _BUSY, status=status, said=code)
