"""Salesforce's REST API: queries that cannot be broken out of, page after page, and errors in Salesforce's words."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from app.crm.calling import Api, Dialect, bearer, refreshing
from app.crm.client import ClientError, Credentials, Keep
from app.crm.http import Http
from app.crm.salesforce.ids import USER
from app.crm.salesforce.settings import SalesforceSettings

LOGIN = "https://login.salesforce.com/services/oauth2/token"
_OPTIONS = "sforce-call-options"
_MOST_PAGES = 100
_SHOWN = 200
_UNTIL_MORE = 900.0
"""The limit of calls is one over the last day: it frees up little by little."""
_BUSY = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "TXN_SECURITY_METERING_ERROR"})
_UNKNOWN = frozenset({"INVALID_TYPE", "INVALID_FIELD"})
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})


def quoted(value: str) -> str:
    """A text as a literal of a query."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def instant(at: datetime) -> str:
    """A time as a literal of a query."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Rest:
    """One organisation's API."""

    def __init__(self, settings: SalesforceSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        tokens = settings.token_url or LOGIN
        grant = "refresh_token" if "refresh_token" in credentials else "client_credentials"
        self._has_address = settings.api_url is not None
        self._root = f"/services/data/v{settings.api_version}"
        acts_as = settings.acts_as
        self._named = {} if acts_as is None or acts_as.startswith(USER) else {_OPTIONS: f"client={acts_as}"}
        """By which changes tell that we made them, where it is not by our user."""
        dialect = Dialect(bearer, refreshing(lambda _: tokens, grant=grant), _problem)
        self._api = Api(settings.api_url or "", credentials, http, keep, dialect)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a call below the API's version."""
        if not self._has_address:
            raise ClientError("client_no_address", again=False)
        return await self._api.call(method, f"{self._root}{path}", body=body, headers=self._named)

    async def rows(
        self, fields: Sequence[str], table: str, where: str = "", more: str = "", *, deleted: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """What a query finds, whole; what was deleted or archived too, if asked for.

        INVARIANT: every value in `where` is quoted.
        """
        answer = await self._query(fields, table, where, more, deleted=deleted)
        for _ in range(_MOST_PAGES):
            for one in records(answer):
                yield one
            following = answer.get("nextRecordsUrl") if isinstance(answer, dict) else None
            if not isinstance(following, str) or not following.startswith(f"{self._root}/query/"):
                return
            answer = await self._api.call("GET", following)
        raise ClientError("client_endless", again=False, path=table)

    async def found(self, fields: Sequence[str], table: str, where: str, more: str = "") -> list[dict[str, Any]]:
        """The same as a list."""
        return [one async for one in self.rows(fields, table, where, more)]

    async def known(
        self, fields: Sequence[str], table: str, where: str, more: str = "", *, deleted: bool = False
    ) -> list[dict[str, Any]] | None:
        """The same; None where this organisation has no such thing, or does not let us read it."""
        try:
            return [one async for one in self.rows(fields, table, where, more, deleted=deleted)]
        except ClientError as error:
            if error.code not in ("client_forbidden", "client_unknown_thing"):
                raise
            return None

    async def count(self, table: str, where: str, *, deleted: bool = False) -> int | None:
        """How many rows there are."""
        answer = await self._query(("COUNT()",), table, where, deleted=deleted)
        total = answer.get("totalSize") if isinstance(answer, dict) else None
        return total if isinstance(total, int) else None

    async def _query(
        self, fields: Sequence[str], table: str, where: str, more: str = "", *, deleted: bool = False
    ) -> Any:
        if not self._has_address:
            raise ClientError("client_no_address", again=False)
        asked = f"SELECT {', '.join(dict.fromkeys(fields))} FROM {table}"  # noqa: S608 - names that the settings checked
        asked += f" WHERE {where}" if where else ""
        path = f"{self._root}/{'queryAll' if deleted else 'query'}"
        return await self._api.call("GET", path, query={"q": f"{asked} {more}".strip()})


def records(answer: Any) -> list[dict[str, Any]]:
    """The rows of an answer. One without any list of rows is not the same as there being none."""
    found = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise ClientError("client_unreadable", again=True)
    return [one for one in found if isinstance(one, dict)]


def _problem(status: int, body: Any) -> ClientError | None:
    """What Salesforce says by its codes; None for what means the same everywhere."""
    first = body[0] if isinstance(body, list) and body and isinstance(body[0], Mapping) else {}
    code, said = str(first.get("errorCode")), str(first.get("message") or "")[:_SHOWN]
    if code == "REQUEST_LIMIT_EXCEEDED":
        return ClientError("client_throttled", again=True, after=_UNTIL_MORE, status=status)
    if code in _BUSY and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ClientError("client_failing", again=True, status=status)
    if code in _UNKNOWN:
        return ClientError("client_unknown_thing", again=False, said=said)
    if code in _GONE:
        return ClientError("client_not_found", again=False, said=said)
    if said and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        known = {HTTPStatus.FORBIDDEN: "client_forbidden", HTTPStatus.BAD_REQUEST: "client_refused"}
        named = known.get(HTTPStatus(status)) if status in known else None
        params = {"said": said} if named == "client_forbidden" else {"status": status, "said": said}
        return ClientError(named, again=False, **params) if named else None
    return None
