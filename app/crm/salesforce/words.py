"""Salesforce's words: values as text, and the events of an opportunity with the key by which each copy is known."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Event, EventKind
from app.crm.reading import key_of, time_or_none
from app.crm.salesforce.ids import id_in, long_id
from app.crm.salesforce.settings import SalesforceSettings

STAGE_SINCE = "LastStageChangeDate"


def text_of(value: Any) -> str | None:
    """A value as every one of Salesforce's ways tells it: XML knows only text, and so do the histories."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


class Deal(NamedTuple):
    """An opportunity that something is told of."""

    settings: SalesforceSettings
    object_id: str
    by: str | None = None
    channel: str | None = None
    source: str = ""
    """Apart from changes and histories, which tell the same in the same words: what knows less."""

    def event(self, kind: EventKind, at: datetime, name: str | None = None, value: Any = None, *previous: Any) -> Event:
        """An event; with a previous value, where Salesforce told it.

        A change told as it happens has milliseconds, and its trace in the history has not: the key has the second. A
        message brings its own id, and sent again it tells a later state: so the key is what is told.
        """
        told, was = self._plain(name, value), self._plain(name, previous[0]) if previous else None
        second = at.replace(microsecond=0).isoformat()
        key = key_of(self.settings.organization_id, self.object_id, kind, name, told, second, self.source)
        return Event(key, self.object_id, kind, at, name, told, self.by, self.channel, was, bool(previous))

    def seen(self, data: Mapping[str, Any], at: datetime, names: Iterable[str] | None = None) -> Iterator[Event]:
        """What a record says, at the time it is of. When it came to its stage, it may say itself: that is the change
        of which others tell, to the second.

        A field that is empty is told as empty; one that is left out is not told of.
        """
        for name in sorted(self.settings.followed if names is None else names):
            value, is_stage = data.get(name), name == self.settings.stage_property
            if name not in data or isinstance(value, dict | list) or (is_stage and text_of(value) is None):
                continue
            since = time_or_none(data.get(STAGE_SINCE)) if is_stage else None
            if since is not None and since <= at:
                yield self._replace(by=_author(data, since), source="").event("changed", since, name, value)
            else:
                yield self._replace(by=None).event("seen", at, name, value)

    def _plain(self, name: str | None, value: Any) -> str | None:
        text = text_of(value)
        ids = (self.settings.pipeline_property, self.settings.owner_property)
        return long_id(text) if text is not None and name in ids else text


def _author(data: Mapping[str, Any], at: datetime) -> str | None:
    """Who made the change of that time: whoever changed the record last, if nobody has changed it since."""
    return id_in(data.get("LastModifiedById")) if time_or_none(data.get("LastModifiedDate")) == at else None


def modified_at(data: Mapping[str, Any]) -> datetime | None:
    """The time that a record's values are of."""
    times = [time_or_none(data.get(name)) for name in ("SystemModstamp", "LastModifiedDate")]
    return max((one for one in times if one is not None), default=None)
