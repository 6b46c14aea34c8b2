"""An opportunity as the Web API or a flow writes it."""

from datetime import datetime
from typing import Any

from app.crm.dynamics.settings import DynamicsSettings
from app.crm.dynamics.values import guid_of
from app.crm.dynamics.words import Deal
from app.crm.events import Event, Malformed
from app.crm.reading import object_of


def record(found: Any, settings: DynamicsSettings, now: datetime) -> tuple[Event, ...]:
    """What stands in a record is so now: whoever asks before saving sends it as it is about to be."""
    data = object_of(found)
    object_id = guid_of(data.get("opportunityid"))
    if object_id is None:
        raise Malformed("event_field_missing", field="opportunityid")
    return tuple(Deal(settings, object_id, guid_of(data.get("changed_by"))).values(data, now, "seen"))
