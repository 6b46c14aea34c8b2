"""POST /veto/{connection}: a CRM that reads the status code alone asks before it saves. 2xx: it may go on."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Request, Response
from starlette.types import Receive, Scope

from app import clock
from app.api import examples
from app.api.context import Services
from app.api.crm_examples import CREDENTIALS, DYNAMICS_STEP
from app.api.crm_questions import log as write
from app.api.crm_questions import rendered
from app.api.openapi import answers, operation, public
from app.api.problems import Problem, Reply
from app.api.replies import AskedDecisionReply, Shape, json_reply
from app.api.routing import respond, router
from app.api.webhooks import encryption_key, signed_request
from app.i18n import Locale, pick_locale, texts
from app.services.crm_questions import Answer
from app.store.connections import StoredConnection

routes = router("connections")
PATH = "/veto/{connection}"
_PREFIX = PATH.partition("{")[0]


class VetoReply(Shape):
    """The CRM may go on. `checked` is false where a move was not judged, or not on all that its verdict depends on."""

    allowed: bool
    checked: bool
    decisions: list[AskedDecisionReply]


_BODY: dict[str, Any] = {
    **operation(None),
    **public(),
    "requestBody": {
        "required": True,
        "description": f"What the CRM sends before it saves, to the byte. {CREDENTIALS}",
        "content": {"application/json": {"schema": {}, "example": DYNAMICS_STEP}},
    },
}


@routes.post(
    PATH,
    summary="Ask before a move is saved",
    responses=answers(
        200,
        VetoReply,
        {"allowed": True, "checked": True, "decisions": [{**examples.ALLOWED, "deal_id": "dynamics-eu:D-17"}]},
        "unknown-connection",
        "secret-unavailable",
        "bad-signature",
        "move-vetoed",
        "veto-failed",
        "request-timeout",
        body=False,
    ),
    openapi_extra=_BODY,
)
async def veto_move(
    request: Request, connection: Annotated[str, Path(description="The id of the connection.")]
) -> Response:
    """2xx where the CRM may go on; 409 with every reason where it may not, and the `decisions` beside them.

    The moves are judged on what is known of the deals, with what the body tells as if it were saved already. Where we
    cannot tell, the connection's `on_failure` decides: `open` answers 200, `closed` 409 where only facts are lacking,
    and 500, which no CRM tries again, where the failure is ours.
    """
    scope, headers = request.scope, request.headers
    return respond(await _ask(request.app.state.services, connection, scope, request.receive, headers))


def vetoed_in(path: str) -> str | None:
    """The connection that a path asks for; None for any other path."""
    name = path.removeprefix(_PREFIX)
    return name if name and name != path and "/" not in name else None


async def fast_lane(services: Services, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Reply:
    """The same answer without the framework's routing."""
    return await _ask(services, vetoed_in(scope["path"]) or "", scope, receive, headers)


async def _ask(
    services: Services, connection: str, scope: Scope, receive: Receive, headers: Mapping[str, str]
) -> Reply:
    locale = pick_locale(headers.get("accept-language"))
    shapes: list[dict[str, Any]] = []

    async def log(connection: StoredConnection, asked: list[Answer]) -> None:
        entries, found = rendered(connection, asked, locale, source="veto")
        await write(services, entries)
        shapes.extend(found)

    sent = await signed_request(services, scope, receive, headers)
    vetoed = await services.vetoes.ask(connection, sent, key=encryption_key(services), now=clock.now(), log=log)
    if vetoed.failed:
        services.metrics.decided("failed", "veto")
    for one in vetoed.answers:
        services.metrics.decided(one.decision.outcome, "veto")
    if not vetoed.allowed:
        raise Problem("move-vetoed", reasons=_reasons(shapes, locale), extra={"decisions": shapes})
    content = {"allowed": True, "checked": vetoed.checked, "decisions": shapes}
    return json_reply(content, locale)


def _reasons(shapes: list[dict[str, Any]], locale: Locale) -> str:
    """Every reason in one line; of a move that nothing is found against, that we cannot tell."""
    blocking = [one for shape in shapes for one in shape["findings"] if one["severity"] == "block"]
    if not blocking:
        return texts(locale).text("veto.stage_before_unknown")
    return "; ".join(f"{one['message']} ({one['detail']})" for one in blocking)
