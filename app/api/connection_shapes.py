"""Connections as they are put and shown, whatever their CRM: each one's settings are its adapter's own."""

from inspect import cleandoc
from typing import Annotated, Any, ClassVar, Union

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from app.api.replies import Page, Shape
from app.crm.adapters import ADAPTERS
from app.crm.connection import ConnectionSettings
from app.engine.values import Duration

_LONGEST_SECRET = 500
_LONGEST_CREDENTIAL = 8_000
_MOST_CREDENTIALS = 20


def _can_be_sent(credential: SecretStr) -> SecretStr:
    """It goes into a header of HTTP: a line break that was pasted along would only fail there."""
    text = credential.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise PydanticCustomError("credential_characters", "letters, digits and signs of ASCII only")
    return credential


Credentials = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")],
        Annotated[SecretStr, Field(min_length=1, max_length=_LONGEST_CREDENTIAL), AfterValidator(_can_be_sent)],
    ],
    Field(min_length=1, max_length=_MOST_CREDENTIALS),
]


class PutSecrets(BaseModel):
    """What goes in with a connection's settings and never comes out again; left out, what is stored stays."""

    secret: Annotated[
        SecretStr | None,
        Field(min_length=1, max_length=_LONGEST_SECRET, description="What deliveries prove themselves with."),
    ] = None
    secret_overlap: Annotated[
        Duration,
        Field(description="How long older secrets go on being accepted beside a new one; `0m` ends them at once."),
    ] = "24h"  # noqa: S105 - a time
    access: Annotated[
        Credentials | None, Field(description="Credentials for the CRM's API, by name; null takes them away.")
    ] = None


def _put_model(kind: str, settings: type[ConnectionSettings]) -> type[ConnectionSettings]:
    """The settings of one CRM with what is secret beside them."""
    name = f"Put{kind.capitalize()}Connection"
    doc = f"{cleandoc(settings.__doc__ or kind)}\n\nIts secrets are never shown again."
    return type(name, (PutSecrets, settings), {"__doc__": doc, "__module__": __name__})


_MODELS = tuple(_put_model(kind, adapter.settings) for kind, adapter in ADAPTERS.items())
_ONE_OF: Any = Annotated[Union[_MODELS], Field(discriminator="crm")]  # noqa: UP007 - made from the adapters there are


class PutConnection(RootModel[_ONE_OF]):
    """The settings of a connection, of the CRM that `crm` names; and its secrets, which are never shown again."""

    TAG: ClassVar[str] = "crm"


class GapReply(Shape):
    """Something that the mapping leaves out."""

    place: str
    code: str
    message: str


class ConnectionReply(ConnectionSettings):
    """A connection without its secrets; `webhook` is where the CRM must send to. Its CRM's own settings come along.

    `warnings`, on one connection, list what the mapping leaves out.
    """

    model_config = ConfigDict(extra="allow")

    id: str
    secret_set: bool
    previous_secret_until: str | None
    access_set: bool
    webhook: str
    created_at: str
    updated_at: str
    warnings: list[GapReply] | None = None


class ConnectionPage(Page):
    """Connections, by id."""

    items: list[ConnectionReply]


PUT_EXAMPLES: dict[str, Any] = {
    kind: {"value": {"secret": "what deliveries prove themselves with", **adapter.example}}
    for kind, adapter in ADAPTERS.items()
}
EXAMPLE: dict[str, Any] = {
    "id": "hubspot-eu",
    "stage_property": "dealstage",
    "pipeline_property": "pipeline",
    "owner_property": "hubspot_owner_id",
    **ADAPTERS["hubspot"].example,
    "secret_set": True,
    "previous_secret_until": None,
    "access_set": False,
    "webhook": "/webhooks/hubspot-eu",
    "created_at": "2026-11-23T10:00:00Z",
    "updated_at": "2026-11-23T10:00:00Z",
}
