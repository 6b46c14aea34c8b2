"""Facts: a snapshot made ready for questions. What requirements see, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from app.engine.snapshot import Activity, Actor, Approval, Contact, Snapshot, StageEntry


def instant(moment: datetime) -> str:
    """A time as people and programs exchange it: RFC 3339 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_INDEXES = {"activities": "_by_kind", "contacts": "_by_role", "as_of": "_today"}


class Facts:
    """A deal at one instant, with indexes made on first use.

    `stated` are the fields as the caller gave them: in a plan, a `when` that holds on those goes on holding, so that
    nothing is ever planned over a convenient value. `mover_id` is who moves; a plan made without an actor assumes
    somebody new.
    """

    fields: Mapping[str, Any]
    stated: Mapping[str, Any]
    contacts: Sequence[Contact]
    activities: Sequence[Activity]
    approvals: Sequence[Approval]
    history: Sequence[StageEntry]

    def __init__(
        self,
        snapshot: Snapshot,
        to: str,
        as_of: datetime,
        *,
        zone: tzinfo,
        actor: Actor | None,
        missing: frozenset[str],
    ) -> None:
        self.deal_id = snapshot.id
        self.stage = snapshot.stage
        self.stage_entered_at = snapshot.stage_entered_at
        self.created_at = snapshot.created_at
        self.history = snapshot.stage_history
        self.fields = self.stated = snapshot.fields
        self.contacts = snapshot.contacts
        self.activities = snapshot.activities
        self.approvals = snapshot.approvals
        self.to = to
        self.as_of = as_of
        self.zone = zone
        self.actor = actor
        self.mover_id = None if actor is None else actor.id
        self.missing = missing
        self._by_kind: dict[str, list[Activity]] | None = None
        self._by_role: dict[str, set[str]] | None = None
        self._today: date | None = None

    def copy(self, **changes: Any) -> "Facts":
        """The same facts but for what is named; indexes of what changed are made anew."""
        twin = object.__new__(Facts)
        kept = twin.__dict__  # the search for a plan makes thousands of copies
        kept.update(self.__dict__)
        kept.update(changes)
        for name in changes:
            if name in _INDEXES:
                kept[_INDEXES[name]] = None
        return twin

    @property
    def today(self) -> date:
        """The calendar day of `as_of` in the process's timezone."""
        if self._today is None:
            self._today = self.as_of.astimezone(self.zone).date()
        return self._today

    @property
    def stage_entry(self) -> datetime | None:
        """When the deal entered the stage it is in, if that is known."""
        if self.stage_entered_at is not None:
            return self.stage_entered_at
        latest: StageEntry | None = None
        for entry in self.history:
            if latest is None or entry.entered_at >= latest.entered_at:
                latest = entry
        return latest.entered_at if latest is not None and latest.stage == self.stage else None

    def first_entry(self, stage: str) -> datetime | None:
        """When the deal first entered a stage, if it is known to have."""
        times = [entry.entered_at for entry in self.history if entry.stage == stage]
        if stage == self.stage and self.stage_entered_at is not None:
            times.append(self.stage_entered_at)
        return min(times, default=None)

    def index(self) -> None:
        """Make the indexes now, for copies to share."""
        self.of_kind("")
        self.people_in("")

    def of_kind(self, kind: str) -> Sequence[Activity]:
        """The activities of one kind, in the order given."""
        if self._by_kind is None:
            by_kind: dict[str, list[Activity]] = {}
            for activity in self.activities:
                if (known := by_kind.get(activity.activity)) is None:
                    by_kind[activity.activity] = [activity]
                else:
                    known.append(activity)
            self._by_kind = by_kind
        return self._by_kind.get(kind, ())

    def people_in(self, role: str) -> set[str]:
        """The ids of the contacts who have a role on the deal."""
        if self._by_role is None:
            self._by_role = {}
            for contact in self.contacts:
                if contact.role is not None:
                    self._by_role.setdefault(contact.role, set()).add(contact.id)
        return self._by_role.get(role, set())
