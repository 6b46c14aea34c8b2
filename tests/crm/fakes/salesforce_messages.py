"""What an organisation of Salesforce sends, what a connection to it says."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from app.crm.salesforce import SalesforceSettings

ORGANIZATION = "00D000000000062EAA"
KEY = "the key in the address"
MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{organization}</OrganizationId>
<ActionId>04k000000000001AAA</ActionId>{session}
<EnterpriseUrl>https://example.my.salesforce.com/services/Soap/c/62.0/00D000000000062</EnterpriseUrl>
<PartnerUrl>https://example.my.salesforce.com/services/Soap/u/62.0/00D000000000062</PartnerUrl>
{notifications}</notifications></soapenv:Body></soapenv:Envelope>"""
NO_SESSION = '<SessionId xsi:nil="true"/>'


def notification_xml(notification: str, kind: str, values: dict[str, Any]) -> str:
    """One notification; fields without a value are left out."""
    fields = "".join(f"<sf:{name}>{_xml(value)}</sf:{name}>" for name, value in values.items() if value is not None)
    opened = f'<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
    return f"<Notification><Id>{notification}</Id>{opened}{fields}</sObject></Notification>"


def envelope(notifications: str, *, organization: str = ORGANIZATION, session: str = NO_SESSION) -> bytes:
    """A message around notifications."""
    return MESSAGE.format(organization=organization, session=session, notifications=notifications).encode()


def salesforce_settings(**changes: Any) -> SalesforceSettings:
    """The settings of a connection to the organisation, for the process `sales`."""
    settings: dict[str, Any] = {
        "crm": "salesforce",
        "organization_id": "00D000000000062",
        "pipelines": {
            "012000000000001AAA": {
                "process": "sales",
                "stages": {
                    "Prospecting": "demo_scheduled", "Proposal/Quote": "demo_completed", "Closed Won": "won",
                    "Closed Lost": "lost",
                },
            }
        },
        "fields": {"Amount": {"field": "amount", "type": "number"}, "NextStep": {"field": "next_step", "type": "text"}},
        "activities": {"Demo": {"activity": "demo", "outcomes": {"Held": "held"}}, "Call": {"activity": "call"}},
        "contact_roles": {"Decision Maker": "champion"},
        "people": {"005000000000077": {"id": "rep-7", "roles": ["rep"]}},
    }  # fmt: skip
    return SalesforceSettings.model_validate(settings | changes)


def basic(password: str = KEY, user: str = "stagerail") -> dict[str, str]:
    """The headers of a message to an address with a user and a password."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"content-type": "text/xml; charset=utf-8", "authorization": f"Basic {token}"}


def body_of(*events: dict[str, Any]) -> bytes:
    """Relayed changes."""
    return json.dumps(list(events) if len(events) > 1 else events[0]).encode()


def iso(at: datetime) -> str:
    """A time as Salesforce writes it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _xml(value: Any) -> str:
    return escape(value if isinstance(value, str) else json.dumps(value))
