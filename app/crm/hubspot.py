"""HubSpot: its signature, its events, its settings. Pure: bytes and the time come in, values go out."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from app.crm.connection import ConnectionSettings, Id
from app.crm.events import Batch, Event, EventKind, Fault, Malformed, from_milliseconds
from app.engine.snapshot import EARLIEST, LATEST
from app.safe_json import UnsafeJson, read_json

SIGNATURE = "x-hubspot-signature-v3"
TIMESTAMP = "x-hubspot-request-timestamp"
WINDOW = timedelta(minutes=5)
MOST_EVENTS = 100
DEAL_TYPE = "0-3"

_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
_ESCAPES = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,16}", re.ASCII)
_LONGEST_ID = 100


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


_Portal = Annotated[int, Field(ge=1, le=2**53)]
_PortalText = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,14}$")]


class HubspotSettings(ConnectionSettings):
    """A HubSpot account: its portal, and the mapping of its deals."""

    crm: Literal["hubspot"]
    portal_id: Annotated[_Portal, BeforeValidator(_number, json_schema_input_type=_Portal | _PortalText)]
    stage_property: Id = "dealstage"
    pipeline_property: Id = "pipeline"
    owner_property: Id = "hubspot_owner_id"


def signed_text(method: str, uri: str, body: bytes, timestamp: str) -> bytes:
    """What HubSpot signs: of the address only these escapes are decoded, and its fragment is left out."""
    decoded = _ESCAPES.sub(lambda found: chr(int(found[0][1:], 16)), uri.partition("#")[0])
    return method.upper().encode("utf-8", "replace") + decoded.encode("utf-8", "replace") + body + timestamp.encode()


def sign(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """The signature (v3) of a request."""
    digest = hmac.new(secret.encode(), signed_text(method, uri, body, timestamp), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Say whether HubSpot sent this, within five minutes of now either way. Hostile headers are simply wrong."""
    timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    age = now - from_milliseconds(0) - timedelta(milliseconds=int(timestamp))
    if abs(age) > WINDOW:
        return False
    given = signature.strip().encode("utf-8", "replace")
    expected = [sign(secret, method, uri, body, timestamp).encode() for secret in secrets]
    return any(hmac.compare_digest(one, given) for one in expected)


def read(body: bytes, settings: HubspotSettings) -> Batch:
    """The events of a delivery: an array of at most 100 of them; one alone is accepted too.

    One that cannot be used does not take the others with it; a delivery of which nothing can be used is Malformed.
    """
    try:
        found = read_json(body)
    except UnsafeJson as error:
        raise Malformed(error.code, **error.params) from error
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_EVENTS:
        raise Malformed("delivery_too_many_events", found=len(listed), most=MOST_EVENTS)
    events: list[Event] = []
    faults: list[Fault] = []
    for place, one in enumerate(listed):
        try:
            event = _event(one, settings)
        except Malformed as error:
            faults.append(Fault(place, error.code, error.params))
        else:
            events += [event] if event else []
    if len(faults) == len(listed) > 0:
        raise Malformed(faults[0].code, **faults[0].params, place=faults[0].place)
    return Batch(tuple(events), len(listed) - len(events) - len(faults), tuple(faults))


def _event(one: Any, settings: HubspotSettings) -> Event | None:
    """One event; None for what is nothing to us: other objects, other happenings, properties that are not mapped."""
    if not isinstance(one, dict):
        raise Malformed("event_not_an_object")
    happened = _text(one, "subscriptionType", "eventType")
    if _number(one.get("portalId")) != settings.portal_id or isinstance(one.get("portalId"), bool):
        raise Malformed("event_of_another_account", found=_shown(one.get("portalId")))
    subject, _, kind = happened.partition(".")
    if not (subject == "deal" or (subject == "object" and one.get("objectTypeId") == DEAL_TYPE)):
        return None
    if kind == "creation":
        return _deal_event(one, settings.portal_id, happened, "created", None)
    if kind == "propertyChange" and (name := _text(one, "propertyName")) in settings.followed:
        return _deal_event(one, settings.portal_id, happened, "changed", name)
    return None


def _deal_event(one: dict[str, Any], portal_id: int, happened: str, kind: EventKind, name: str | None) -> Event:
    object_id, at = _object_id(one), _occurred_at(one)
    value = one.get("propertyValue") if name else None
    if isinstance(value, dict | list):
        raise Malformed("event_field_wrong", field="propertyValue", found=_shown(value))
    named = json.dumps([portal_id, object_id, happened, name, value, at.isoformat()], ensure_ascii=False)
    source = one.get("sourceId")
    by = source.removeprefix("userId:") if isinstance(source, str) and source.startswith("userId:") else None
    return Event(hashlib.sha256(named.encode()).hexdigest(), object_id, kind, at, name, value, by)


def _text(one: dict[str, Any], *names: str) -> str:
    for name in names:
        value = one.get(name)
        if isinstance(value, str) and value:
            return value
    raise Malformed("event_field_missing", field=names[0])


def _object_id(one: dict[str, Any]) -> str:
    value = one.get("objectId")
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable():
        return value
    raise Malformed("event_field_wrong", field="objectId", found=_shown(value))


def _occurred_at(one: dict[str, Any]) -> datetime:
    value = _number(one.get("occurredAt"))
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LATEST.timestamp() * 1000:
        at = from_milliseconds(value)
        if EARLIEST <= at <= LATEST:
            return at
    raise Malformed("event_field_wrong", field="occurredAt", found=_shown(one.get("occurredAt")))


def _shown(value: Any) -> str:
    """What was found, short enough for a sentence."""
    return json.dumps(value, ensure_ascii=False)[:60]
