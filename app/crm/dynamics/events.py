"""What Dynamics sends: the execution context of a step on an opportunity, its process flow, or an activity.

Nothing is signed: the key comes in a header (`HttpHeader`, named `x-stagerail-key`) or in the address (`WebhookKey`
as `?code=`, `HttpQueryString` as `?key=`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from app.crm.dynamics.activities import TABLES, activity_fact, contact_fact, contacts_of
from app.crm.dynamics.context import Context, context_of
from app.crm.dynamics.settings import IN_PROCESS_FLOW, LOST, WON, DynamicsSettings
from app.crm.dynamics.values import attributes, moment, plain, reference_of, text_of
from app.crm.dynamics.words import OPEN, STATE, Deal, place
from app.crm.events import Batch, Event, Fact, Malformed
from app.crm.reading import json_of, object_of
from app.crm.shared_keys import brings_key

DEALS = "opportunity"
_CLOSING = {"win": WON, "winopportunity": WON, "lose": LOST, "loseopportunity": LOST}
_STATES = ("setstate", "setstatedynamicentity")
_OF_THE_FLOW = ("opportunityid", "bpf_opportunityid")
_LESS = timedelta(microseconds=1)


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether the request brings the key."""
    del method, body, now
    return brings_key(secrets, uri, headers, ("code", "key"))


def read(body: bytes, settings: DynamicsSettings) -> Batch:
    """The events of an execution context."""
    context = context_of(object_of(json_of(body)), settings)
    if context.table in (DEALS, "opportunityclose") or context.message in _CLOSING:
        return _opportunity(context, settings)
    if context.table == settings.process_table:
        return _flow(context, settings)
    if context.table in TABLES or context.table in settings.activities:
        return _activity(context, settings)
    return _connection(context, settings) if context.table == "connection" else Batch((), 1, ())


def _opportunity(context: Context, settings: DynamicsSettings) -> Batch:
    closing = _CLOSING.get(context.message)
    close = attributes(context.inputs.get("OpportunityClose")) if closing else {}
    closed = reference_of(close.get("opportunityid"))
    object_id = closed.id if closed else context.record_id
    if context.table != DEALS and not closed:  # quotes are won too
        return Batch((), 1, ())
    if object_id is None:
        raise Malformed("event_field_missing", field="PrimaryEntityId")
    deal = Deal(settings, object_id, context.by, context.channel)
    if context.message == "delete":
        return Batch((deal.event("deleted", context.at),), 0, ())
    if context.trimmed and closing is None:
        return Batch((), 0, (), (), (object_id,))
    if context.message == "create":
        made = moment(plain(context.now.get("createdon"))) or context.at
        return Batch((deal.event("created", made), *deal.values(context.now, context.at, "changed")), 0, ())
    stage = [_closed(deal, context, closing)] if closing else _stage(deal, context)
    events = (*(one for one in stage if one is not None), *_columns(deal, context))
    hints = (object_id,) if None in stage else ()
    return Batch(events, 0 if events or hints else 1, (), (), hints)


def _closed(deal: Deal, context: Context, closing: str) -> Event:
    before = place(context.pre, deal.settings)
    was = [] if before is None or STATE not in context.pre else [before]
    return deal.event("changed", context.at, deal.settings.stage_property, closing, *was)


def _stage(deal: Deal, context: Context) -> list[Event | None]:
    """The change of stage or state; None for one that only reading the deal can tell: it is open again, somewhere.

    A state of before is only known from an image that holds it; a deal that is closed changes no stage.
    """
    settings, target = deal.settings, dict(context.target)
    if context.message in _STATES:
        target[STATE] = context.inputs.get("State")
    if STATE not in target and settings.stage_property not in target:
        return []
    data = {**context.pre, **target, **context.post}
    now, before = place(data, settings), place(context.pre, settings)
    if now is None and settings.stage_property not in data and text_of(target.get(STATE)) == OPEN:
        return [None]
    known = before is not None and (STATE in context.pre or STATE not in target)
    if known and before == now:
        return []
    return [deal.event("changed", context.at, settings.stage_property, now, *([before] if known else []))]


def _columns(deal: Deal, context: Context) -> Iterator[Event]:
    """What else has changed. Another owner may also come by a message of its own."""
    target = dict(context.target)
    if context.message == "assign":
        target[deal.settings.owner_property] = context.inputs.get("Assignee")
    for name in sorted(deal.settings.followed - {deal.settings.stage_property}):
        if name in target:
            was = [context.pre[name]] if name in context.pre else []
            yield deal.event("changed", context.at, name, target[name], *was)


def _flow(context: Context, settings: DynamicsSettings) -> Batch:
    """A business process flow: its row says in which stage the opportunity is, which must come along in an image.

    The row's own state says whether the flow is at its end, and nothing of the opportunity.
    """
    if settings.stage_property != IN_PROCESS_FLOW or IN_PROCESS_FLOW not in context.target:
        return Batch((), 1, ())
    found = [reference_of(context.now.get(name)) for name in _OF_THE_FLOW]
    reference = next((one for one in found if one is not None), None)
    if reference is None:
        raise Malformed("dynamics_no_opportunity", table=str(settings.process_table))
    deal = Deal(settings, reference.id, context.by, context.channel)
    for part in (context.target, context.pre, context.post):
        part.pop(STATE, None)
    return Batch((*_columns(deal, context), *(one for one in _stage(deal, context) if one is not None)), 0, ())


def _activity(context: Context, settings: DynamicsSettings) -> Batch:
    """An activity of an opportunity. One that came in part is read back.

    A change never tells all, the people least: at the time of the change, what is read counts more.
    """
    regarding = reference_of(context.now.get("regardingobjectid"))
    before = reference_of(context.pre.get("regardingobjectid"))
    left = before.id if before is not None and before.table == DEALS and before != regarding else None
    if context.record_id is None or ((regarding is None or regarding.table != DEALS) and left is None):
        return Batch((), 1, ())
    facts = [] if left is None else [Fact(left, "activity", context.record_id, context.at, None)]
    if regarding is None or regarding.table != DEALS:
        return Batch((), 0, (), tuple(facts))
    if context.message == "delete":
        return Batch((), 0, (), (Fact(regarding.id, "activity", context.record_id, context.at, None),))
    if context.message != "create" and STATE not in context.now:
        return Batch((), 0, (), tuple(facts), (regarding.id,))
    at = context.at if context.message == "create" else context.at - _LESS
    fact = activity_fact(
        context.table, context.now, settings, deal=regarding.id, activity_id=context.record_id, at=at,
        contacts=contacts_of(context.now),
    )  # fmt: skip
    facts += [] if fact is None else [fact]
    return Batch((), 0 if facts else 1, (), tuple(facts))


def _connection(context: Context, settings: DynamicsSettings) -> Batch:
    """A contact with a role: told whole when it is made, else read back."""
    ends = [reference_of(context.now.get(name)) for name in ("record1id", "record2id")]
    deal = next((one.id for one in ends if one is not None and one.table == DEALS), None)
    contact = next((one.id for one in ends if one is not None and one.table == "contact"), None)
    if deal is None:
        return Batch((), 1, ())
    if context.message != "create" or contact is None or context.record_id is None:
        return Batch((), 0, (), (), (deal,))
    # each end says its own role: of the contact, where the contact is the second
    second = ends[1] is not None and ends[1].table == "contact"
    found = context.now.get("record2roleid" if second else "record1roleid")
    named = found.get("Name") if isinstance(found, dict) else None
    roles = (text_of(found), named if isinstance(named, str) else None)
    fact = contact_fact(settings, deal=deal, connection=context.record_id, contact=contact, roles=roles, at=context.at)
    return Batch((), 0, (), (fact,))
