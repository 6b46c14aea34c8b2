"""What is seen over all deals: how the process is kept, how fields are filled, and the path of the buyer."""

import json
import re
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.api.context import Caller, caller_of
from app.api.insight_replies import (
    ADHERENCE,
    DATA_QUALITY,
    DEAL_QUALITY,
    JOURNEY,
    AdherenceReply,
    BuyerJourneyReply,
    DataQualityReply,
    DealQualityReply,
)
from app.api.openapi import answers, operation
from app.api.parameters import Cursor, DealId, Limit, ProcessKey, Text, page, place_of
from app.api.problems import Problem
from app.api.replies import json_reply
from app.api.routing import respond, router
from app.services import adherence as kept
from app.services import data_quality as quality
from app.services.buyer_journey import buyer_journey
from app.store.insights import Dimension

routes = router("insights")

_DAY = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


def _only_day(value: Any) -> Any:
    """Numbers and times are no days."""
    if isinstance(value, str) and not _DAY.match(value):
        raise PydanticCustomError("not_a_day", "not a day")
    return value


Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31)), BeforeValidator(_only_day)]
Process = Annotated[Text, Query(description="The key of the process.")]
Owner = Annotated[Text | None, Query(description="Of the deals of this owner only.")]
By = Annotated[
    list[Literal["requirement", "transition", "owner", "week"]] | None,
    Query(description="What to count by; each of them if not said. Repeat it for several.", max_length=4),
]
PAGED = ("unknown-process", "invalid-cursor", "invalid-request")


@routes.get(
    "/insights/adherence",
    summary="How the process is kept",
    name="adherence",
    responses=answers(200, AdherenceReply, ADHERENCE, *PAGED, body=False),
    openapi_extra=operation(None),
)
async def adherence(
    request: Request,
    *,
    process: Process,
    first: Annotated[Day | None, Query(alias="from", description="The first day, in the process's timezone.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="The last day, counted in.")] = None,
    owner: Owner = None,
    by: By = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """Per requirement (or house rule), transition, owner and ISO week of moves that happened: asked, met, missed.

    `activated` is the denominator: met, waived and missed together. What could not be judged is `unknown`; moves that
    were refused here are counted apart, as `refused`. The rule `drawn` is asked of every move: missed, it was undrawn.
    """
    caller = caller_of(request)
    period = kept.period(first, last)
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, process)
    dimensions: tuple[Dimension, ...] = tuple(by) if by else ("requirement", "transition", "owner", "week")
    asked = kept.Asked(compiled.key, dimensions, period, owner)
    found = await kept.adherence(
        caller.services.database, caller.tenant_id, asked, limit=limit + 1, after=after_group(cursor, asked.width)
    )
    sums = [one for one in found.sums if one["requirement"] is not None]
    rules = [one for one in found.sums if one["rule"] is not None]
    content = {
        "process": compiled.key,
        "from": period.first,
        "to": period.last,
        "moves": kept.moves(rules),
        "totals": kept.added(sums),
        "rules": [{name: value for name, value in one.items() if name != "requirement"} for one in rules],
        **group_page(found.groups, found.places, limit),
    }
    return _answer(caller, content)


@routes.get(
    "/insights/data-quality",
    summary="How fields are filled",
    name="data_quality",
    responses=answers(200, DataQualityReply, DATA_QUALITY, *PAGED, body=False),
    openapi_extra=operation(None),
)
async def data_quality(
    request: Request,
    *,
    process: Process,
    owner: Owner = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor = None,
) -> Response:
    """Per field and owner, per field and over all: structured counts 1, text 0.5, nothing 0; `count` is how many."""
    caller = caller_of(request)
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, process)
    found = await quality.quality_of_process(
        caller.services.database, caller.tenant_id, compiled.key,
        owner=owner, limit=limit + 1, after=after_group(cursor, 2),
    )  # fmt: skip
    content = {
        "process": compiled.key,
        "overall": quality.added(found.fields),
        "fields": found.fields,
        **group_page(found.groups, found.places, limit),
    }
    return _answer(caller, content)


@routes.get(
    "/deals/{deal_id}/data-quality",
    summary="How the fields of a deal are filled",
    name="deal_data_quality",
    responses=answers(200, DealQualityReply, DEAL_QUALITY, "unknown-deal", "invalid-request", body=False),
    openapi_extra=operation(None),
)
async def deal_data_quality(request: Request, deal_id: DealId) -> Response:
    """The score of a deal and of each of its fields: structured counts 1, text 0.5, nothing 0."""
    caller = caller_of(request)
    deal, found = await quality.quality_of_deal(caller.services.database, caller.tenant_id, deal_id)
    head = {"deal": deal.deal_id, "process": deal.process_key, "version": deal.process_version, "owner": deal.owner}
    return _answer(caller, {**head, **found})


@routes.get(
    "/processes/{key}/buyer-journey",
    summary="The buyer's journey",
    name="buyer_journey",
    responses=answers(200, BuyerJourneyReply, JOURNEY, "unknown-process", "invalid-request", body=False),
    openapi_extra=operation(None),
)
async def read_buyer_journey(request: Request, key: ProcessKey) -> Response:
    """The steps of the buyer, in the order of progress, each with the stages that serve it."""
    caller = caller_of(request)
    compiled = await caller.services.processes.asked(caller.services.database, caller.tenant_id, key)
    return _answer(caller, buyer_journey(compiled, caller.locale))


def _answer(caller: Caller, content: dict[str, Any]) -> Response:
    return respond(json_reply(content, caller.locale))


def group_page(groups: list[dict[str, Any]], places: list[list[str]], limit: int) -> dict[str, Any]:
    """A page of groups; the cursor is the last group's own values."""
    return page(groups, [json.dumps(place, ensure_ascii=False) for place in places], limit)


def _is_name(value: Any) -> bool:
    """Text that a database can look up."""
    return isinstance(value, str) and "\0" not in value and not re.search("[\ud800-\udfff]", value)


def after_group(cursor: str | None, width: int) -> list[str] | None:
    """The group that the page before ended with. A cursor of another question is none of this one."""
    text = place_of(cursor)
    if text is None:
        return None
    try:
        place = json.loads(text)
    except ValueError as error:
        raise Problem("invalid-cursor", cursor=(cursor or "")[:80]) from error
    if not isinstance(place, list) or len(place) != width or not all(map(_is_name, place)):
        raise Problem("invalid-cursor", cursor=(cursor or "")[:80])
    return place
