"""Whether HubSpot sent this: its signature v3, and v1 or v2 where there is no v3. Pure: the time comes in."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.crm.events import from_milliseconds

SIGNATURE = "x-hubspot-signature-v3"
TIMESTAMP = "x-hubspot-request-timestamp"
OLD_SIGNATURE = "x-hubspot-signature"
OLD_VERSION = "x-hubspot-signature-version"
WINDOW = timedelta(minutes=5)

_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
_ESCAPES = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def signed_text(method: str, uri: str, body: bytes, timestamp: str) -> bytes:
    """What HubSpot signs: of the address only these escapes are decoded, and its fragment is left out."""
    decoded = _ESCAPES.sub(lambda found: chr(int(found[0][1:], 16)), uri.partition("#")[0])
    return method.upper().encode("utf-8", "replace") + decoded.encode("utf-8", "replace") + body + timestamp.encode()


def sign(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """The signature (v3) of a request."""
    digest = hmac.new(secret.encode(), signed_text(method, uri, body, timestamp), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def sign_v1(secret: str, body: bytes) -> str:
    """The older signature, which covers neither the address nor the time."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def sign_v2(secret: str, method: str, uri: str, body: bytes) -> str:
    """The one of workflows and cards: with the address as it was called, and without a time."""
    return hashlib.sha256(f"{secret}{method.upper()}{uri}".encode("utf-8", "replace") + body).hexdigest()


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Say whether HubSpot sent this: v3 within five minutes of now either way, others only where no v3 came at all.

    Hostile headers are simply wrong. What v1 or v2 signed can be sent again by anybody who saw it; each event of it
    counts once all the same.
    """
    if SIGNATURE in headers:
        timestamp = headers.get(TIMESTAMP, "")
        if not _TIMESTAMP.fullmatch(timestamp):
            return False
        age = now - from_milliseconds(0) - timedelta(milliseconds=int(timestamp))
        if abs(age) > WINDOW:
            return False
        return _is_one_of(headers[SIGNATURE], [sign(secret, method, uri, body, timestamp) for secret in secrets])
    version, given = headers.get(OLD_VERSION, "").strip(), headers.get(OLD_SIGNATURE, "")
    if version == "v1":
        return _is_one_of(given, [sign_v1(secret, body) for secret in secrets])
    if version == "v2":
        return _is_one_of(given, [sign_v2(secret, method, uri, body) for secret in secrets])
    return False


def _is_one_of(given: str, expected: list[str]) -> bool:
    """Each compared in constant time."""
    found = given.strip().encode("utf-8", "replace")
    return any(hmac.compare_digest(one.encode(), found) for one in expected)
