"""POST /next-activities and GET /deals/{id}/next-activities: what to do next with a deal."""

from typing import Annotated

from fastapi import Body, Query, Request, Response

from app import clock
from app.api import examples
from app.api.context import Caller, caller_of
from app.api.openapi import answers, operation
from app.api.parameters import ActorId, AsOf, DealId, Limit, Roles, Text, actor_from
from app.api.problems import Reply
from app.api.replies import AdviceReply, json_reply
from app.api.requests import NextActivities
from app.api.routing import respond, router
from app.api.validate_transition import case_for
from app.engine import Actor, Instant
from app.i18n import AdviceDetail, render_advice
from app.services.judging import Case, stored_case
from app.services.next_activities import advise

routes = router("decisions")


@routes.post(
    "/next-activities",
    summary="What to do next with a deal",
    responses=answers(
        200, AdviceReply, examples.ADVICE, "unknown-process", "unknown-version", "unknown-deal", "unknown-stage",
        "both-deal-forms",
    ),
    openapi_extra=operation("decide"),
)  # fmt: skip
async def next_activities(
    request: Request, body: Annotated[NextActivities, Body(openapi_examples=examples.NEXT)]
) -> Response:
    """The cheapest plan to the goal and the ranked next steps.

    Doing the mandatory ones, and nothing else, makes the next move allowed. Where the goal is out of reach, `plan` is
    null and `blocked_by` says what stands in the way.
    """
    caller = caller_of(request)
    case = await case_for(caller, body)
    return respond(
        _reply(caller, case, goal=body.goal, limit=body.limit, as_of=body.as_of, actor=body.actor, detail=body.detail)
    )


@routes.get(
    "/deals/{deal_id}/next-activities",
    summary="What to do next with a stored deal",
    responses=answers(
        200, AdviceReply, examples.ADVICE, "unknown-deal", "unknown-stage", "invalid-request", body=False
    ),
    openapi_extra=operation("decide"),
)
async def deal_next_activities(
    request: Request,
    deal_id: DealId,
    *,
    goal: Annotated[Text | None, Query(description="The stage to reach; won if not said.")] = None,
    limit: Annotated[Limit, Query()] = 5,
    detail: Annotated[AdviceDetail, Query(description="How much each suggestion says.")] = "full",
    as_of: AsOf = None,
    actor: ActorId = None,
    role: Roles = None,
) -> Response:
    """The same for a stored deal."""
    caller = caller_of(request)
    case = await stored_case(caller.services.database, caller.services.processes, caller.tenant_id, deal_id)
    return respond(
        _reply(caller, case, goal=goal, limit=limit, as_of=as_of, actor=actor_from(actor, role), detail=detail)
    )


def _reply(
    caller: Caller,
    case: Case,
    *,
    goal: str | None,
    limit: int,
    as_of: Instant | None,
    actor: Actor | None,
    detail: AdviceDetail,
) -> Reply:
    advice = advise(case, goal=goal, limit=limit, as_of=as_of or clock.now(), actor=actor)
    return json_reply(render_advice(advice, case.compiled, caller.locale, detail=detail), caller.locale)
