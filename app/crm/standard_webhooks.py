"""Standard Webhooks signatures (https://www.standardwebhooks.com): ours on what we send, theirs on what we receive."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.crm.events import from_milliseconds

PREFIX = "whsec_"
WINDOW = timedelta(minutes=5)
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_OLDER = {ID: "svix-id", TIMESTAMP: "svix-timestamp", SIGNATURE: "svix-signature"}
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MOST_SIGNATURES = 20


def secret_of(key: bytes) -> str:
    """A secret as it is handed over: 24 to 64 random bytes."""
    return PREFIX + base64.b64encode(key).decode()


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each secret, so that either proves it in a rotation."""
    return " ".join(f"v1,{_signature(secret, message_id, str(int(at.timestamp())), body)}" for secret in secrets)


def headers_of(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers."""
    return {
        ID: message_id,
        TIMESTAMP: str(int(at.timestamp())),
        SIGNATURE: sign(secrets, message_id, at, body),
    }


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether somebody who has one of the secrets sent this, within five minutes of now either way.

    Hostile headers are simply wrong.
    """
    message_id, timestamp, given = (
        headers.get(name, headers.get(_OLDER[name], "")) for name in (ID, TIMESTAMP, SIGNATURE)
    )
    if not message_id or not _SECONDS.fullmatch(timestamp):
        return False
    if abs(now - from_milliseconds(0) - timedelta(seconds=int(timestamp))) > WINDOW:
        return False
    offered = [one[3:].encode("utf-8", "replace") for one in given.split(" ")[:_MOST_SIGNATURES] if one[:3] == "v1,"]
    wanted = [_signature(secret, message_id, timestamp, body).encode() for secret in secrets]
    return any([hmac.compare_digest(one, other) for one in wanted for other in offered])  # noqa: C419 - all, in any case


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """The bytes behind a secret; one that is not base64 is taken as it stands, as several senders do."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode("utf-8", "replace")
