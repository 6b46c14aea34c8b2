"""The composition root: settings in, application out. Nothing is built at import time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Mount, Route

from app import __version__
from app.api import (
    activities,
    assessment,
    connection_drafts,
    connections,
    deals,
    decisions,
    drift,
    endpoints,
    health,
    insights,
    moves,
    next_activities,
    outbox,
    problem_pages,
    processes,
    starters,
    syncs,
    validate_transition,
    veto,
    webhooks,
)
from app.api.context import Services
from app.api.edge import Edge, Edged
from app.api.framework import FrameworkErrors
from app.api.metrics import Metrics
from app.api.openapi import finish
from app.outbox.addresses import allowed_of
from app.outbox.http import Outgoing
from app.services.backlog import Backlogs
from app.services.clock_work import ClockWork, connection_passes, usual_passes
from app.services.connection_care import Reconciled
from app.services.delivery_worker import DeliveryWorker
from app.services.event_sender import EventSender
from app.services.events import Events
from app.services.forgetting import Forgetting
from app.services.keys import Keys
from app.services.outbox import Handler
from app.services.outbox_worker import OutboxWorker
from app.services.processes import Processes
from app.services.read_back import Reading
from app.services.remedies import Remedies
from app.services.settler import Settler
from app.services.settling import Judges
from app.services.sync_worker import SyncWorker
from app.services.veto import Vetoes
from app.settings import Settings
from app.store.database import DatabaseDown, open_database
from app.store.migrate import is_current
from app.web import docs

ABOUT = """Stage gating for any CRM: one process file, one verdict, every reason.

`POST /validate-transition` says whether a deal may move to a stage and, if not, EVERY unmet requirement with its way
out. `POST /next-activities` says what to do next. A CRM may also tell what has happened, with `PUT /deals/{deal_id}`
and webhooks.
"""
TAGS = [
    {"name": "decisions", "description": "Ask, and read what was answered."},
    {"name": "deals", "description": "Deals kept here, their activities and their moves."},
    {"name": "processes", "description": "Process files: check, publish, read, draw."},
    {"name": "insights", "description": "What is seen over all deals, always with its denominators."},
    {"name": "connections", "description": "Links to CRM accounts, and their deliveries."},
    {"name": "outbox", "description": "What leaves: our events and who is told of them, and what is put right."},
    {"name": "operations", "description": "Health and metrics."},
]


def create_app(settings: Settings, *, lane: bool = True) -> FastAPI:
    """The application. `lane=False` sends the hot operation through the router too, to compare both."""
    services = _services(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await services.database.start()
        await services.deliveries.start()
        await services.outbox.start()
        await services.syncs.start()
        await services.clock_work.start()
        await services.settler.start()
        try:
            yield
        finally:
            await services.clock_work.stop()
            await services.syncs.stop()
            await services.deliveries.stop()
            await services.settler.stop()
            await services.outbox.stop()
            await services.http.close()
            await services.database.stop()

    app = Edged(
        title="Stagerail", version=__version__, summary="Stage gating for any CRM", description=ABOUT,
        openapi_tags=TAGS, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None,
        generate_unique_id_function=lambda route: route.name, separate_input_output_schemas=False,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"}, redirect_slashes=False,
    )  # fmt: skip
    app.state.services = services
    errors = FrameworkErrors(_add_routes(app, settings))
    app.exception_handler(RequestValidationError)(errors.wrong_parameters)
    app.exception_handler(HTTPException)(errors.http_error)
    app.add_middleware(Edge, state=app.state)
    if lane:
        app.lane = Edge(app, app.state, lane=True)
    if settings.cors_origins:
        options: dict[str, Any] = {
            "allow_origins": list(settings.cors_origins), "allow_methods": ["*"], "allow_headers": ["*"],
            "expose_headers": ["ETag", "X-Request-Id", "Idempotency-Replayed", "Retry-After"],
        }  # fmt: skip
        app.add_middleware(CORSMiddleware, **options)
        app.lane = app.lane and CORSMiddleware(app.lane, **options)
    return app


def _services(settings: Settings) -> Services:
    database = open_database(settings.database_url)
    known = Processes()

    async def ready() -> None:
        await database.ping()
        if not await is_current(database):
            raise DatabaseDown("the schema is not up to date: run `stagerail migrate`")

    metrics = Metrics()
    events = Events(settings.public_url or "urn:stagerail")
    deliveries = DeliveryWorker(database, known, metrics.decided, events)
    key = None if settings.encryption_key is None else settings.encryption_key.get_secret_value()
    http = Outgoing(allowed_of(settings.outgoing_allow))
    judges = Judges(database, known, key, http, events, metrics.decided)
    handlers: dict[str, Handler] = {"event": EventSender(database, http, key), "remedy": Remedies(judges)}
    worker = OutboxWorker(database, handlers, died=events.died, count=metrics.attempted)
    settler = Settler(judges)
    reading = Reading(judges)
    rebuilding = SyncWorker(database, reading.client_of, reading.read_back, Reconciled(events))
    passes = usual_passes(database, events, worker.wake) | connection_passes(
        database, reading.client_of, events, worker.wake, rebuilding.wake
    )
    clock_work = ClockWork(database, passes)
    return Services(
        settings, database, known, Keys(), metrics, deliveries, Forgetting(), ready, events, worker, http, clock_work,
        settler, rebuilding, Vetoes(database, known), Backlogs(database),
    )  # fmt: skip


def _add_routes(app: FastAPI, settings: Settings) -> list[BaseRoute]:
    resources: tuple[Any, ...] = (
        validate_transition, next_activities, deals, activities, moves, decisions, processes, starters, insights, drift,
        assessment, connection_drafts, connections, syncs, webhooks, veto, outbox, endpoints, health, problem_pages,
    )  # fmt: skip
    operations: list[BaseRoute] = []
    for resource in resources:
        app.include_router(resource.routes)
        operations += resource.routes.routes
    document: dict[str, Any] = {}

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> Response:
        if not document:
            document.update(_openapi(request.app))
        return Response(to_json(document), media_type="application/json")

    if settings.docs:
        app.include_router(docs.routes)
        app.mount("/docs/assets", docs.assets)
        operations += docs.routes.routes
    return [*operations, *(route for route in app.routes if isinstance(route, Route | Mount))]


def _openapi(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes,
        tags=TAGS, license_info=app.license_info, openapi_version="3.1.0", separate_input_output_schemas=False,
        servers=[{"url": "/", "description": "This server"}],
    )  # fmt: skip
    return finish(document)
