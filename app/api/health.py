"""How the service is: alive, ready, and its metrics."""

from fastapi import Request, Response

from app import clock
from app.api.context import Services
from app.api.openapi import Responses, answers, good, operation, problem_example, public
from app.api.replies import HealthReply
from app.api.routing import router

routes = router("operations")
_OK = b'{"status":"ok"}'
_DOWN: Responses = {
    503: {
        "description": "The database is unavailable",
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemReply"},
                "example": problem_example("database-unavailable"),
            }
        },
    }
}


@routes.get(
    "/health/live", summary="Is it alive?", responses={200: good(HealthReply, {"status": "ok"})}, openapi_extra=public()
)
async def live() -> Response:
    """The process answers. Restart it when this does not."""
    return Response(_OK, media_type="application/json")


@routes.get(
    "/health/ready",
    summary="Is it ready?",
    responses={200: good(HealthReply, {"status": "ok"}), **_DOWN},
    openapi_extra=public(),
)
async def ready(request: Request) -> Response:
    """The database answers and its schema is up to date. Send traffic only while this is 200."""
    services: Services = request.app.state.services
    await services.ready()
    return Response(_OK, media_type="application/json")


_EXPOSITION = {"description": "The exposition format", "content": {"text/plain": {"schema": {"type": "string"}}}}


@routes.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={**answers(200, None, None, body=False), 200: _EXPOSITION},
    openapi_extra=operation(None),
)
async def metrics(request: Request) -> Response:
    """Requests, times, decisions and what waits, counted; nothing of any tenant.

    Any key serves; Prometheus sends it as a bearer.
    """
    services: Services = request.app.state.services
    services.metrics.waiting(await services.backlogs.read(clock.now()))
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
