"""Processes: check, publish, read, draw."""

import json
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app import clock
from app.api import examples
from app.api.bodies import read_body
from app.api.context import Caller, caller_of
from app.api.file_types import YAML_TYPE, accepted, as_yaml, file_type
from app.api.idempotency import fingerprint, given_key, write
from app.api.openapi import answers, good, operation, public
from app.api.parameters import Cursor, Limit, ProcessKey, iso, page, place_of
from app.api.problems import Reply
from app.api.process_replies import ProcessPage, ProcessReply, PublishReply
from app.api.replies import json_reply
from app.api.routing import respond, router
from app.engine.diagram import diagram
from app.engine.schema import process_schema
from app.i18n import render_file_problem
from app.services.processes import Published, check_file, problems_of, publish_file, read_published
from app.store.database import DatabaseDown, Transaction
from app.store.processes import list_processes

routes = router("processes")

_FILE = {
    "requestBody": {
        "required": True,
        "description": "The process file, see `GET /schema`.",
        "content": {
            "application/yaml": {"schema": {"type": "string"}, "example": examples.PROCESS_FILE},
            "application/json": {"schema": {"type": "object"}, "example": examples.PROCESS},
        },
    }
}


@routes.put(
    "/processes/{key}",
    summary="Publish a process",
    responses={
        **answers(200, PublishReply, examples.PUBLISHED_AGAIN, "invalid-process-file", "idempotency-key-reused"),
        201: good(PublishReply, examples.PUBLISHED),
    },
    openapi_extra={**operation("processes:write", idempotent=True), **_FILE},
)
async def publish_process(
    request: Request,
    key: ProcessKey,
    *,
    check: Annotated[bool, Query(description="Only check the file; nothing is published.")] = False,
) -> Response:
    """Publish a file as the next version; the same content again is no new version (200, `created: false`).

    Errors refuse it (422) and are all listed with line and column; warnings are kept with the version.
    """
    caller = caller_of(request)
    media_type = file_type(request.headers.get("content-type", ""))
    data = await read_body(request.headers, request.receive, caller.services.settings.max_body_bytes)
    checked = await run_in_threadpool(check_file, key, data, media_type)
    warnings = [render_file_problem(problem, caller.locale) for problem in checked.problems]
    if check:
        given_key(caller)
        ref = {"key": key, "version": None, "digest": checked.digest}
        return respond(json_reply({"process": ref, "created": False, "warnings": warnings}, caller.locale))
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        published = await publish_file(tx, caller.tenant_id, checked, by=caller.principal.key_id, now=now)
        return _published(caller, key, published, warnings)

    try:
        reply = await write(caller, fingerprint("PUT", request.url.path, media_type, data), work)
    except DatabaseDown:
        caller.services.processes.forget(caller.tenant_id, key)
        raise
    caller.services.processes.forget_current(caller.tenant_id, key)
    return respond(reply)


def _published(caller: Caller, key: str, published: Published, warnings: list[Any]) -> Reply:
    content = {
        "process": {"key": key, "version": published.version, "digest": published.digest},
        "created": published.created,
        "published_at": iso(published.published_at),
        "warnings": warnings,
    }
    return json_reply(content, caller.locale, status=201 if published.created else 200)


@routes.get(
    "/processes",
    name="list_processes",
    summary="List processes",
    responses=answers(
        200,
        ProcessPage,
        {"items": [examples.SUMMARY], "next_cursor": None},
        "invalid-cursor",
        "invalid-request",
        body=False,
    ),
    openapi_extra=operation(None),
)
async def processes(request: Request, *, limit: Annotated[Limit, Query()] = 50, cursor: Cursor = None) -> Response:
    """Processes with their current versions."""
    caller = caller_of(request)
    rows = await list_processes(caller.services.database, caller.tenant_id, limit=limit + 1, cursor=place_of(cursor))
    items = [
        {
            "key": row.process_key,
            "version": row.current_version,
            "digest": row.digest,
            "updated_at": iso(row.updated_at),
        }
        for row in rows
    ]
    return respond(json_reply(page(items, [row.process_key for row in rows], limit), caller.locale))


_READ = {
    **answers(200, ProcessReply, examples.READ_PROCESS, "unknown-process", "not-acceptable", body=False),
}
_READ[200]["content"]["application/yaml"] = {"schema": {"type": "string"}, "example": examples.PROCESS_FILE}


@routes.get("/processes/{key}", summary="Read a process", responses=_READ, openapi_extra=operation(None))
async def read_process(request: Request, key: ProcessKey) -> Response:
    """The current version: as data (JSON), or the file as it was published (`Accept: application/yaml`)."""
    return await _read(request, key, None)


@routes.get(
    "/processes/{key}/versions/{version}",
    summary="Read a version of a process",
    responses={
        **_READ,
        **answers(
            200,
            ProcessReply,
            examples.READ_PROCESS,
            "unknown-process",
            "unknown-version",
            "not-acceptable",
            "invalid-request",
            body=False,
        ),
        200: _READ[200],
    },
    openapi_extra=operation(None),
)
async def read_process_version(
    request: Request, key: ProcessKey, version: Annotated[int, Path(ge=1, le=2**31, description="Its number.")]
) -> Response:
    """A published version; it never changes."""
    return await _read(request, key, version)


async def _read(request: Request, key: str, version: int | None) -> Response:
    caller = caller_of(request)
    wanted = accepted(request.headers.get("accept", "*/*"))
    row = await read_published(caller.services.database, caller.tenant_id, key, version)
    if wanted == "yaml":
        text = row.source if row.media_type == "application/yaml" else await run_in_threadpool(as_yaml, row.source)
        return respond(Reply(200, text.encode(), {"content-type": YAML_TYPE, "vary": "accept, accept-language"}))
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, key, row.version)
    content = {
        "key": key,
        "version": row.version,
        "digest": row.digest,
        "published_at": iso(row.published_at),
        "published_by": row.published_by,
        "definition": compiled.process.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "warnings": [render_file_problem(problem, caller.locale) for problem in problems_of(row)],
    }
    return respond(json_reply(content, caller.locale, headers={"vary": "accept, accept-language"}))


_PICTURE = answers(200, None, None, "unknown-process", "invalid-request", body=False)
_PICTURE[200] = {
    "description": "The picture",
    "content": {
        "text/vnd.mermaid": {"schema": {"type": "string"}, "example": examples.PICTURES["mermaid"]},
        "image/svg+xml": {"schema": {"type": "string"}, "example": examples.PICTURES["svg"]},
        "application/json": {"schema": {"type": "object"}, "example": json.loads(examples.PICTURES["json"])},
    },
}
_PICTURE_TYPES = {"mermaid": "text/vnd.mermaid; charset=utf-8", "svg": "image/svg+xml", "json": "application/json"}


@routes.get(
    "/processes/{key}/diagram",
    summary="Draw a process",
    response_class=Response,
    responses=_PICTURE,
    openapi_extra=operation(None),
)
async def process_diagram(
    request: Request,
    key: ProcessKey,
    *,
    format: Annotated[Literal["mermaid", "svg", "json"], Query(description="What to draw it as.")] = "svg",  # noqa: A002 - the contract's word
    view: Annotated[
        Literal["seller", "buyer"],
        Query(description="Whose view: the seller's stages, or the buyer's steps with their stages."),
    ] = "seller",
) -> Response:
    """The current version as a picture."""
    caller = caller_of(request)
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, key)
    text = await run_in_threadpool(diagram, compiled.process, format, caller.locale, view=view)
    headers = {"content-type": _PICTURE_TYPES[format], "content-language": caller.locale}
    if format == "svg":
        headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return respond(Reply(200, text.encode(), headers))


@routes.get(
    "/schema",
    name="process_schema",
    summary="The JSON Schema of the process file",
    response_class=Response,
    responses={
        200: {
            "description": "JSON Schema 2020-12",
            "content": {"application/schema+json": {"schema": {"type": "object"}}},
        }
    },
    openapi_extra=public(),
)
async def schema() -> Response:
    """For editors: completion and checks while a process is written."""
    return Response(json.dumps(process_schema(), ensure_ascii=False), media_type="application/schema+json")
