"""Secrets as they are stored, encrypted, with the older ones that hold beside a new one for a while."""

import json
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from app.crm.secrets import NoKey, WrongKey, decrypt, encrypt
from app.store.connections import StoredConnection
from app.store.endpoints import StoredEndpoint

MOST_OVERLAPPING = 5
"""So many older secrets hold at once, the latest of them."""

Row = TypeVar("Row", StoredConnection, StoredEndpoint)


class Overlapping(NamedTuple):
    """An older secret, and until when it holds."""

    secret: str
    until: datetime


def renewed(row: Row, secret: str, overlap: timedelta, *, key: str | None, now: datetime) -> Row:
    """The row with a new secret. What held so far goes on to, no longer than the overlap. Raises NoKey."""
    until = now + overlap
    before = [one._replace(until=min(one.until, until)) for one in _overlapping(row, key, now)]
    current = _opened(row.secret_ciphertext, key)
    if current == secret:
        return row
    if current is not None:
        before.append(Overlapping(current, until))
    kept = [one for one in before if one.secret != secret and one.until > now][-MOST_OVERLAPPING:]
    listed = json.dumps([[one.secret, one.until.isoformat()] for one in kept], ensure_ascii=False)
    return row._replace(
        secret_ciphertext=encrypt(key, secret),
        previous_ciphertext=encrypt(key, listed) if kept else None,
        previous_until=max((one.until for one in kept), default=None),
    )


def secrets_of(row: StoredConnection | StoredEndpoint, key: str | None, now: datetime) -> list[str]:
    """The secrets that hold: the newest, and while a rotation lasts those before.

    Raises NoKey and WrongKey when the newest cannot be opened.
    """
    return [decrypt(key, row.secret_ciphertext), *(one.secret for one in _overlapping(row, key, now))]


def _overlapping(row: StoredConnection | StoredEndpoint, key: str | None, now: datetime) -> list[Overlapping]:
    """The older secrets that still hold. Those that no key opens any more are none: the new one is there."""
    if row.previous_ciphertext is None or row.previous_until is None or now >= row.previous_until:
        return []
    text = _opened(row.previous_ciphertext, key)
    found = [] if text is None else _listed(text, row.previous_until)
    return [one for one in found if one.until > now]


def _listed(text: str, until: datetime) -> list[Overlapping]:
    """The older secrets of a row. Where there was only ever one, it stood as it is, and held until then."""
    try:
        return [Overlapping(secret, datetime.fromisoformat(end)) for secret, end in json.loads(text)]
    except (ValueError, TypeError):
        return [Overlapping(text, until)]


def _opened(ciphertext: str, key: str | None) -> str | None:
    try:
        return decrypt(key, ciphertext)
    except (NoKey, WrongKey):
        return None
