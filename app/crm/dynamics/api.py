"""Dataverse's Web API: pages by their links, functions, errors in its own words."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

from app.crm.calling import Api, Dialect, bearer, refreshing
from app.crm.client import ClientError, Credentials, Keep
from app.crm.dynamics.settings import DynamicsSettings
from app.crm.http import Http

LOGIN = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token"
PAGE = 200
_MOST_PAGES = 100
_SHOWN = 200
_ANNOTATIONS = 'odata.include-annotations="*"'


class WebApi:
    """One organisation's API."""

    def __init__(self, settings: DynamicsSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self.root = (
            "" if settings.api_url is None else f"{settings.api_url.rstrip('/')}/api/data/v{settings.api_version}"
        )
        tokens = settings.token_url or LOGIN
        grant = "refresh_token" if "refresh_token" in credentials else "client_credentials"
        scoped = {"scope": f"{(settings.api_url or '').rstrip('/')}/.default", **credentials}
        dialect = Dialect(bearer, refreshing(lambda _: tokens, grant=grant), _problem)
        self._api = Api(self.root, scoped, http, keep, dialect)

    async def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None, missing: bool = False
    ) -> Any:
        """The answer to a call; with `missing`, None for what is not there."""
        if not self.root:
            raise ClientError("client_no_address", again=False)
        headers = {"odata-version": "4.0", "prefer": f"{_ANNOTATIONS},odata.maxpagesize={PAGE}"}
        return await self._api.call(method, path, query=query, body=body, headers=headers, missing=missing)

    async def page(self, path: str, query: Mapping[str, Any] | None = None) -> tuple[list[dict[str, Any]], str | None]:
        """Rows, and where the next ones are."""
        answer = await self.call("GET", path, query=query)
        found = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise ClientError("client_unreadable", again=True)
        following = answer.get("@odata.nextLink")
        known = isinstance(following, str) and following.startswith(f"{self.root}/")
        return [one for one in found if isinstance(one, dict)], following if known else None

    async def rows(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Everything, page after page."""
        found, following = await self.page(path, query)
        for _ in range(_MOST_PAGES):
            for one in found:
                yield one
            if following is None:
                return
            found, following = await self.page(following)
        raise ClientError("client_endless", again=False, path=path)

    async def known(self, path: str, query: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """The same as a list; None where this organisation has no such thing, or does not let us read it."""
        try:
            return [one async for one in self.rows(path, query)]
        except ClientError as error:
            if error.code not in ("client_forbidden", "client_not_found", "client_refused"):
                raise
            return None


def _problem(status: int, body: Any) -> ClientError | None:
    """What Dataverse says; None for what means the same everywhere."""
    found = body.get("error") if isinstance(body, dict) else None
    said = str(found.get("message") or "")[:_SHOWN] if isinstance(found, dict) else ""
    named = {
        HTTPStatus.FORBIDDEN: "client_forbidden",
        HTTPStatus.NOT_FOUND: "client_not_found",
        HTTPStatus.BAD_REQUEST: "client_refused",
        HTTPStatus.PRECONDITION_FAILED: "client_refused",
    }
    code = next((code for known, code in named.items() if known == status), None)
    if not said or code is None:
        return None
    return ClientError(code, again=False, said=said, **({"status": status} if code == "client_refused" else {}))
