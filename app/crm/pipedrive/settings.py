"""A Pipedrive account: its company, and the mapping of its deals."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from app.crm.connection import ApiUrl, ConnectionSettings, Id

WON, LOST = "won", "lost"
"""Beside the ids of its stages, what a pipeline maps: Pipedrive closes a deal by its status, and leaves its stage."""


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class PipedriveSettings(ConnectionSettings):
    """A company of Pipedrive. In `stages` the keys are ids of stages, and `won` and `lost`."""

    crm: Literal["pipedrive"]
    company_id: Annotated[Id, BeforeValidator(_text, json_schema_input_type=str | int)]
    stage_property: Id = "stage_id"
    pipeline_property: Id = "pipeline_id"
    owner_property: Id = "owner_id"
    outcome_property: Id | None = None
    """The activity field that says how an activity went; without one, only whether it is done."""
    contact_role_property: Id | None = None
    """The person field that says which role a person has."""
    oauth_url: ApiUrl | None = None
    """Where an app's tokens are renewed; `https://oauth.pipedrive.com` if not said."""
