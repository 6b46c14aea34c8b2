"""A connection's secrets as they are stored: encrypted, older ones accepted beside a new one for a while."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.adapters import ADAPTERS
from app.crm.client import OAUTH
from app.crm.secrets import NoKey, WrongKey, decrypt, encrypt
from app.store.connections import StoredConnection

KEEP: Mapping[str, str] = {}
"""In place of credentials: those that are stored stay."""
MOST_OVERLAPPING = 5
"""So many older secrets are accepted at once, the latest of them."""


class Overlapping(NamedTuple):
    """An older secret, and until when it is accepted."""

    secret: str
    until: datetime


class Sealing:
    """Secrets on their way into a row. `lacks_key` names those for which there is no key to encrypt them with."""

    def __init__(self, row: StoredConnection, key: str | None, now: datetime) -> None:
        """`row` holds what is stored so far; of a new connection, nothing."""
        self.row = row
        self._key = key
        self._now = now
        self.lacks_key: list[str] = []

    def secret(self, secret: str, overlap: timedelta) -> None:
        """A new secret. What was accepted so far goes on being so, no longer than the overlap."""
        until = self._now + overlap
        before = [one._replace(until=min(one.until, until)) for one in overlapping(self.row, self._key, self._now)]
        current = _opened(self.row.secret_ciphertext, self._key)
        if current == secret:
            return
        if current is not None:
            before.append(Overlapping(current, until))
        kept = [one for one in before if one.secret != secret and one.until > self._now][-MOST_OVERLAPPING:]
        listed = json.dumps([[one.secret, one.until.isoformat()] for one in kept], ensure_ascii=False)
        self.row = self.row._replace(
            secret_ciphertext=self._sealed("secret", secret),
            previous_ciphertext=self._sealed("secret", listed) if kept else None,
            previous_until=max((one.until for one in kept), default=None),
        )

    def access(self, access: Mapping[str, str] | None) -> None:
        """The credentials for the CRM's API: new ones, none any more, or those that are stored."""
        if access is not KEEP:
            sealed = None if access is None else self._sealed("access", json.dumps(dict(access), ensure_ascii=False))
            self.row = self.row._replace(access_ciphertext=sealed)

    def _sealed(self, name: str, text: str) -> str:
        try:
            return encrypt(self._key, text)
        except NoKey:
            self.lacks_key = list(dict.fromkeys([*self.lacks_key, name]))
            return ""


def secrets_of(row: StoredConnection, key: str | None, now: datetime) -> list[str]:
    """What a delivery may prove itself with: the secret and, while a rotation lasts, those before.

    Raises NoKey and WrongKey when the secret cannot be opened.
    """
    return [decrypt(key, row.secret_ciphertext), *(one.secret for one in overlapping(row, key, now))]


def overlapping(row: StoredConnection, key: str | None, now: datetime) -> list[Overlapping]:
    """The older secrets that are still accepted. Those that no key opens any more are none: the new one is there."""
    if row.previous_ciphertext is None or row.previous_until is None or now >= row.previous_until:
        return []
    listed = json.loads(_opened(row.previous_ciphertext, key) or "[]")
    found = [Overlapping(secret, datetime.fromisoformat(until)) for secret, until in listed]
    return [one for one in found if one.until > now]


def _opened(ciphertext: str, key: str | None) -> str | None:
    try:
        return decrypt(key, ciphertext)
    except (NoKey, WrongKey):
        return None


def access_problems(kind: str, names: Collection[str]) -> Iterator[tuple[tuple[str, ...], str, dict[str, Any]]]:
    """Why credentials of these names cannot be used: where, a code, and what its text needs."""
    enough = ADAPTERS[kind].access
    if not enough:
        yield ("access",), "access_without_api", {"crm": kind}
        return
    known = dict.fromkeys([*(name for one in enough for name in one), *OAUTH])
    for name in names:
        if name not in known:
            yield ("access", name), "access_unknown", {"known": ", ".join(f"`{one}`" for one in known)}
    if not any(set(one).issubset(names) for one in enough):
        needed = "; ".join(", ".join(f"`{name}`" for name in one) for one in enough)
        yield ("access",), "access_not_enough", {"crm": kind, "needed": needed}
