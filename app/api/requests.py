"""What callers send, as models: strict, frozen, no unknown fields. The OpenAPI document is made from these."""

from typing import Annotated, Literal

from pydantic import Field

from app.engine import Actor, Instant, Snapshot
from app.engine.snapshot import Fact, Id, Name
from app.services.proposals import Proposed

Version = Annotated[int, Field(ge=1, le=2**31)]


class DealQuestion(Fact):
    """A deal, sent along or stored: either `process` and `deal`, or `deal_id`."""

    process: Annotated[Name | None, Field(description="The process that judges an inline deal.")] = None
    version: Annotated[Version | None, Field(description="Its version; the current one if not said.")] = None
    deal: Annotated[Snapshot | None, Field(description="The deal's facts, sent along.")] = None
    deal_id: Annotated[Id | None, Field(description="A stored deal, under its own process and version.")] = None
    proposed: Annotated[
        Proposed | None, Field(description="With `deal_id`: what the user is about to enter; never stored.")
    ] = None
    actor: Annotated[Actor | None, Field(description="Who moves; without one, `mover` and `approval` are unknown.")] = (
        None
    )
    as_of: Annotated[Instant | None, Field(description="The instant to judge at; now if not said.")] = None


class ValidateTransition(DealQuestion):
    """One move to judge."""

    to: Annotated[Name, Field(description="The stage to move to.")]
    dry_run: Annotated[bool, Field(description="True leaves the decision log alone.")] = False


class NextActivities(DealQuestion):
    """What to do next with a deal."""

    goal: Annotated[Name | None, Field(description="The stage to reach; the first won stage if not said.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="At most so many; mandatory ones are never cut.")] = 5
    detail: Annotated[
        Literal["brief", "full"], Field(description="How much each suggestion says; full if not said.")
    ] = "full"


class PutDeal(Snapshot):
    """A deal to store: its facts, with the process that judges it."""

    process: Annotated[Name, Field(description="The process of this deal.")]
    version: Annotated[
        Version | None,
        Field(description="Its version; the one the deal has, else the current one, if not said."),
    ] = None


class MoveDeal(Fact):
    """Move a stored deal."""

    to: Annotated[Name, Field(description="The stage to move to.")]
    expected_stage: Annotated[Name | None, Field(description="Refuse (409) unless the deal is in this stage.")] = None
    actor: Annotated[Actor | None, Field(description="Who moves.")] = None
