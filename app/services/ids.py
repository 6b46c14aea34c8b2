"""Ids that grow with time (UUIDv7), so that the order of a table's keys is the order of its happenings."""

import secrets
import threading
import uuid
from datetime import datetime

_lock = threading.Lock()
_last = 0


def new_id(now: datetime) -> str:
    """An id for what happens now; always greater than the last one of this process."""
    global _last  # noqa: PLW0603 - the one thing a monotonic source must remember
    with _lock:
        moment = int(now.timestamp() * 1000) << 12
        _last = max(moment | secrets.randbits(8), _last + 1)
        high = _last
    milliseconds, count = high >> 12, high & 0xFFF
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | count << 64 | 0x2 << 62 | secrets.randbits(62)))
