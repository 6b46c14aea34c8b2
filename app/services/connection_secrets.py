"""A connection's secret and credentials on their way into its row, and what is wrong with them."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.crm.adapters import ADAPTERS
from app.crm.client import OAUTH
from app.crm.secrets import NoKey, encrypt
from app.services.secret_overlap import renewed
from app.store.connections import StoredConnection

KEEP: Mapping[str, str] = {}
"""In place of credentials: those that are stored stay."""


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
        try:
            self.row = renewed(self.row, secret, overlap, key=self._key, now=self._now)
        except NoKey:
            self.lacks_key.append("secret")

    def access(self, access: Mapping[str, str] | None) -> None:
        """The credentials for the CRM's API: new ones, none any more, or those that are stored."""
        if access is KEEP:
            return
        text = None if access is None else json.dumps(dict(access), ensure_ascii=False)
        try:
            self.row = self.row._replace(access_ciphertext=None if text is None else encrypt(self._key, text))
        except NoKey:
            self.lacks_key.append("access")


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
