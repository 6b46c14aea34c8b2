"""When a tenant's kept answers are looked through for those that nobody will ask for again."""

from datetime import datetime, timedelta

KEPT = timedelta(days=7)
"""How long a write may be sent again under its `Idempotency-Key`."""
_PAUSE = timedelta(hours=1)
_MOST_KNOWN = 10_000


class Forgetting:
    """Says for each tenant, about once an hour, from when on answers are still kept."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}

    def before(self, tenant_id: str, now: datetime) -> datetime | None:
        """What is older may be forgotten now; None when that was done lately."""
        last = self._last.get(tenant_id)
        if last is not None and now - last < _PAUSE:
            return None
        if len(self._last) >= _MOST_KNOWN:
            self._last.clear()
        self._last[tenant_id] = now
        return now - KEPT
