"""What the framework refuses by itself (no such address, method or parameter), as problems like all others."""

from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from app.api.problems import InvalidBody, Problem, problem_reply
from app.api.routing import respond
from app.i18n import pick_locale

_PLACES = ("query", "path", "body")
_NOT_ALLOWED = 405
_OURS = 500
_SHOWN = 200
"""Characters of a stranger's address that an answer repeats."""


class FrameworkErrors:
    """The handlers. They are told the operations, since one address may have several."""

    def __init__(self, operations: Sequence[BaseRoute]) -> None:
        self._operations = operations

    async def wrong_parameters(self, request: Request, error: Exception) -> Response:
        """A path or query that cannot be: the same shape as a wrong body, without `query.` in front."""
        if not isinstance(error, RequestValidationError):
            raise error
        found: list[ErrorDetails] = list(error.errors())
        for one in found:
            if one["loc"][0] in _PLACES:
                one["loc"] = one["loc"][1:]
        return _answer(InvalidBody(found), request)

    async def http_error(self, request: Request, error: Exception) -> Response:
        """No such address, or no such method there."""
        status = error.status_code if isinstance(error, HTTPException) else _OURS
        if status >= _OURS:
            return _answer(error, request)
        allowed = self._allowed(request) if status == _NOT_ALLOWED else []
        if allowed:
            headers = {"allow": ", ".join(allowed)}
            return _answer(
                Problem("method-not-allowed", method=request.method[:_SHOWN], allowed=allowed, headers=headers), request
            )
        return _answer(Problem("not-found", path=request.url.path[:_SHOWN]), request)

    def _allowed(self, request: Request) -> list[str]:
        """Every method of the address: the router itself names those of the first operation only."""
        found: set[str] = set()
        for operation in self._operations:
            if operation.matches(request.scope)[0] is not Match.NONE:
                found |= set(getattr(operation, "methods", None) or {"GET"})
        return sorted(found | {"HEAD"} if "GET" in found else found)


def _answer(error: Exception, request: Request) -> Response:
    return respond(problem_reply(error, pick_locale(request.headers.get("accept-language"))))
