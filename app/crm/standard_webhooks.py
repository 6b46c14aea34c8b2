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
    return " ".join(
        f"v1,{_signature(_keys(secret)[0], message_id, str(int(at.timestamp())), body)}" for secret in secrets
    )


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
    keys = [key for secret in secrets for key in _keys(secret)]
    wanted = [_signature(key, message_id, timestamp, body).encode() for key in keys]
    return any([hmac.compare_digest(one, other) for one in wanted for other in offered])  # noqa: C419 - all, in any case


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _keys(secret: str) -> list[bytes]:
    """The bytes that a secret may stand for, at least one.

    Several senders take a text as it stands, also one that happens to be base64; with the prefix there is no doubt.
    """
    as_it_stands = secret.encode("utf-8", "replace")
    try:
        decoded = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:  # with an empty key anybody could sign
        return [as_it_stands]
    return [decoded] if secret.startswith(PREFIX) else [decoded, as_it_stands]
