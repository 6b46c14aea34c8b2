"""One question about one deal, inline or stored: whose facts, which process version, what is known of them."""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from app.engine import Actor, CompiledProcess, Decision, Snapshot, UnknownStage, decide, decide_unknown_stage
from app.services.processes import Processes
from app.services.proposals import Proposed, with_proposed
from app.services.refusals import InvalidRequest, UnknownDeal, UnknownStageAsked
from app.store.database import Reader
from app.store.deals import StoredDeal, read_deal

_NOTHING: frozenset[str] = frozenset()
CRM_LACKS = frozenset({"activities", "approvals", "contacts", "fields"})
"""What a deal lacks of which only a CRM's events are known."""


_SMALL = 16_000


class Case(NamedTuple):
    """A deal's facts with the process version that judges them. `stored` is None for an inline deal."""

    compiled: CompiledProcess
    snapshot: Snapshot
    missing: frozenset[str] = _NOTHING
    stored: StoredDeal | None = None


async def inline_case(
    db: Reader, processes: Processes, tenant_id: str, snapshot: Snapshot, *, process: str, version: int | None
) -> Case:
    """A deal sent along: its facts are taken as complete."""
    return Case(await processes.asked(db, tenant_id, process, version), snapshot)


async def stored_case(
    db: Reader, processes: Processes, tenant_id: str, deal_id: str, proposed: Proposed | None = None
) -> Case:
    """A stored deal, under its own process and version."""
    row = await read_deal(db, tenant_id, deal_id)
    if row is None:
        raise UnknownDeal(deal=deal_id)
    return await case_of(db, processes, row, proposed)


async def case_of(db: Reader, processes: Processes, row: StoredDeal, proposed: Proposed | None = None) -> Case:
    """A deal that was read already."""
    compiled = await processes.asked(db, row.tenant_id, row.process_key, row.process_version)
    snapshot = with_proposed(_facts(row.snapshot), proposed)
    return Case(compiled, snapshot, _lacks(row), row)


def _lacks(row: StoredDeal) -> frozenset[str]:
    """What nobody brought of a stored deal: of a CRM's, what was not read whole since its last change."""
    if row.connection_id is None:
        return _NOTHING
    return CRM_LACKS if row.missing is None else frozenset(row.missing.split())


def _facts(stored: str) -> Snapshot:
    """The facts of a stored deal. Small ones are kept by their text: who asks about a deal soon asks again."""
    return _kept(stored) if len(stored) <= _SMALL else Snapshot.model_validate_json(stored)


@lru_cache(maxsize=256)
def _kept(stored: str) -> Snapshot:
    return Snapshot.model_validate_json(stored)


def judge(case: Case, to: str, *, as_of: datetime, actor: Actor | None) -> Decision:
    """The decision. A stored deal in a stage its version lacks is blocked; a stage named wrongly is refused."""
    try:
        return decide(case.compiled, case.snapshot, to, as_of=as_of, actor=actor, missing=case.missing)
    except UnknownStage as error:
        if error.place == "from" and case.stored is not None:
            if to not in case.compiled.stages:
                raise unknown_stage(UnknownStage(to, tuple(case.compiled.stages), "to")) from error
            return decide_unknown_stage(case.compiled, case.snapshot, to, as_of=as_of, missing=case.missing)
        raise unknown_stage(error) from error


def unknown_stage(error: UnknownStage) -> UnknownStageAsked:
    """The refusal, with its place in the request and the stages that exist."""
    place = {"from": "deal.stage", "to": "to", "goal": "goal"}[error.place]
    return UnknownStageAsked(stage=error.stage, known=list(error.known), place=place)


def same_process(row: StoredDeal, process: str | None, version: int | None) -> None:
    """A stored deal has its own process and version; naming another is a mistake worth telling."""
    if process is not None and process != row.process_key:
        raise InvalidRequest("process", "not_the_deals", value=process, own=row.process_key)
    if version is not None and version != row.process_version:
        raise InvalidRequest("version", "not_the_deals", value=version, own=row.process_version)
