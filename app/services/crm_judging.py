"""What a CRM's events on one deal amount to, as decisions: every move judged, illegal ones too: they have happened."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast

from app.crm.connection import person_of
from app.crm.events import Event
from app.crm.state import Deal, snapshot_before
from app.crm.timeline import Move
from app.engine import Actor, CompiledProcess, Decision, Snapshot, UnknownStage, decide, decide_unknown_stage
from app.services.judging import CRM_LACKS


class Judgement(NamedTuple):
    """The decision on one event. `about` is what was judged: when that is another one day, it is judged anew."""

    event: Event
    about: str
    decision: Decision
    actor: Actor | None
    compiled: CompiledProcess


def judge(
    deal: Deal, now: Snapshot | None, processes: Mapping[str, CompiledProcess], *, complete: bool
) -> list[Judgement]:
    """Judge what was not judged before, or not from where it now turns out to have begun.

    `processes` has the process of every move and, under the empty key, the one to name where none is known.
    `complete` says that the deal's facts are kept through our API: then nothing is lacking but what events lack.
    """
    lacks = frozenset() if complete else _lacks(deal)
    found: list[Judgement] = []
    created = deal.line.created
    if created is not None and (deal.process or len(set(processes.values())) == 1):
        compiled = processes[deal.process or ""]
        about = json.dumps([compiled.key, None, None])
        if _is_new(deal, created, about):
            decision = _not_judged(compiled, None, None, created.at, lacks | {"stage"})
            found.append(Judgement(created, about, decision, _actor(deal, created), compiled))
    for move in deal.line.moves:
        compiled = processes[process_of(move)]
        about = json.dumps([compiled.key, _from(move), move.entry.stage])
        if _is_new(deal, move.event, about):
            decision, actor = _move(deal, move, now, compiled, lacks), _actor(deal, move.event)
            found.append(Judgement(move.event, about, decision, actor, compiled))
    return found


def process_of(move: Move) -> str:
    """The key of the process that judges a move; empty when not even that is known."""
    return move.place.process if move.place else ""


def _is_new(deal: Deal, event: Event, about: str) -> bool:
    verdict = deal.record.verdicts.get(event.key)
    return verdict is None or verdict.about != about


def _lacks(deal: Deal) -> frozenset[str]:
    """A deal whose making was not seen may have been anywhere before."""
    return CRM_LACKS if deal.line.created else CRM_LACKS | {"stage_history"}


def _move(deal: Deal, move: Move, now: Snapshot | None, compiled: CompiledProcess, lacks: frozenset[str]) -> Decision:
    if now is None or not move.judgeable:
        return _not_judged(compiled, _from(move), move.entry.stage, move.event.at, lacks | {"stage"})
    snapshot = snapshot_before(deal, now, compiled.zone, move)
    return _decide(compiled, snapshot, move, _actor(deal, move.event), lacks)


def _decide(
    compiled: CompiledProcess, snapshot: Snapshot, move: Move, actor: Actor | None, lacks: frozenset[str]
) -> Decision:
    to, as_of = move.entry.stage, move.event.at
    try:
        return decide(compiled, snapshot, to, as_of=as_of, actor=actor, missing=lacks)
    except UnknownStage as error:
        if error.place == "from":
            return decide_unknown_stage(compiled, snapshot, to, as_of=as_of, missing=lacks)
        return _not_judged(compiled, snapshot.stage, to, as_of, lacks | {"stage"})


def _not_judged(
    compiled: CompiledProcess, source: str | None, to: str | None, as_of: datetime, missing: frozenset[str]
) -> Decision:
    """No verdict, and what it lacked. The deal's first word has no stage yet: `to` is None then."""
    return Decision(
        "not_judged",
        compiled.key,
        compiled.version,
        compiled.digest,
        source,
        cast("str", to),
        as_of,
        (),
        missing=tuple(sorted(missing)),
    )


def _from(move: Move) -> str | None:
    """The stage before, unless it is one of another process."""
    before = move.before
    return None if before is None or before.process not in (move.entry.process, None) else before.stage


def _actor(deal: Deal, event: Event) -> Actor | None:
    """Who did it, when the mapping knows them: the roles of a stranger are not known to be none."""
    person = person_of(deal.settings, event.by)
    return Actor(id=person.id, roles=tuple(person.roles)) if person else None
