"""What a generic connection says: where in a delivery everything stands."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.crm.connection import MOST_MAPPED, ApprovalMapping, ConnectionSettings, FieldMapping, Id, Mapping
from app.crm.generic.pointer import Pointer

Happening = Literal["created", "changed", "deleted", "restored", "merged"]
Written = Literal["iso", "ms", "s"]
Standing = Literal["done", "planned", "gone"]


def _known_zone(name: str) -> str:
    if name not in available_timezones() - {"localtime", "Factory"}:
        raise PydanticCustomError("unknown_timezone", "no such timezone", {"name": name[:80]})
    return name


class ActivityPointers(Mapping):
    """Where the activities of a deal stand, one or a list; the other pointers begin at each of them.

    `statuses` says what the CRM's words mean: `done`, `planned`, or `gone` for one that was taken off the record.
    """

    items: Pointer
    id: Pointer = "/id"
    type: Pointer = "/type"
    at: Pointer = "/at"
    status: Pointer = "/status"
    statuses: dict[Id, Standing] = Field({}, max_length=MOST_MAPPED)
    outcome: Pointer | None = "/outcome"
    direction: Pointer | None = "/direction"
    contacts: Pointer | None = "/contacts"
    by: Pointer | None = "/by"
    changed_at: Pointer | None = None


class ContactPointers(Mapping):
    """Where the contacts of a deal stand, one or a list; the other pointers begin at each of them."""

    items: Pointer
    id: Pointer = "/id"
    role: Pointer | None = "/role"


class DeliveryPointers(Mapping):
    """Where everything stands in a delivery. With `items` it is a batch, and the other pointers begin at each item.

    `kinds` says which of the CRM's words mean what; what it does not name is nothing to us. Without `at`, the time of
    arrival counts.
    """

    items: Pointer | None = None
    id: Pointer = "/id"
    at: Pointer | None = None
    times: Written | None = None
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    event_id: Pointer | None = None
    kind: Pointer | None = None
    kinds: dict[Id, Happening] = Field({}, max_length=MOST_MAPPED)
    merged_into: Pointer | None = None
    previous_stage: Pointer | None = None
    changed_by: Pointer | None = None
    channel: Pointer | None = None
    activities: ActivityPointers | None = None
    contacts: ContactPointers | None = None


class GenericSettings(ConnectionSettings):
    """Any CRM, form or flow that sends JSON. Its properties are named by where they stand, as JSON Pointers."""

    crm: Literal["generic"]
    stage_property: Pointer = "/stage"
    pipeline_property: Pointer = "/pipeline"
    owner_property: Pointer = "/owner"
    fields: dict[Pointer, FieldMapping] = Field({}, max_length=MOST_MAPPED)
    approvals: dict[Pointer, ApprovalMapping] = Field({}, max_length=MOST_MAPPED)
    deliveries: DeliveryPointers = DeliveryPointers()
