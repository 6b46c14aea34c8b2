"""The CRMs there are: what each adapter offers, by the kind that a connection names."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from app.crm import dynamics, generic, hubspot, pipedrive, salesforce, zoho
from app.crm.client import Client, Credentials, Keep
from app.crm.connection import ConnectionSettings
from app.crm.drafting import Configuration
from app.crm.dynamics import example as dynamics_example
from app.crm.events import Batch, Event
from app.crm.generic import example as generic_example
from app.crm.http import Http
from app.crm.hubspot import example as hubspot_example
from app.crm.pipedrive import example as pipedrive_example
from app.crm.salesforce import example as salesforce_example
from app.crm.zoho import example as zoho_example


class Verify(Protocol):
    """Says whether a request carries its CRM's signature, or whatever it proves itself with."""

    def __call__(
        self, secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> bool:
        """True only for what the CRM itself has sent, lately. Any of the secrets will do: they overlap in a rotation.

        Where the CRM proves itself inside the body (Zoho's token, Salesforce's organisation), the body is looked into.
        """
        ...


class MakeClient(Protocol):
    """Makes a client of one account."""

    def __call__(self, settings: Any, credentials: Credentials, http: Http, keep: Keep) -> Client:
        """`keep` is told when credentials were renewed."""
        ...


class Answer(NamedTuple):
    """What a CRM wants to hear when a delivery is safe with us, where that is not ours to choose."""

    media_type: str
    body: bytes


class Adapter(NamedTuple):
    """One CRM: its settings, how it proves itself, its events; its client, where its API can be called.

    `read_at` reads a delivery that may tell no time of its own: then it happened when it arrived.
    `record` reads a deal as the CRM's API writes it (what a form or a flow would send) into events at the time given.
    `draft` reads the CRM's own configuration, from which a mapping is drafted (drafting.py); `parts` are those of one.
    `scrub` takes out of a body what must not be kept, before it is read or stored; what cannot be taken out of is
    Malformed. `answer` says what a body is answered with; None: as all are. `deal_id` is the form in which we know
    a deal's id that somebody gives in another. `example` is a connection's settings as the API's document shows them.
    `access` are the credentials that its API can be called with, each of them enough.
    """

    settings: type[ConnectionSettings]
    verify: Verify
    read: Callable[[bytes, Any], Batch]
    client: MakeClient | None = None
    record: Callable[[Any, Any, datetime], tuple[Event, ...]] | None = None
    draft: Callable[[dict[str, Any]], Configuration] | None = None
    answer: Callable[[bytes], Answer | None] = lambda _body: None
    deal_id: Callable[[str], str] = str
    read_at: Callable[[bytes, Any, datetime], Batch] | None = None
    scrub: Callable[[bytes], bytes] | None = None
    example: dict[str, Any] = {}  # noqa: RUF012 - never changed
    access: tuple[tuple[str, ...], ...] = ()
    parts: tuple[str, ...] = ()


_TOKEN, _RENEWED, _CLIENT = ("access_token",), ("refresh_token", "client_id"), ("client_id", "client_secret")


ADAPTERS: dict[str, Adapter] = {
    "dynamics": Adapter(
        dynamics.DynamicsSettings,
        dynamics.verify,
        dynamics.read,
        dynamics.DynamicsClient,
        dynamics.record,
        dynamics.configuration,
        deal_id=dynamics.plain_guid,
        example=dynamics_example.EXAMPLE,
        access=(_CLIENT, _RENEWED, _TOKEN),
        parts=("picklists", "attributes", "process_stages", "users", "me", "stage_property"),
    ),
    "generic": Adapter(
        generic.GenericSettings,
        generic.verify,
        generic.read,
        record=generic.record,
        read_at=generic.read_at,
        example=generic_example.EXAMPLE,
    ),
    "hubspot": Adapter(
        hubspot.HubspotSettings,
        hubspot.verify,
        hubspot.read,
        hubspot.HubspotClient,
        hubspot.record,
        hubspot.configuration,
        example=hubspot_example.EXAMPLE,
        access=(_TOKEN, _RENEWED),
        parts=("pipelines", "properties", "owners", "labels", "activity_types", "portal_id"),
    ),
    "pipedrive": Adapter(
        pipedrive.PipedriveSettings,
        pipedrive.verify,
        pipedrive.read,
        pipedrive.PipedriveClient,
        pipedrive.record,
        pipedrive.configuration,
        example=pipedrive_example.EXAMPLE,
        access=(("api_token",), _TOKEN, _RENEWED),
        parts=("pipelines", "stages", "fields", "users", "activity_types", "me"),
    ),
    "salesforce": Adapter(
        salesforce.SalesforceSettings,
        salesforce.verify,
        salesforce.read,
        salesforce.SalesforceClient,
        salesforce.record,
        salesforce.configuration,
        answer=lambda body: Answer("text/xml; charset=utf-8", salesforce.ACK) if salesforce.wants_ack(body) else None,
        scrub=salesforce.scrub,
        deal_id=salesforce.long_id,
        example=salesforce_example.EXAMPLE,
        access=(_CLIENT, _RENEWED, _TOKEN),
        parts=("stages", "record_types", "picked", "fields", "users", "organization"),
    ),
    "zoho": Adapter(
        zoho.ZohoSettings,
        zoho.verify,
        zoho.read,
        zoho.ZohoClient,
        zoho.record,
        zoho.configuration,
        example=zoho_example.EXAMPLE,
        access=(_RENEWED, _TOKEN),
        parts=("pipelines", "blueprint", "fields", "users"),
    ),
}
