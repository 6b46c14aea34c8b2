"""API keys: `srl_<id>_<secret>`, made once and shown once; kept as a hash, compared in constant time."""

import hashlib
import hmac
import secrets
import time
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from app.store.database import Reader, Transaction
from app.store.keys import ApiKey, add_key, find_key
from app.store.tenants import Tenant, insert_tenant, read_tenant

SCOPES = ("decide", "deals:write", "processes:write", "admin")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_PARTS = 3
FRESH_SECONDS = 0.5
MOST_KNOWN = 10_000


class Principal(NamedTuple):
    """Who asks: a tenant, by one of its keys."""

    tenant_id: str
    key_id: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the key has a scope; `admin` has every one."""
        return scope in self.scopes or "admin" in self.scopes


def hash_of(secret: str) -> str:
    """What is stored of a secret. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_key(tx: Transaction, tenant_id: str, scopes: list[str], name: str, now: datetime) -> str:
    """Make a key, and its tenant where there is none; the whole key is told this once."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_hex(32)
    if await read_tenant(tx, tenant_id) is None:
        await insert_tenant(tx, Tenant(tenant_id, tenant_id, now))
    await add_key(tx, ApiKey(tenant_id, key_id, hash_of(secret), " ".join(scopes), name, now, None))
    return f"srl_{key_id}_{secret}"


@lru_cache(maxsize=256)
def _scopes(stored: str) -> frozenset[str]:
    return frozenset(stored.split())


class Keys:
    """Keys by their id, believed for a moment: a revoked one is refused by every replica within a second."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ApiKey, float]] = {}

    async def principal(self, db: Reader, presented: str) -> Principal | None:
        """Who presents this key; None for one that is unknown, wrong or revoked."""
        parts = presented.split("_", 2)
        if len(parts) != _PARTS or parts[0] != "srl" or not presented.isascii():
            return None
        key = await self._find(db, parts[1])
        if key is None or not hmac.compare_digest(hash_of(parts[2]), key.secret_hash) or key.revoked_at is not None:
            return None
        return Principal(key.tenant_id, key.key_id, _scopes(key.scopes))

    async def _find(self, db: Reader, key_id: str) -> ApiKey | None:
        known = self._known.get(key_id)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        if not key_id.isalnum():
            return None
        key = await find_key(db, key_id)
        if key is not None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key_id] = (key, time.monotonic() + FRESH_SECONDS)
        return key
