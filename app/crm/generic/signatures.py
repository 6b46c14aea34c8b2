"""The three ways a generic delivery may prove itself: Standard Webhooks, Frappe's signature, EspoCRM's.

Which one it is, its headers tell: each needs the secret, and what one signs is no body that another could carry. The
last two sign the body alone, so that nothing tells a copy that somebody sends again; events count once all the same.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from app.crm import standard_webhooks

FRAPPE = "x-frappe-webhook-signature"
ESPOCRM = ("signature", "x-signature")


def verify(
    secrets: Sequence[str], *, method: str, uri: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether somebody who has one of the secrets sent this. Hostile headers are simply wrong."""
    del method, uri
    given = [
        _decoded(headers.get(FRAPPE, "")),
        *(_decoded(headers.get(name, "")).partition(b":")[2] for name in ESPOCRM),
    ]
    if not any(given):
        return standard_webhooks.verify(secrets, headers, body, now)
    made = [hmac.new(secret.encode("utf-8", "replace"), body, hashlib.sha256) for secret in secrets]
    # EspoCRM writes it in hexadecimal, its older header and Frappe as it is.
    wanted = [form for mac in made for form in (mac.hexdigest().encode(), mac.digest())]
    return any([hmac.compare_digest(one, other) for one in wanted for other in given])  # noqa: C419 - all, in any case


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
