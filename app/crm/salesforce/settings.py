"""A Salesforce organisation, and the mapping of its opportunities."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

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
from app.crm.salesforce.ids import USER, long_id

ApiName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
"""The API name of a field: it stands in queries as it is."""


def _long(value: Any) -> Any:
    return long_id(value) if isinstance(value, str) else value


def _long_keys(value: Any) -> Any:
    return keys_as(value, _long)


def _user(value: Any) -> Any:
    """The id of a user in its long form; the name of a client as it is, however long it is."""
    return _long(value) if isinstance(value, str) and value.startswith(USER) else value


OrganizationId = Annotated[str, StringConstraints(pattern=r"^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$")]


class SalesforceSettings(ConnectionSettings):
    """An organisation of Salesforce. Ids may be given with 15 characters or with 18.

    `pipelines` are looked up by record type; where there are none, whatever the one is called. `activities` are looked
    up by `Type`, then by subtype (`Call`, `Email`, …), then `Task` or `Event`; `outcome_property` is the field of both
    that says how one went. `done_statuses` are those of tasks that count as done. `acts_as` is the id of our user, or
    the name of our client in a change's origin.
    """

    crm: Literal["salesforce"]
    organization_id: Annotated[OrganizationId, BeforeValidator(_long, json_schema_input_type=OrganizationId)]
    stage_property: ApiName = "StageName"
    pipeline_property: ApiName = "RecordTypeId"
    owner_property: ApiName = "OwnerId"
    pipelines: Annotated[dict[Id, Pipeline], BeforeValidator(_long_keys, json_schema_input_type=dict[Id, Pipeline])] = (
        Field(min_length=1, max_length=MOST_MAPPED)
    )
    fields: dict[ApiName, FieldMapping] = Field({}, max_length=MOST_MAPPED)
    approvals: dict[ApiName, ApprovalMapping] = Field({}, max_length=MOST_MAPPED)
    people: Annotated[dict[Id, Person], BeforeValidator(_long_keys, json_schema_input_type=dict[Id, Person])] = Field(
        {}, max_length=MOST_MAPPED
    )
    acts_as: Annotated[Id, BeforeValidator(_user, json_schema_input_type=str)] | None = None
    outcome_property: ApiName | None = "CallDisposition"
    done_statuses: list[Id] = Field(["Completed"], max_length=MOST_MAPPED)
    token_url: ApiUrl | None = None
    api_version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{1,2}\.0$")] = "62.0"
