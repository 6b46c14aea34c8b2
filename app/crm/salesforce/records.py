"""An opportunity as Salesforce's API or a flow writes it."""

from datetime import datetime
from typing import Any

from app.crm.events import Event, Malformed
from app.crm.reading import object_of, shown
from app.crm.salesforce.ids import id_in
from app.crm.salesforce.settings import SalesforceSettings
from app.crm.salesforce.words import STAGE_SINCE, Deal


def record(found: Any, settings: SalesforceSettings, now: datetime) -> tuple[Event, ...]:
    """What stands in a record is so now: a flow that asks before it saves sends it as it is about to be, with the times
    of before. `ChangedById`, which is ours, may say who is about to save it.
    """
    data = object_of(found)
    object_id = id_in(data.get("Id", data.get("id")))
    if object_id is None:
        raise Malformed("event_field_missing", field="Id")
    kind = data["attributes"].get("type") if isinstance(data.get("attributes"), dict) else "Opportunity"
    if kind != "Opportunity":
        raise Malformed("event_field_wrong", field="attributes.type", found=shown(kind))
    organization = data.get("OrganizationId")
    if organization is not None and id_in(organization) != settings.organization_id:
        raise Malformed("event_of_another_account", found=shown(organization))
    values = {name: value for name, value in data.items() if name != STAGE_SINCE}
    by = id_in(data.get("ChangedById"))
    return tuple(event._replace(by=by) for event in Deal(settings, object_id).seen(values, now))
