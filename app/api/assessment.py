"""The assessment: where a team stands, and its next step."""

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import JsonValue

from app.api.context import caller_of
from app.api.openapi import answers, operation
from app.api.parameters import Text
from app.api.replies import ProcessRef, Shape, json_reply
from app.api.routing import respond, router
from app.services.assessment import assess, document

routes = router("insights")


class CriterionReply(Shape):
    """One question with its answer, and what the answer rests on."""

    criterion: str
    level: Literal["crawl", "walk", "run"]
    name: str
    result: Literal["pass", "fail", "too_little_data"]
    figure: float | None
    threshold: dict[str, float]
    evidence: dict[str, JsonValue]


class NextStepReply(Shape):
    """What to do next, and the starter that fits it."""

    criterion: str | None
    message: str
    starter: str


class AssessmentReply(Shape):
    """What the process claims, and where the team stands: the highest level that it passes, with every one below."""

    process: ProcessRef | None
    claims: Literal["crawl", "walk", "run"]
    stands: Literal["crawl", "walk", "run"] | None
    criteria: list[CriterionReply]
    next_step: NextStepReply


_EXAMPLE: dict[str, Any] = {
    "process": {"key": "walk", "version": 3, "digest": "sha256:4f0c"},
    "claims": "walk",
    "stands": None,
    "criteria": [
        {
            "criterion": "data_entered", "level": "crawl", "name": "fields are filled in", "result": "fail",
            "figure": 0.61, "threshold": {"at_least": 0.8},
            "evidence": {"deals": 120, "values": 600, "good": 366, "least": 20},
        }
    ],
    "next_step": {
        "criterion": "data_entered", "message": "leave no field empty, least of all decision_date", "starter": "crawl",
    },
}  # fmt: skip


@routes.get(
    "/assessment",
    summary="Where a team stands",
    name="assessment",
    responses=answers(200, AssessmentReply, _EXAMPLE, "unknown-process", "invalid-request", body=False),
    openapi_extra=operation(None),
)
async def assessment(
    request: Request,
    *,
    process: Annotated[Text | None, Query(description="The key of the process; needless where there is one.")] = None,
) -> Response:
    """Crawl, walk or run, judged from the process and from what is stored of its deals; then ONE next step.

    Every criterion shows its figure, its threshold and its evidence; what rests on too little is not judged.
    """
    caller = caller_of(request)
    services = caller.services
    found = await assess(services.database, services.processes, caller.tenant_id, process)
    return respond(json_reply(document(found, caller.locale), caller.locale))
