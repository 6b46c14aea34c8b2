"""The process: stages, transitions and policies, as values, in the shape of the file people write."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from app.engine.conditions import Keys
from app.engine.silence import Silence
from app.engine.tops import Mode, Top
from app.engine.values import Duration, Key, Named, Part, Text

ActivityKind = Literal["call", "meeting", "email", "task", "document", "other"]
FieldType = Literal["number", "text", "boolean", "date", "choice"]
StageKind = Literal["open", "won", "lost"]


class ActivityType(Part):
    """Something a person does with the buyer, as the process counts it."""

    key: Key
    kind: ActivityKind = "other"
    name: Text | None = None
    outcomes: list[Named] = []
    effort: Duration | None = None
    lead_time: Duration | None = None
    how: Text | None = None


class ProcessField(Part):
    """A fact the process asks about a deal."""

    key: Key
    type: FieldType
    name: Text | None = None
    unit: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    choices: list[Named] = []
    learned_in: list[Key] = []
    min_length: Annotated[int, Field(ge=1, le=100_000)] | None = None
    blank: list[str] = []


class Stage(Part):
    """A step a deal stands in."""

    key: Key
    name: Text | None = None
    kind: StageKind = "open"
    buyer: Key | None = None
    enter: list[Top] = []
    exit: list[Top] = []
    rots_after: Duration | None = None


class Transition(Part):
    """A drawn edge, or several: what is asked of a move from one stage to another."""

    sources: Annotated[Keys, Field(alias="from")]
    to: Key
    requires: list[Top] = []


class ReopenWithin(Part):
    """A lost deal may be reopened for so long after it was lost."""

    reopen_within: Duration


def _reopen_kind(value: Any) -> str:
    return "requirement:within" if isinstance(value, dict | ReopenWithin) else "requirement:new_deal"


class Policies(Part):
    """What holds for the whole process; the first three are modes."""

    undrawn: Mode = "enforce"
    skip: Mode = "enforce"
    back: Mode = "enforce"
    reopen_lost: (
        Annotated[
            Annotated[Literal["new_deal"], Tag("requirement:new_deal")]
            | Annotated[ReopenWithin, Tag("requirement:within")],
            Discriminator(_reopen_kind),
        ]
        | None
    ) = None
    first_touch: Literal["call", "email"] | None = None


class Process(Part):
    """A definition: stages, transitions, requirements. A published version never changes."""

    process: Key
    name: Text | None = None
    maturity: Literal["crawl", "walk", "run"] = "walk"
    timezone: str = "UTC"
    roles: list[Named] = []
    contacts: list[Named] = []
    activities: list[ActivityType] = []
    fields: list[ProcessField] = []
    stages: Annotated[list[Stage], Field(min_length=1)]
    start: list[Key] = []
    path: list[Key] = []
    transitions: list[Transition] = []
    policies: Policies = Policies()
    silence: list[Silence] = []

    @property
    def open_stages(self) -> list[str]:
        """The keys of the stages a deal can still leave, in order."""
        return [stage.key for stage in self.stages if stage.kind == "open"]

    @property
    def starts(self) -> list[str]:
        """Where a deal may begin: `start`, or the first stage."""
        return self.start or [self.stages[0].key]

    @cached_property
    def edges(self) -> dict[tuple[str, str], list[Top]]:
        """Every drawn move with what it asks: by `path`, by `open`, by name. A name replaces `open` for its pair."""
        drawn: dict[tuple[str, str], list[Top]] = {pair: [] for pair in zip(self.path, self.path[1:], strict=False)}
        by_open = [edge for edge in self.transitions if edge.sources == ["open"]]
        by_name = [edge for edge in self.transitions if edge.sources != ["open"]]
        for edge in by_open:
            drawn.update({(source, edge.to): edge.requires for source in self.open_stages if source != edge.to})
        for edge in by_name:
            drawn.update({(source, edge.to): edge.requires for source in edge.sources})
        return drawn
