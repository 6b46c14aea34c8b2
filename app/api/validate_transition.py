"""POST /validate-transition: whether a deal may move there and, if not, what is missing."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from starlette.types import Receive, Scope

from app import clock
from app.api import crm_questions, examples
from app.api.bodies import parse, read_body, require_json
from app.api.context import Caller, Services, authenticate, caller_of
from app.api.idempotency import fingerprint, given_key, is_replayed, write
from app.api.openapi import answers, operation
from app.api.problems import Problem, Reply
from app.api.replies import DecisionReply, DecisionsReply, json_reply
from app.api.requests import DealQuestion, ValidateTransition
from app.api.routing import respond, router
from app.i18n import render_decision
from app.services.decision_log import logged
from app.services.ids import new_id
from app.services.judging import Case, inline_case, judge, same_process, stored_case
from app.services.refusals import InvalidRequest
from app.store.database import Transaction
from app.store.decisions import append_decision, insert_decision

routes: APIRouter = router("decisions")
PATH = "/validate-transition"
_ASKED_WITH_A_KEY = operation("decide", idempotent=True)
_OPERATION = {**_ASKED_WITH_A_KEY, "parameters": [*_ASKED_WITH_A_KEY["parameters"], *crm_questions.PARAMETERS]}


@routes.post(
    PATH,
    summary="May this deal move there, and if not, what is missing?",
    responses=answers(
        200,
        DecisionReply | DecisionsReply,
        examples.DECISION,
        "unknown-process",
        "unknown-version",
        "unknown-deal",
        "unknown-stage",
        "both-deal-forms",
        "idempotency-key-reused",
        "unknown-connection",
        "bad-signature",
        "unreadable-event",
        "secret-unavailable",
    ),
    openapi_extra=_OPERATION,
)
async def validate_transition(
    request: Request, body: Annotated[ValidateTransition, Body(openapi_examples=examples.VALIDATE)]
) -> Response:
    """Judge one move. A blocked move is 200: it is a right answer, with EVERY unmet requirement and its way out.

    The deal is sent along (`process` and `deal`) or stored (`deal_id`, optionally with `proposed` facts that are never
    stored). The decision is logged unless `dry_run` is true.

    With `connection`, the body is a CRM's own record or event as it writes it, under its own credentials: the answer is
    the same decision with its `deal_id`, or `decisions` for a list.
    """
    return respond(await answer(caller_of(request), body, request.state.body))


async def answer(caller: Caller, body: ValidateTransition, data: bytes) -> Reply:
    """The whole answer; the fast lane calls this very function."""
    keyed = given_key(caller) is not None
    case = await case_for(caller, body)
    now = clock.now()
    decision = judge(case, body.to, as_of=body.as_of or now, actor=body.actor)
    decision_id = new_id(now)
    reply = json_reply(render_decision(decision, case.compiled, caller.locale, decision_id=decision_id), caller.locale)
    if body.dry_run:
        caller.services.metrics.decided(decision.outcome, "api")
        return reply
    deal_id = case.stored.deal_id if case.stored is not None else case.snapshot.id
    entry = logged(caller.tenant_id, decision_id, decision, deal_id=deal_id, actor=body.actor, source="api", now=now)
    if not keyed:
        await append_decision(caller.services.database, entry)
        caller.services.metrics.decided(decision.outcome, "api")
        return reply

    async def log(tx: Transaction) -> Reply:
        await insert_decision(tx, entry)
        return reply

    answered = await write(caller, fingerprint("POST", PATH, "", data), log)
    if not is_replayed(answered):
        caller.services.metrics.decided(decision.outcome, "api")
    return answered


async def case_for(caller: Caller, body: DealQuestion) -> Case:
    """The facts and the process of a question. Raises both-deal-forms and what is unknown."""
    services = caller.services
    if body.deal is not None:
        if body.deal_id is not None:
            raise Problem("both-deal-forms")
        if body.proposed is not None:
            raise InvalidRequest("proposed", "proposed_needs_deal_id")
        if body.process is None:
            raise InvalidRequest("process", "missing")
        return await inline_case(
            services.database, services.processes, caller.tenant_id, body.deal,
            process=body.process, version=body.version,
        )  # fmt: skip
    if body.deal_id is None:
        raise InvalidRequest("deal", "missing")
    case = await stored_case(services.database, services.processes, caller.tenant_id, body.deal_id, body.proposed)
    if case.stored is not None:
        same_process(case.stored, body.process, body.version)
    return case


async def fast_lane(services: Services, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Reply:
    """The same answer without the framework's routing: key, bytes, values, decision."""
    caller = await authenticate(services, headers, "decide")
    crm_questions.refuse_parameters(scope)
    require_json(headers.get("content-type"))
    data = await read_body(headers, receive, services.settings.max_body_bytes)
    return await answer(caller, parse(ValidateTransition, data), data)
