"""A connection's settings: how one CRM account's pipelines, stages, fields and people map onto processes.

What is common to every CRM stands here; an adapter adds its vendor's words in a subclass.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.engine.values import Key, Wait, duration

STORED = {"stored": True}
"""The context in which settings are read that were put before: a rule that came since holds for what is put."""


def _is_stored(info: ValidationInfo) -> bool:
    return info.context is STORED


def _as_it_stands(value: Any, rule: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    return value if _is_stored(info) else rule(value)


Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An id of the CRM, as text."""

FieldType = Literal["number", "text", "boolean", "date", "choice"]
Remedy = Literal["observe", "note", "task", "revert"]
"""What answers a move that the process would have blocked: nothing, a note, a task, the stage put back."""
Remedies = Annotated[
    Annotated[list[Remedy], Field(min_length=1, max_length=4)],
    BeforeValidator(
        lambda value: [value] if isinstance(value, str) else value, json_schema_input_type=Remedy | list[Remedy]
    ),
]
"""One of them, or several."""
ApiUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s?#@]+$", max_length=500), WrapValidator(_as_it_stands)
]
"""Where an API is. Without a user and a password: those are no settings that could be shown."""
MOST_MAPPED = 1000
_LEAST_PAUSE = "1m"
UNMAPPED = "unmapped:"
"""Opens the stage of a deal that stands where the mapping says nothing. No stage of a process can be called so."""


class Mapping(BaseModel):
    """Base of the settings: immutable, strict, no unknown fields; what is written below a field is told of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def _not_all_the_time(text: str, info: ValidationInfo) -> str:
    if duration(text) >= duration(_LEAST_PAUSE):
        return text
    if _is_stored(info):
        return _LEAST_PAUSE
    raise PydanticCustomError("pause_too_short", "at least {least}", {"least": _LEAST_PAUSE})


Pause = Annotated[Wait, AfterValidator(_not_all_the_time)]
"""How long a machine waits before it does something again that it does for ever."""


def keys_as(value: Any, plain: Callable[[Any], Any]) -> Any:
    """A mapping with its keys in their one form. Two that are the same id must not be told apart by who comes last."""
    if not isinstance(value, dict):
        return value
    found: dict[Any, Any] = {}
    for key, one in value.items():
        name = plain(key)
        if name in found:
            raise PydanticCustomError("named_twice", "the same twice", {"name": str(name)})
        found[name] = one
    return found


class Pipeline(Mapping):
    """One pipeline of the CRM: the process that judges it, and which of its stages is which of ours."""

    process: Key
    version: Annotated[int, Field(ge=1)] | None = None
    """The version that judges its deals; if not said each deal's own, and the current one for a new deal."""
    stages: Annotated[dict[Id, Key], Field(min_length=1, max_length=MOST_MAPPED)]


class FieldMapping(Mapping):
    """A property of the CRM that is one of the process's fields. The type is the process's own when it is not said."""

    field: Key
    type: FieldType | None = None
    choices: Annotated[dict[str, Key], Field(max_length=MOST_MAPPED)] = {}
    """Of a choice: the CRM's value, and which of ours it is."""

    @model_validator(mode="after")
    def _choices_belong_to_a_choice(self) -> "FieldMapping":
        if self.choices and self.type not in (None, "choice"):
            raise PydanticCustomError("choices_without_choice", "`choices` needs the type `choice`")
        return self


class ActivityMapping(Mapping):
    """A type of activity in the CRM: which of the process's activities it is, and what its results mean."""

    activity: Key
    outcomes: Annotated[dict[Id, Key], Field(max_length=MOST_MAPPED)] = {}
    """What the CRM says of how one went, and which of our outcomes that is."""
    direction: Literal["inbound", "outbound"] | None = None


class ApprovalMapping(Mapping):
    """A property that stands for an approval: filling it approves the move to `to` (to any stage, if not said).

    Where its value is one of our people, they approve; else whoever filled it.
    """

    role: Key
    to: Key | None = None


class Person(Mapping):
    """One of our people. Several ids of the CRM may name the same person: a user and an owner, for example."""

    id: Id
    roles: Annotated[list[Key], Field(max_length=MOST_MAPPED)] = []
    language: Literal["en", "it"] | None = None


class ConnectionSettings(Mapping):
    """What every connection says, whatever the CRM."""

    crm: str
    stage_property: Id
    """The property that tells a deal's stage."""
    pipeline_property: Id
    """The property that tells a deal's pipeline."""
    owner_property: Id
    """The property that tells a deal's owner."""
    pipelines: Annotated[dict[Id, Pipeline], Field(min_length=1, max_length=MOST_MAPPED)]
    """By the CRM's id of the pipeline."""
    fields: Annotated[dict[Id, FieldMapping], Field(max_length=MOST_MAPPED)] = {}
    """By the CRM's property."""
    people: Annotated[dict[Id, Person], Field(max_length=MOST_MAPPED)] = {}
    """By every id that the CRM uses for a person."""
    activities: Annotated[dict[Id, ActivityMapping], Field(max_length=MOST_MAPPED)] = {}
    """By the CRM's type of activity."""
    contact_roles: Annotated[dict[Id, Key], Field(max_length=MOST_MAPPED)] = {}
    """By what the CRM calls the role that a contact has on a deal."""
    approvals: Annotated[dict[Id, ApprovalMapping], Field(max_length=MOST_MAPPED)] = {}
    """By the property that is filled to approve."""
    settle: Wait | None = None
    """How long news of a deal settles before it is judged; a minute if not said, and with `access`."""
    grace: Wait = "4h"
    """How long drift may be put right before it is answered."""
    remedy: Remedies = ["observe"]
    """What answers drift."""
    revert_closed: bool = False
    """Whether a deal may be put back out of won or lost."""
    on_failure: Literal["open", "closed"] = "open"
    """What a veto answers when we cannot tell: it lets pass, or refuses."""
    language: Literal["en", "it"] = "en"
    """Of notes and tasks, where the owner has none of their own."""
    acts_as: Id | None = None
    """The CRM's id of whoever we act as there: what they do is our own doing, and not judged."""
    api_url: ApiUrl | None = None
    """Where the CRM's API is, for a data centre or a server of your own."""
    keep_bodies: Wait = "30d"
    """How long raw deliveries are kept."""
    reconcile: Pause = "1h"
    """How often what has changed in the CRM is read back, with `access`."""

    @model_validator(mode="after")
    def _the_stage_is_no_field(self, info: ValidationInfo) -> "ConnectionSettings":
        told = [*self.fields, *(() if _is_stored(info) else self.approvals)]
        taken = {self.stage_property, self.pipeline_property}.intersection(told)
        if taken:
            raise PydanticCustomError("stage_as_field", "`{name}` tells the stage", {"name": min(taken)})
        return self

    @model_validator(mode="after")
    def _a_field_has_one_source(self) -> "ConnectionSettings":
        keys = [mapping.field for mapping in self.fields.values()]
        repeated = [key for key in keys if keys.count(key) > 1]
        if repeated:
            raise PydanticCustomError("field_mapped_twice", "two properties for `{name}`", {"name": repeated[0]})
        return self

    @property
    def followed(self) -> frozenset[str]:
        """The properties whose changes concern us."""
        own = (self.stage_property, self.pipeline_property, self.owner_property)
        return frozenset((*own, *self.fields, *self.approvals))


class Place(NamedTuple):
    """Where in which process a stage of the CRM is. `stage` is None when the mapping does not name it."""

    process: str
    version: int | None
    stage: str | None


def place_of(settings: ConnectionSettings, pipeline: str | None, stage: str) -> Place | None:
    """Find a stage of the CRM; None when not even its process can be told.

    The pipeline that the deal is known to be in comes first, then all of them: stage ids are often unique over an
    account. When two pipelines hold the id and mean different things by it, nothing is guessed.
    """
    own = settings.pipelines.get(pipeline) if pipeline is not None else None
    if own is not None and stage in own.stages:
        return Place(own.process, own.version, own.stages[stage])
    everywhere = list(settings.pipelines.values())
    holding = {Place(one.process, one.version, one.stages[stage]) for one in everywhere if stage in one.stages}
    if not holding:
        candidates = everywhere if own is None else [own]
        holding = {Place(one.process, one.version, None) for one in candidates}
    return holding.pop() if len(holding) == 1 else None


def person_of(settings: ConnectionSettings, crm_id: str | None) -> Person | None:
    """Our person behind an id of the CRM."""
    return None if crm_id is None else settings.people.get(crm_id)


def readable(settings: ConnectionSettings) -> dict[str, Any]:
    """The settings as JSON, as they may be shown and stored: there is no secret among them."""
    return settings.model_dump(mode="json", exclude_none=True)
