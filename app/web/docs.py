"""/docs: the API's page, from our own copy of Swagger UI, under a strict policy; it needs no internet."""

from pathlib import Path

from fastapi import APIRouter, Response
from starlette.staticfiles import StaticFiles

_STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
}

routes = APIRouter(include_in_schema=False)
assets = StaticFiles(directory=_STATIC)


@routes.get("/docs")
async def docs() -> Response:
    """The page."""
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=_HEADERS)


_PAGE = (_STATIC / "docs.html").read_text(encoding="utf-8")
