"""What Dynamics' audit says of an opportunity, as the events that its steps told or would have told."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.dynamics.settings import DynamicsSettings
from app.crm.dynamics.values import column, guid_of, moment, text_of
from app.crm.dynamics.words import STATE, Deal, place
from app.crm.events import Event

_CREATE = "1"
_TICK = timedelta(microseconds=1)


class Change(NamedTuple):
    """One entry of the audit: what the columns were, and what they became."""

    at: datetime
    by: str | None
    is_making: bool
    old: dict[str, Any]
    new: dict[str, Any]


class History(NamedTuple):
    """The events, and the properties that they tell from the beginning to what is so now."""

    events: list[Event]
    whole: frozenset[str]


def changes_of(details: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The entries in order. The audit knows only seconds, so what comes after within one is put after."""
    found: list[Change] = []
    for one in details:
        about = one.get("AuditRecord")
        at = moment(about.get("createdon")) if isinstance(about, dict) else None
        if at is None or not isinstance(about, dict):
            continue
        old, new = one.get("OldValue"), one.get("NewValue")
        found.append(
            Change(at, guid_of(column(about, "userid")), text_of(about.get("operation")) == _CREATE,
                   old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {})
        )  # fmt: skip
    found.reverse()  # the audit tells the latest first
    ordered: list[Change] = []
    for change in sorted(found, key=lambda one: (one.at, not one.is_making)):
        late = bool(ordered) and change.at <= ordered[-1].at
        ordered.append(change._replace(at=ordered[-1].at + _TICK) if late else change)
    return ordered


def history(settings: DynamicsSettings, deal: Deal, data: Mapping[str, Any], changes: list[Change]) -> History:
    """Events of the properties that the audit follows; one that it does not end at what is so now, it does not."""
    events: list[Event] = []
    whole: set[str] = set()
    for name in settings.followed:
        is_stage = name == settings.stage_property
        told = list(_stages(deal, changes) if is_stage else _column(deal, name, changes))
        now = place(data, settings) if is_stage else text_of(column(data, name))
        if told and told[-1].value == now:
            events += told
            if not told[0].tells_previous:
                whole.add(name)
    return History(sorted(events, key=lambda one: (one.at, one.name or "")), frozenset(whole))


def _column(deal: Deal, name: str, changes: list[Change]) -> Iterator[Event]:
    for change in changes:
        if _has(change.new, name) or _has(change.old, name):
            was = [] if change.is_making else [column(change.old, name)]
            yield deal._replace(by=change.by).event("changed", change.at, name, column(change.new, name), *was)


def _stages(deal: Deal, changes: list[Change]) -> Iterator[Event]:
    """Where it stood after each change of its stage or its state."""
    name = deal.settings.stage_property
    standing: dict[str, Any] = {}
    before: str | None = None
    made = False
    for change in changes:
        touched = [one for one in (name, STATE) if _has(change.new, one) or _has(change.old, one)]
        if not touched:
            continue
        if not made and not change.is_making:
            standing = {one: column(change.old, one) for one in touched}
            before = place(standing, deal.settings)
        standing |= {one: column(change.new, one) for one in touched}
        now = place(standing, deal.settings)
        if now is not None and now != before:
            was = [before] if made or not change.is_making else []
            yield deal._replace(by=change.by).event("changed", change.at, name, now, *was)
            before = now
        made = True


def _has(data: Mapping[str, Any], name: str) -> bool:
    return name in data or f"_{name}_value" in data
