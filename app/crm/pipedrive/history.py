"""What Pipedrive's changelog says of a deal, as the events that its webhooks told or would have told."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from app.crm.events import Event
from app.crm.pipedrive.settings import PipedriveSettings
from app.crm.pipedrive.words import Deal, own_name, place
from app.crm.reading import Rounds, id_or_none, oldest_first, time_or_none

_STATUS = "status"
_OLDER_NAMES = {"user_id": "owner_id"}


def history(
    settings: PipedriveSettings,
    object_id: str,
    data: Mapping[str, Any],
    changelog: Iterable[Mapping[str, Any]],
    now: datetime,
) -> list[Event]:
    """The deal's making, then each change; what the changelog does not tell stands as seen at the last change."""
    made = time_or_none(data.get("add_time")) or now
    seen = time_or_none(data.get("update_time")) or now
    changes = _oldest_first(list(_changes(settings, changelog)), data)
    deal = Deal(settings, object_id)
    events = [deal.event("created", made), *_stages(deal, data, changes, made)]
    followed = settings.followed - {settings.stage_property}
    told: dict[str, Rounds] = {}
    for second, name, old, new, by, channel in changes:
        if name in followed:
            at, nth = told.setdefault(name, Rounds()).place(second, old, new)
            events.append(deal._replace(by=by, channel=channel, nth=nth).event("changed", at, name, new, old))
    for name in sorted(followed - told.keys()):
        value = data.get(own_name(name, settings, data))
        if value is not None:
            events.append(deal.event("seen", seen, name, value))
    return events


_Change = tuple[datetime, str, Any, Any, str | None, str | None]


def _oldest_first(changes: list[_Change], data: Mapping[str, Any]) -> list[_Change]:
    """Whichever way round they came: each change of a field begins with what the one before it ended with, and the
    last one ends with what is there now.
    """
    ways = (oldest_first(changes), sorted(changes, key=lambda one: one[0]))
    return min(ways, key=lambda way: _breaks(way, data))


def _breaks(changes: list[_Change], data: Mapping[str, Any]) -> int:
    last: dict[str, Any] = {}
    count = 0
    for _, name, old, new, _, _ in changes:
        count += name in last and str(last[name]) != str(old)
        last[name] = new
    return count + sum(name in data and str(data[name]) != str(value) for name, value in last.items())


def _changes(settings: PipedriveSettings, changelog: Iterable[Mapping[str, Any]]) -> Iterator[_Change]:
    for one in changelog:
        at, key = time_or_none(one.get("time")), one.get("field_key")
        if at is None or not isinstance(key, str):
            continue
        name = key if key in settings.followed else _OLDER_NAMES.get(key, key)
        yield (
            at, name, one.get("old_value"), one.get("new_value"),
            id_or_none(one.get("actor_user_id")), id_or_none(one.get("change_source")),
        )  # fmt: skip


def _stages(deal: Deal, data: Mapping[str, Any], changes: list[_Change], made: datetime) -> Iterator[Event]:
    """Where the deal stood after each change of its stage or status; what it began with is told by the first ones.

    Of stage and status in one second, only webhooks can tell whether the deal stood anywhere in between.
    """
    stage = deal.settings.stage_property
    own = [one for one in changes if one[1] in (stage, _STATUS)]
    standing: dict[str, Any] = {
        name: next((one[2] for one in own if one[1] == name), data.get(name)) for name in (stage, _STATUS)
    }
    before = place(standing, deal.settings)
    rounds = Rounds()
    if before is not None:
        yield deal.event("changed", rounds.place(made, None, before)[0], stage, before, None)
    for save in _saves(own):
        standing |= {one[1]: one[3] for one in save}
        second, _, _, _, by, channel = save[-1]
        now = place(standing, deal.settings)
        if now is not None and now != before:
            at, nth = rounds.place(second, before, now)
            was = [before] if len(save) == 1 else []
            yield deal._replace(by=by, channel=channel, nth=nth).event("changed", at, stage, now, *was)
            before = now


def _saves(changes: list[_Change]) -> Iterator[list[_Change]]:
    """Stage and status that were changed in the same second count as saved together; one of them changed twice does
    not.
    """
    for _, at_once in groupby(changes, key=lambda one: one[0]):
        together = list(at_once)
        if len({one[1] for one in together}) == len(together):
            yield together
        else:
            yield from ([one] for one in together)
