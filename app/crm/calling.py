"""Calls to a CRM's API: JSON in and out, a token that is renewed once when it has run out, errors told apart."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from app.crm.client import ClientError, Credentials, Keep
from app.crm.http import Http, Request, Response, date_of, seconds_asked
from app.safe_json import UnsafeJson, read_json

_SHOWN = 200

Refresh = Callable[[Http, Credentials], Awaitable[Credentials]]
"""Gets new credentials for old ones. Raises ClientError when the CRM will not give any."""


class Dialect(NamedTuple):
    """How one CRM wants to be called."""

    authorise: Callable[[Credentials], Mapping[str, str]]
    refresh: Refresh | None = None
    problem: Callable[[int, Any], ClientError | None] = lambda _status, _body: None
    """What an answer means to this CRM alone; None for what means the same everywhere."""
    reset: str = "retry-after"
    """The header with the seconds to wait that this CRM sends in place of Retry-After."""
    nothing: tuple[int, ...] = (HTTPStatus.NOT_FOUND,)
    """How this CRM answers where there is nothing."""


class Api:
    """One account's API."""

    def __init__(self, base: str, credentials: Credentials, http: Http, keep: Keep, dialect: Dialect) -> None:
        self.base = base.rstrip("/")
        self._credentials = credentials
        self._http = http
        self._keep = keep
        self._dialect = dialect
        self.answered_at: datetime | None = None
        """When the CRM gave its last answer, by its own clock; None where it does not say."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        missing: bool = False,
    ) -> Any:
        """The JSON of the answer; None for a 304; with `missing`, where nothing is there. Raises ClientError."""
        url = path if path.startswith(f"{self.base}/") else f"{self.base}{path}"
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if given:
            url += ("&" if "?" in url else "?") + urlencode(given)
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        typed = {"accept": "application/json"} | ({} if sent is None else {"content-type": "application/json"})
        answer = await self._authorised(Request(method, url, {**typed, **(headers or {})}, sent))
        self.answered_at = date_of(answer.headers.get("date", ""))
        content = _content(answer)
        if answer.status == HTTPStatus.NOT_MODIFIED or (missing and answer.status in self._dialect.nothing):
            return None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._dialect.problem(answer.status, content) or problem_of(answer, content, self._dialect.reset)
        if missing and content is None:  # an answer without content is not the same as nothing being there
            raise ClientError("client_unreadable", again=True, status=answer.status)
        return content

    async def _authorised(self, request: Request) -> Response:
        """Send it; when the token has run out, once more with a new one."""
        answer = await self._http(self._signed(request))
        if answer.status != HTTPStatus.UNAUTHORIZED or self._dialect.refresh is None:
            return answer
        self._credentials = await self._dialect.refresh(self._http, self._credentials)
        await self._keep(self._credentials)
        return await self._http(self._signed(request))

    def _signed(self, request: Request) -> Request:
        return request._replace(headers={**request.headers, **self._dialect.authorise(self._credentials)})


def bearer(credentials: Credentials) -> Mapping[str, str]:
    """`Authorization: Bearer …`; nothing where there is no token yet: the CRM then asks for one, and it is renewed."""
    token = credentials.get("access_token")
    return {"authorization": f"Bearer {token}"} if token else {}


def refreshing(url: Callable[[Credentials], str], *, grant: str = "refresh_token", basic: bool = False) -> Refresh:
    """OAuth's renewal of a token by a form; the answer may bring a new refresh token too.

    With `basic` the client names itself in a header (HTTP Basic) rather than in the form.
    """

    async def refresh(http: Http, credentials: Credentials) -> Credentials:
        asked = ("client_id", "client_secret", *(("refresh_token",) if grant == "refresh_token" else ("scope",)))
        form = {"grant_type": grant, **{name: credentials[name] for name in asked if name in credentials}}
        needed = ("client_id", "refresh_token") if grant == "refresh_token" else ("client_id", "client_secret")
        if not all(name in form for name in needed):
            raise ClientError("client_token_refused", again=False)
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if basic:
            client = f"{form.pop('client_id')}:{form.pop('client_secret', '')}"
            headers["authorization"] = f"Basic {base64.b64encode(client.encode()).decode()}"
        answer = await http(Request("POST", url(credentials), headers, urlencode(form).encode()))
        content = _content(answer)
        token = content.get("access_token") if isinstance(content, dict) else None
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise problem_of(answer, content)
        if token is None and "too many requests" in said(content).lower():  # Zoho says so with a 400
            raise ClientError("client_throttled", again=True, after=retry_after(answer), status=answer.status)
        if not isinstance(token, str) or not token:
            raise ClientError("client_token_refused", again=False)
        renewed = {"access_token": token}
        if isinstance(content.get("refresh_token"), str):
            renewed["refresh_token"] = content["refresh_token"]
        return {**credentials, **renewed}

    return refresh


def problem_of(answer: Response, content: Any, reset: str = "retry-after") -> ClientError:
    """What an answer that is no success means, for every CRM alike."""
    status = answer.status
    if status == HTTPStatus.UNAUTHORIZED:
        return ClientError("client_token_refused", again=False)
    if status == HTTPStatus.FORBIDDEN:
        return ClientError("client_forbidden", again=False, said=said(content))
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = "client_throttled" if status == HTTPStatus.TOO_MANY_REQUESTS else "client_failing"
        return ClientError(code, again=True, after=retry_after(answer, reset), status=status)
    if status == HTTPStatus.NOT_FOUND:
        return ClientError("client_not_found", again=False, said=said(content))
    return ClientError("client_refused", again=False, status=status, said=said(content))


def retry_after(answer: Response, reset: str = "retry-after") -> float | None:
    """Seconds that the CRM asks us to wait: a number, or a date counted from the answer's own."""
    given = answer.headers.get("retry-after") or answer.headers.get(reset)
    return seconds_asked(given, date_of(answer.headers.get("date", "")))


def said(content: Any) -> str:
    """What the CRM said, short enough for a sentence."""
    if isinstance(content, dict):
        for name in ("error_description", "message", "error", "error_info", "detail"):
            if isinstance(content.get(name), str):
                return str(content[name])[:_SHOWN]
    return json.dumps(content, ensure_ascii=False)[:_SHOWN]


def _content(answer: Response) -> Any:
    """The JSON of an answer; None where there is none, or none that can be read."""
    if not answer.body:
        return None
    try:
        return read_json(answer.body)
    except UnsafeJson as error:
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return None
        raise ClientError("client_unreadable", again=True, status=answer.status) from error
