"""Ids that grow with time (UUIDv7), so that the order of a table's keys is the order of its happenings."""

import random
import threading
from datetime import datetime

_lock = threading.Lock()
_last = 0
_random = random.Random()  # noqa: S311 - seeded by the system; an id need not be secret, only another one
_TAIL = (1 << 62) - 1


def new_id(now: datetime) -> str:
    """An id for what happens now; always greater than the last one of this process."""
    global _last  # noqa: PLW0603 - the one thing a monotonic source must remember
    chance = _random.getrandbits(70)
    with _lock:
        moment = int(now.timestamp() * 1000) << 12
        _last = max(moment | chance >> 62, _last + 1)
        high = _last
    milliseconds, count = high >> 12, high & 0xFFF
    text = f"{milliseconds << 80 | 0x7 << 76 | count << 64 | 0x2 << 62 | chance & _TAIL:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
