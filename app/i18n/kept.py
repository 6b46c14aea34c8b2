"""Texts about fields, kept for the next deal: the same few values, and above all none, come up all the time.

Such a text depends on the requirement, the value and the language alone, unless the field is a date: then also on the
day. A requirement is known by its `expected`, which lives as long as its compiled version and is held here, so that
nothing else can come to stand in its place.
"""

from collections.abc import Callable
from typing import NamedTuple

from app.engine.decision import Finding
from app.i18n.labels import Labels

_MOST = 1_000
_CODES = frozenset({"field_missing", "field_mismatch", "field_present", "field_too_short"})
_TYPES = frozenset({str, int, float, bool, type(None)})


class Said(NamedTuple):
    """What is said of a finding."""

    message: str
    detail: str


def said_of(finding: Finding, labels: Labels, write: Callable[[], Said]) -> Said:
    """The texts of a finding, written anew unless they are kept."""
    value = finding.actual.get("value")
    if finding.code not in _CODES or type(value) not in _TYPES or labels.is_date(finding.params["field"]):
        return write()
    key = (id(finding.expected), finding.code, type(value), value)
    kept = labels.kept.get(key)
    if kept is None or kept[0] is not finding.expected:
        if len(labels.kept) >= _MOST:
            labels.kept.clear()
        kept = labels.kept[key] = (finding.expected, write())
    return kept[1]
