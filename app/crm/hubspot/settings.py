"""A HubSpot connection's settings: what is HubSpot's own among them."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from app.crm.connection import ConnectionSettings, Id

_DIGITS = re.compile(r"[0-9]{1,16}", re.ASCII)


def whole_number(value: Any) -> Any:
    """A number that came as text, as a number; anything else as it is."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


_Portal = Annotated[int, Field(ge=1, le=2**53)]
_PortalText = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,14}$")]


class HubspotSettings(ConnectionSettings):
    """A HubSpot account: its portal, and the mapping of its deals.

    `activities` are looked up by a meeting's or call's own type (`hs_activity_type`), then by what the thing is
    (`meetings`, `calls`, `emails`, `tasks`); `contact_roles` by association label, or by the value of the contact's
    property `contact_role_property` where one is named.
    """

    crm: Literal["hubspot"]
    portal_id: Annotated[_Portal, BeforeValidator(whole_number, json_schema_input_type=_Portal | _PortalText)]
    stage_property: Id = "dealstage"
    pipeline_property: Id = "pipeline"
    owner_property: Id = "hubspot_owner_id"
    contact_role_property: Id | None = None
