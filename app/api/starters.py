"""Starters: processes to begin from."""

from typing import Annotated, Literal

from fastapi import Path, Request, Response
from pydantic import Field, JsonValue
from starlette.concurrency import run_in_threadpool

from app.api.context import caller_of
from app.api.file_types import YAML_TYPE, accepted
from app.api.openapi import answers, operation
from app.api.parameters import Text
from app.api.problems import Reply
from app.api.replies import Shape, json_reply
from app.api.routing import respond, router
from app.services.starters import list_starters, starter_file, starter_process, summary
from app.starters import read_starter

routes = router("processes")

_VARY = {"vary": "accept, accept-language"}


class StarterSummaryReply(Shape):
    """A starter in a list."""

    key: str
    name: str
    maturity: Literal["crawl", "walk", "run"]
    what_for: Annotated[str, Field(alias="for")]


class StarterListReply(Shape):
    """Every starter, in the order of maturity."""

    items: list[StarterSummaryReply]


class StarterReply(StarterSummaryReply):
    """A starter with its definition, ready to be published."""

    definition: dict[str, JsonValue]


def _definition(name: str) -> dict[str, JsonValue]:
    content: dict[str, JsonValue] = starter_process(name).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return content


@routes.get(
    "/starters",
    summary="List starters",
    responses=answers(200, StarterListReply, {"items": [summary("crawl", "en")]}, "invalid-request", body=False),
    openapi_extra=operation(None),
)
async def starters(request: Request) -> Response:
    """Processes to begin from, each with the maturity it is for."""
    caller = caller_of(request)
    return respond(json_reply({"items": list_starters(caller.locale)}, caller.locale))


_READ = answers(
    200,
    StarterReply,
    {**summary("crawl", "en"), "definition": _definition("crawl")},
    "unknown-starter",
    "not-acceptable",
    "invalid-request",
    body=False,
)
_READ[200]["content"]["application/yaml"] = {"schema": {"type": "string"}, "example": read_starter("crawl").decode()}


@routes.get("/starters/{name}", summary="Read a starter", responses=_READ, openapi_extra=operation(None))
async def read_starter_file(request: Request, name: Annotated[Text, Path(description="Its key.")]) -> Response:
    """As data (JSON), or the file with its comments (`Accept: application/yaml`): `PUT /processes/{key}` takes both."""
    caller = caller_of(request)
    form = accepted(request.headers.get("accept", "*/*"))
    file = starter_file(name)
    if form == "yaml":
        return respond(Reply(200, file, {"content-type": YAML_TYPE, **_VARY}))
    definition = await run_in_threadpool(_definition, name)
    return respond(json_reply({**summary(name, caller.locale), "definition": definition}, caller.locale, headers=_VARY))
