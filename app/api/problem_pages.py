"""/problems/{type}: what a problem's `type` leads to: its title, its status, and what to do."""

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from app.api.openapi import problem_example
from app.api.problems import STATUS, Problem

routes = APIRouter(include_in_schema=False)


@routes.get("/problems")
async def problem_types() -> Response:
    """Every type there is."""
    return Response(to_json({"types": [problem_example(kind) for kind in STATUS]}), media_type="application/json")


@routes.get("/problems/{kind}")
async def problem_type(request: Request, kind: str) -> Response:
    """One type, with an example of its detail."""
    if kind not in STATUS:
        raise Problem("not-found", path=request.url.path)
    return Response(to_json(problem_example(kind)), media_type="application/json")
