"""What headers ask for: how long to wait, in seconds or until a date."""

import pytest

from app.crm.calling import retry_after
from app.crm.http import Response, seconds_asked
from tests.store.rows import NOON


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120.0), (" 5 ", 5.0), ("0", 0.0), ("9" * 400, 86400.0), (None, None), ("", None), ("soon", None),
     ("-1", None), ("1.5", 1.5), (".", None), ("²", None), ("Mon, 23 Nov 2026 12:02:00 GMT", 120.0),
     ("Mon, 23 Nov 2026 12:02:00 -0000", 120.0), ("Fri, 31 Dec 9999 23:59:59 -2300", 86400.0),
     ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0), ("Mon, 99 Nov 2026 12:02:00 GMT", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(said: str | None, seconds: float | None) -> None:
    assert seconds_asked(said, NOON) == seconds


@pytest.mark.parametrize("date", ["Mon, 23 Nov 2026 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:00 -0000"])
def test_of_a_crm_a_date_is_counted_from_its_own(date: str) -> None:
    headers = {"retry-after": "Mon, 23 Nov 2026 12:02:00 GMT", "date": date}
    assert retry_after(Response(429, headers, b"")) == 120.0
    assert retry_after(Response(429, headers | {"date": "soon"}, b"")) is None
