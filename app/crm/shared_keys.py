"""A key that a CRM brings along because it cannot sign: in a header, in the address, or as HTTP Basic's password."""

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, unquote_plus

HEADER = "x-stagerail-key"
_MOST_PARAMETERS = 50


def brings_key(secrets: Sequence[str], uri: str, headers: Mapping[str, str], parameters: Sequence[str]) -> bool:
    """Whether a request brings one of the secrets; each is compared in constant time.

    `parameters` are the names that it may have in the address. With Basic, the secret is the password, or
    `user:password`.
    """
    offered = [headers.get(HEADER, "").encode("utf-8", "replace"), *_in_address(uri, parameters), *_basic(headers)]
    wanted = [secret.encode("utf-8", "replace") for secret in secrets if secret]
    return any([hmac.compare_digest(one, other) for one in wanted for other in offered])  # noqa: C419 - all, in any case


def _in_address(uri: str, parameters: Sequence[str]) -> Iterator[bytes]:
    """A plus may stand for itself or for a space: whoever wrote the address into the CRM escaped it or did not."""
    query = uri.partition("#")[0].partition("?")[2]
    for part in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        name, _, value = part.partition("=")
        if name in parameters:
            yield from {form(value).encode("utf-8", "replace") for form in (unquote, unquote_plus)}


def _basic(headers: Mapping[str, str]) -> Iterator[bytes]:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        given = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return
    yield from (given, given.partition(b":")[2])
