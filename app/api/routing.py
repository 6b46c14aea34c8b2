"""Routes whose bodies are read our way: first the key, then the bytes, then the values; the OpenAPI stays generated."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from app.api.bodies import parse, read_body, require_json
from app.api.context import Services, authenticate
from app.api.problems import InvalidBody, Reply

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

SCOPE = "x-stagerail-scope"
_SHOWN = 80
"""Characters of a stranger's word that an answer repeats."""


class _Parsed(Request):
    """A request whose body is a value already: FastAPI takes an instance of the model as it is."""

    value: BaseModel

    async def json(self) -> Any:
        return self.value

    async def body(self) -> bytes:
        return b"{}"


class SafeRoute(APIRoute):
    """Authenticates, checks the scope, reads and checks the body, then hands over."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's own handler."""
        inner = super().get_route_handler()
        scope = (self.openapi_extra or {}).get(SCOPE)
        public = (self.openapi_extra or {}).get("security") == []
        model = None if self.body_field is None else cast("type[BaseModel]", self.body_field.field_info.annotation)

        known = frozenset(field.alias for field in self.dependant.query_params)

        async def handle(request: Request) -> Response:
            services: Services = request.app.state.services
            if not public:
                request.state.caller = await authenticate(services, request.headers, scope)
                _refuse_unknown(request, known)
            if model is None:
                return await inner(request)
            require_json(request.headers.get("content-type"))
            data = await read_body(request.headers, request.receive, services.settings.max_body_bytes)
            parsed = _Parsed(request.scope, request.receive)
            parsed.value = parse(model, data)
            request.state.body = data
            return await inner(parsed)

        return handle


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """A misspelt `?check=true` would publish: parameters are as strict as bodies."""
    if not request.scope.get("query_string"):
        return
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise InvalidBody(
            [ErrorDetails(type="extra_forbidden", loc=(name[:_SHOWN],), msg="", input=None) for name in unknown]
        )


def router(tag: str) -> APIRouter:
    """A router of one resource."""
    return APIRouter(route_class=SafeRoute, tags=[tag])


def needs(scope: str | None) -> dict[str, Any]:
    """The scope of an operation; any key serves where None."""
    return {} if scope is None else {SCOPE: scope}


def respond(reply: Reply) -> Response:
    """A reply as a response of the framework."""
    return Response(reply.body, reply.status, reply.headers)
