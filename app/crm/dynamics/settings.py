"""A Dynamics 365 organisation, and the mapping of its opportunities."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.crm.connection import (
    MOST_MAPPED,
    ApiUrl,
    ApprovalMapping,
    ConnectionSettings,
    FieldMapping,
    Id,
    Person,
    Pipeline,
    keys_as,
)
from app.engine.values import Key

WON, LOST = "won", "lost"
"""Beside the codes of its stages, what a pipeline maps: Dynamics closes an opportunity by its state."""
IN_PROCESS_FLOW = "activestageid"
"""The column of a business process flow that says in which stage its opportunity is."""
LogicalName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.ASCII)

_LENGTH = 36


def plain_guid(value: Any) -> Any:
    """An id in small letters and without braces; anything else as it is."""
    found = _GUID.fullmatch(value.lower()) if isinstance(value, str) else None
    return found[1] if found else value


def is_guid(text: str) -> bool:
    """Whether this is an id in small letters and without braces."""
    return len(text) == _LENGTH and _GUID.fullmatch(text) is not None


def _plain_keys(value: Any) -> Any:
    return keys_as(value, plain_guid)


def _plain_pipelines(value: Any) -> Any:
    """Processes by their ids, and with a flow the stages by theirs."""
    found = _plain_keys(value)
    if not isinstance(found, dict):
        return found
    return {
        key: {**one, "stages": _plain_keys(one["stages"])} if isinstance(one, dict) and "stages" in one else one
        for key, one in found.items()
    }


class DynamicsSettings(ConnectionSettings):
    """An organisation of Dynamics, by `organization_id` or `organization_name`.

    In `stages` the keys are codes of `stage_property` (never labels, which are in each user's language), and `won` and
    `lost`. With the stage property `activestageid` they are ids of a business process flow's stages, told by the table
    `process_table`. `activities` are looked up by the value of `activity_type_property`, then by table (`phonecall`,
    `appointment`, `email`, `task`); `outcome_property` says how one went; `contact_roles` by connection role, its id or
    its name, and by `parentcontactid` for the opportunity's own contact.
    """

    crm: Literal["dynamics"]
    organization_id: Annotated[Guid, BeforeValidator(plain_guid, json_schema_input_type=str)] | None = None
    organization_name: Id | None = None
    stage_property: LogicalName = "salesstagecode"
    pipeline_property: LogicalName = "processid"
    owner_property: LogicalName = "ownerid"
    pipelines: Annotated[
        dict[Id, Pipeline], BeforeValidator(_plain_pipelines, json_schema_input_type=dict[Id, Pipeline])
    ] = Field(min_length=1, max_length=MOST_MAPPED)
    fields: dict[LogicalName, FieldMapping] = Field({}, max_length=MOST_MAPPED)
    approvals: dict[LogicalName, ApprovalMapping] = Field({}, max_length=MOST_MAPPED)
    people: Annotated[dict[Id, Person], BeforeValidator(_plain_keys, json_schema_input_type=dict[Id, Person])] = Field(
        {}, max_length=MOST_MAPPED
    )
    contact_roles: Annotated[dict[Id, Key], BeforeValidator(_plain_keys, json_schema_input_type=dict[Id, Key])] = Field(
        {}, max_length=MOST_MAPPED
    )
    acts_as: Annotated[Id, BeforeValidator(plain_guid, json_schema_input_type=str)] | None = None
    process_table: LogicalName | None = None
    activity_type_property: LogicalName | None = None
    outcome_property: LogicalName | None = "statuscode"
    token_url: ApiUrl | None = None
    api_version: Annotated[str, StringConstraints(pattern=r"^9\.[0-9]$")] = "9.2"

    @model_validator(mode="after")
    def _names_its_organization(self) -> "DynamicsSettings":
        if self.organization_id is None and self.organization_name is None:
            raise PydanticCustomError("no_organization", "`organization_id` or `organization_name` is needed")
        return self

    @model_validator(mode="after")
    def _a_flow_has_a_table(self) -> "DynamicsSettings":
        if self.stage_property == IN_PROCESS_FLOW and self.process_table is None:
            raise PydanticCustomError("no_process_table", "`activestageid` stands in the table of a process flow")
        return self
