"""Activities of a stored deal."""

from typing import Annotated, Any

from fastapi import Body, Path, Request, Response

from app import clock
from app.api import examples
from app.api.context import Caller, caller_of
from app.api.deals import etag
from app.api.idempotency import fingerprint, write
from app.api.openapi import answers, good, operation
from app.api.parameters import DealId, Text
from app.api.problems import Reply
from app.api.replies import ActivityLoggedReply, json_reply
from app.api.routing import respond, router
from app.engine import Activity
from app.services.activities import LoggedActivity, change_activity
from app.services.activities import log_activity as log
from app.services.refusals import InvalidRequest
from app.store.database import Transaction

routes = router("deals")


@routes.post(
    "/deals/{deal_id}/activities",
    summary="Log an activity",
    responses={
        **answers(
            200, ActivityLoggedReply, examples.ACTIVITY, "unknown-deal", "activity-conflict", "idempotency-key-reused"
        ),
        201: good(ActivityLoggedReply, examples.ACTIVITY),
    },
    openapi_extra=operation("deals:write", idempotent=True),
)
async def log_activity(
    request: Request, deal_id: DealId, body: Annotated[Activity, Body(openapi_examples=examples.LOG_ACTIVITY)]
) -> Response:
    """Once per id: the same again changes nothing (200), another content under a known id is refused (409)."""
    caller = caller_of(request)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        return _reply(caller, body, await log(tx, caller.tenant_id, deal_id, body, now=now))

    return respond(await write(caller, _mark(request), work))


@routes.put(
    "/deals/{deal_id}/activities/{activity_id}",
    summary="Change an activity",
    responses=answers(
        200, ActivityLoggedReply, examples.ACTIVITY, "unknown-deal", "unknown-activity", "idempotency-key-reused"
    ),
    openapi_extra=operation("deals:write", idempotent=True),
)
async def put_activity(
    request: Request,
    deal_id: DealId,
    activity_id: Annotated[Text, Path(description="The activity's id.")],
    body: Annotated[Activity, Body(openapi_examples=examples.LOG_ACTIVITY)],
) -> Response:
    """Overwrite an activity that was logged before: what was planned has been done."""
    caller = caller_of(request)
    if body.id != activity_id:
        raise InvalidRequest("id", "not_the_path", value=body.id, path=activity_id)
    now = clock.now()

    async def work(tx: Transaction) -> Reply:
        return _reply(caller, body, await change_activity(tx, caller.tenant_id, deal_id, body, now=now))

    return respond(await write(caller, _mark(request), work))


def _mark(request: Request) -> str:
    return fingerprint(request.method, request.url.path, "", request.state.body)


def _reply(caller: Caller, activity: Activity, logged: LoggedActivity) -> Reply:
    content: dict[str, Any] = activity.model_dump(mode="json", by_alias=True)
    return json_reply(
        content, caller.locale, status=201 if logged.created else 200, headers={"etag": etag(logged.deal)}
    )
