"""What Salesforce sends: Outbound Messages as SOAP, and Change Data Capture events that something relays as JSON.

Neither is signed. Whoever sends brings the connection's secret: in the address that Salesforce was given (`?key=`, or
HTTP Basic), in a header that a proxy adds once it has checked Salesforce's certificate, or as a Standard Webhooks
signature of the relay. Beside that, every message must name the organisation of the connection.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.crm import standard_webhooks
from app.crm.events import Batch, Event, Fact, Fault, Malformed
from app.crm.reading import json_of, shown, time_or_none
from app.crm.salesforce.activities import activity_fact, contact_fact, deal_of
from app.crm.salesforce.change_data import change_data
from app.crm.salesforce.ids import id_in
from app.crm.salesforce.settings import SalesforceSettings
from app.crm.salesforce.soap import Notification, is_xml, notifications
from app.crm.salesforce.words import Deal, modified_at
from app.crm.shared_keys import brings_key

MOST_NOTIFICATIONS = 100


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether the request brings the secret, or what only the secret can sign."""
    del method
    if brings_key(secrets, uri, headers, ("key",)):
        return True
    return standard_webhooks.verify(secrets, headers, body, now)


def read(body: bytes, settings: SalesforceSettings) -> Batch:
    """The events of a message or of relayed changes."""
    return _messages(body, settings) if is_xml(body) else change_data(json_of(body), settings)


def _messages(body: bytes, settings: SalesforceSettings) -> Batch:
    """A message sent again tells the values of that moment: what it tells counts at the time that it is of."""
    listed = notifications(body)
    if len(listed) > MOST_NOTIFICATIONS:
        raise Malformed("delivery_too_many_events", found=len(listed), most=MOST_NOTIFICATIONS)
    events: list[Event] = []
    facts: list[Fact] = []
    faults: list[Fault] = []
    hints: list[str] = []
    ignored = 0
    for place, one in enumerate(listed):
        try:
            _check_organization(one, settings)
            if one.type == "Opportunity":
                new, hint = _opportunity(one, settings)
                events += new
                hints += hint
                if hint:
                    faults.append(Fault(place, "salesforce_no_time", {}))
                continue
            fact = _fact(one, settings)
        except Malformed as error:
            faults.append(Fault(place, error.code, error.params))
            continue
        facts += [] if fact is None else [fact]
        ignored += fact is None
    if listed and len(faults) == len(listed) and not hints:
        raise Malformed(faults[0].code, **faults[0].params)
    return Batch(tuple(events), ignored, tuple(faults), tuple(facts), tuple(dict.fromkeys(hints)))


def _check_organization(one: Notification, settings: SalesforceSettings) -> None:
    if id_in(one.organization) != settings.organization_id:
        raise Malformed("event_of_another_account", found=shown(one.organization))


def _opportunity(one: Notification, settings: SalesforceSettings) -> tuple[list[Event], list[str]]:
    """What the message says was so when the record was last changed; without that time, only that it is to be read."""
    object_id = id_in(one.values.get("Id"))
    if object_id is None:
        raise Malformed("event_field_wrong", field="Id", found=shown(one.values.get("Id")))
    at = modified_at(one.values)
    if at is None:
        return [], [object_id]
    deal = Deal(settings, object_id, source="message")
    created = time_or_none(one.values.get("CreatedDate"))
    made = [deal.event("created", created)] if created is not None and created <= at else []
    gone = [deal.event("deleted", at)] if str(one.values.get("IsDeleted")).lower() == "true" else []
    return [*made, *deal.seen(one.values, at), *gone], []


def _fact(one: Notification, settings: SalesforceSettings) -> Fact | None:
    """The activity or contact of an opportunity; None for what is nothing to us."""
    if one.type in ("Task", "Event"):
        deal = deal_of(one.values)
        return None if deal is None else activity_fact(one.type, one.values, settings, deal=deal)
    if one.type == "OpportunityContactRole":
        deal = id_in(one.values.get("OpportunityId"))
        return None if deal is None else contact_fact(one.values, settings, deal=deal)
    return None
