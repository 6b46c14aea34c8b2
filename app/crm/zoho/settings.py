"""A Zoho CRM account: its data centre, its notification channel, and the mapping of its deals."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from app.crm.connection import ApiUrl, ConnectionSettings, Id


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ZohoSettings(ConnectionSettings):
    """An organisation of Zoho CRM. Stages and pipelines are known by their names, as Zoho tells them."""

    crm: Literal["zoho"]
    stage_property: Id = "Stage"
    pipeline_property: Id = "Pipeline"
    owner_property: Id = "Owner"
    channel_id: Annotated[Id | None, BeforeValidator(_text, json_schema_input_type=str | int | None)] = None
    """The notification channel that is ours: others are refused, and this one is renewed before it expires."""
    accounts_url: ApiUrl | None = None
    """Where tokens are renewed; `https://accounts.zoho.com` if not said."""
    activity_type_property: Id | None = None
    """The field of calls, meetings and tasks that tells their type; without one, and for other values, the module."""
    outcome_property: Id | None = None
    """The field of calls, meetings and tasks that says how they went."""
