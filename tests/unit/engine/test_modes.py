"""Modes: what a requirement's mode makes of it, and when dated ones change."""

import pytest

from tests.builders_engine import Parts, asking, deal, finding, judged, moment, process

UNMET = {"id": "asked", "field": "note", "is": "present"}
UNKNOWN = {"id": "asked", "mover": ["boss"]}

PLAIN = [
    (None, "block", "blocked"),
    ("enforce", "block", "blocked"),
    ("warn", "warn", "allowed"),
    ("observe", "info", "allowed"),
]


@pytest.mark.parametrize(("mode", "severity", "outcome"), PLAIN)
@pytest.mark.parametrize("requirement", [UNMET, UNKNOWN])
def test_a_mode_is_a_severity_for_what_is_unmet_and_what_is_unknown(
    requirement: Parts, mode: str | None, severity: str, outcome: str
) -> None:
    compiled = asking({**requirement, **({} if mode is None else {"mode": mode})})
    decision = judged(compiled, actor=None)
    assert (outcome, [severity]) == (decision.outcome, [one.severity for one in decision.findings])


STEPS = {"warn": "2027-01-01", "enforce": "2027-04-01"}
DATED: list[tuple[Parts, str, str, str]] = [
    (STEPS, "Europe/Rome", "2026-12-31T22:59:59.999999Z", "info"),
    (STEPS, "Europe/Rome", "2026-12-31T23:00:00Z", "warn"),
    (STEPS, "Europe/Rome", "2027-03-31T21:59:59Z", "warn"),
    (STEPS, "Europe/Rome", "2027-03-31T22:00:00Z", "block"),
    (STEPS, "UTC", "2026-12-31T23:59:59Z", "info"),
    (STEPS, "UTC", "2027-01-01T00:00:00Z", "warn"),
    (STEPS, "Pacific/Kiritimati", "2026-12-31T10:00:00Z", "warn"),
    (STEPS, "Pacific/Kiritimati", "2026-12-31T09:59:59Z", "info"),
    ({"enforce": "2027-01-01"}, "UTC", "2026-12-31T23:59:59Z", "info"),
    ({"enforce": "2027-01-01"}, "UTC", "2027-01-01T00:00:00Z", "block"),
    ({"enforce": "2027-01-01", "observe": "2027-02-01"}, "UTC", "2027-01-31T23:59:59Z", "block"),
    ({"enforce": "2027-01-01", "observe": "2027-02-01"}, "UTC", "2027-02-01T00:00:00Z", "info"),
    ({"enforce": "2026-03-29"}, "Europe/Rome", "2026-03-28T23:00:00Z", "block"),
    ({"enforce": "2026-10-25"}, "Europe/Rome", "2026-10-24T21:59:59Z", "info"),
    ({"enforce": "2026-10-25"}, "Europe/Rome", "2026-10-24T22:00:00Z", "block"),
    ({"enforce": "2026-03-08"}, "America/Havana", "2026-03-08T04:59:59Z", "info"),  # there 00:00 does not exist
    ({"enforce": "2026-03-08"}, "America/Havana", "2026-03-08T05:00:00Z", "block"),
]


@pytest.mark.parametrize(("mode", "zone", "as_of", "severity"), DATED)
def test_a_dated_mode_begins_at_midnight_of_its_date_in_process_time(
    mode: Parts, zone: str, as_of: str, severity: str
) -> None:
    found = finding(asking({**UNMET, "mode": mode}, timezone=zone), as_of=moment(as_of))
    assert severity == getattr(found, "severity", None)


@pytest.mark.parametrize(("mode", "zone", "as_of", "severity"), DATED)
@pytest.mark.parametrize(
    ("policy", "source", "to"), [("undrawn", "first", "first"), ("skip", "first", "won"), ("back", "second", "first")]
)
def test_policies_take_dated_modes_too(
    *, policy: str, source: str, to: str, mode: Parts, zone: str, as_of: str, severity: str
) -> None:
    compiled = process(policies={policy: mode}, timezone=zone)
    decision = judged(compiled, deal(source), to, as_of=moment(as_of))
    assert [severity] == [one.severity for one in decision.findings]
    assert ("blocked" if severity == "block" else "allowed") == decision.outcome
