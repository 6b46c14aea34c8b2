"""What a CRM's moves of one deal amount to, as decisions: every one is judged, illegal ones too: they have happened."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from app.crm.connection import person_of
from app.crm.events import Event
from app.crm.state import NOTHING, Deal, lacking, owner_at, snapshot_before
from app.crm.timeline import Move, identity
from app.engine import (
    Actor,
    CompiledProcess,
    Decision,
    Snapshot,
    UnknownStage,
    decide,
    decide_unknown_stage,
)
from app.services.adherence import blocks_surely, facts_complete
from app.store.crm_moves import Verdict as Standing

_AND_WHO = "+"


class Rules(NamedTuple):
    """The process versions that judge a deal: the current one of each process, and those that have judged before.

    `first` is the one to name where no process is known.
    """

    current: Mapping[str, CompiledProcess]
    older: Mapping[tuple[str, int], CompiledProcess]
    first: CompiledProcess

    def of(self, process: str, version: int | None = None) -> CompiledProcess:
        """A process in the version that has judged a move before, else in its current one."""
        known = self.older.get((process, version)) if version is not None else None
        return known or self.current.get(process, self.first)


class Judgement(NamedTuple):
    """The decision on one event. `about` is what matters of it: while that is the same, it is no new decision.

    `owner` is whose deal it was.
    """

    event: Event
    identity: str
    about: str
    decision: Decision
    actor: Actor | None
    compiled: CompiledProcess
    standing: Standing
    move: Move | None = None
    owner: str | None = None

    def says(self, about: str) -> bool:
        """Whether that was about the same. Versions of before kept no word of author, channel and time."""
        return about in (self.about, self.about.partition(_AND_WHO)[0])

    @property
    def way(self) -> str:
        """Its process and both stages."""
        return json.dumps([self.decision.process, self.decision.from_stage, self.decision.to_stage])


def judge(
    deal: Deal, now: Snapshot | None, rules: Rules, *, complete: bool, together: timedelta = NOTHING
) -> list[Judgement]:
    """Judge every move that was not our own, with the facts of its time.

    `complete` says that the deal's facts are kept through our API: then nothing is lacking but what events lack, and
    nobody knows how they stood before. What was saved within `together` after a move is judged with it.
    """
    found: list[Judgement] = []
    created = deal.line.created
    if created is not None and (deal.process or len(set(rules.current.values())) == 1):
        compiled = rules.of(deal.process or "")
        decision = _not_judged(compiled, None, None, created.at, _lacks(deal, created.at, complete) | {"stage"})
        found.append(_judgement(deal, created, decision, compiled, None))
    for move in deal.line.moves:
        if move.own:
            continue
        verdict = deal.record.verdicts.get(move.identity)
        compiled = rules.of(process_of(move), verdict.version if verdict else None)
        lacks = _lacks(deal, move.event.at, complete)
        decision = _move(deal, move, now, compiled, lacks=lacks, together=together)
        owner = None if now is None else owner_at(deal, now, move, together)
        found.append(_judgement(deal, move.event, decision, compiled, move)._replace(owner=owner))
    return found


def our_own(deal: Deal, move: Move, compiled: CompiledProcess) -> Judgement:
    """What is told of a move that we made: it is judged by nobody."""
    decision = _not_judged(compiled, source_of(move), move.entry.stage, move.event.at, frozenset())
    return _judgement(deal, move.event, decision, compiled, move)


def process_of(move: Move) -> str:
    """The key of the process that judges a move; empty when not even that is known."""
    return move.place.process if move.place else ""


def author_of(deal: Deal, event: Event) -> str | None:
    """Who did it: our person, else the CRM's own id."""
    person = person_of(deal.settings, event.by)
    return person.id if person else event.by


def source_of(move: Move) -> str | None:
    """The stage before, unless it is one of another process."""
    before = move.before
    return None if before is None or before.process not in (move.entry.process, None) else before.stage


def _judgement(deal: Deal, event: Event, decision: Decision, compiled: CompiledProcess, move: Move | None) -> Judgement:
    """A decision as it is to be logged: another author, channel or time is another entry, with the same verdict too."""
    about = _about(decision) + _AND_WHO + _digest(event.at.isoformat(), author_of(deal, event), event.channel)
    standing = standing_of(decision, compiled)
    return Judgement(event, identity(event), about, decision, _actor(deal, event), compiled, standing, move)


def standing_of(decision: Decision, compiled: CompiledProcess) -> Standing:
    """What a verdict amounts to. Drift is what complete facts surely forbid; doubt makes none.

    Facts are complete where nothing lacks that the process asks about.
    """
    if decision.outcome != "blocked":
        return "not_judged" if decision.outcome == "not_judged" else "allowed"
    surely = any(blocks_surely(finding) for finding in decision.findings)
    return "drift" if surely and facts_complete(decision, compiled) else "blocked_incomplete"


def _about(decision: Decision) -> str:
    """From, to, outcome, findings and what lacked; not the figures in them, which change with every new fact."""
    findings = [(one.code, one.severity, one.requirement, one.at) for one in decision.findings]
    ends = (decision.process, decision.from_stage, decision.to_stage)
    return _digest(*ends, decision.outcome, findings, decision.missing)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _lacks(deal: Deal, at: datetime, complete: bool) -> frozenset[str]:
    return frozenset() if complete else lacking(deal, at)


def _move(
    deal: Deal,
    move: Move,
    now: Snapshot | None,
    compiled: CompiledProcess,
    *,
    lacks: frozenset[str],
    together: timedelta,
) -> Decision:
    to, at = move.entry.stage, move.event.at
    if now is None or not move.judgeable:
        return _not_judged(compiled, source_of(move), to, at, lacks | {"stage"})
    snapshot = snapshot_before(deal, now, compiled.zone, move, together)
    actor = _actor(deal, move.event)
    try:
        decision = decide(compiled, snapshot, to, as_of=at, actor=actor, missing=lacks)
        for group in _untold(deal, lacks):
            told = decide(compiled, snapshot, to, as_of=at, actor=actor, missing=lacks - {group})
            if _about(told._replace(missing=decision.missing)) == _about(decision):
                decision, lacks = told, lacks - {group}
    except UnknownStage as error:
        if error.place == "from":
            return decide_unknown_stage(compiled, snapshot, to, as_of=at, missing=lacks)
        return _not_judged(compiled, snapshot.stage, to, at, lacks | {"stage"})
    return decision


def _untold(deal: Deal, lacks: frozenset[str]) -> list[str]:
    """The groups that are lacking since nothing is mapped to them: no lack for a move that does not ask for them.

    Only where all else is told: of a deal of which just a stage is known, everything is lacking.
    """
    settings = deal.settings
    mapped = {
        "activities": settings.activities, "approvals": settings.approvals, "contacts": settings.contact_roles,
    }  # fmt: skip
    untold = {group for group in lacks if not mapped.get(group, True)}
    return sorted(untold) if lacks and untold == lacks else []


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


def _actor(deal: Deal, event: Event) -> Actor | None:
    """Who did it, when the mapping knows them: the roles of a stranger are not known to be none."""
    person = person_of(deal.settings, event.by)
    return Actor(id=person.id, roles=tuple(person.roles)) if person else None
