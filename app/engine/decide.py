"""The decision: may this deal move there, and if not, every reason. Pure: no clock, no log, no prose."""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, cast

from app.engine.compiled import CompiledProcess, CompiledRequirement, Gate, Undrawn
from app.engine.decision import Decision, Finding, Judged, Note, Place, Remedy
from app.engine.errors import UnknownStage
from app.engine.facts import Facts
from app.engine.reopening import new_deal
from app.engine.result import Judge, Result
from app.engine.snapshot import Actor, Snapshot

_NOTHING_MISSING: frozenset[str] = frozenset()


class Asked(NamedTuple):
    """What asking all of a gate's requirements gave."""

    findings: list[Finding]
    satisfied: list[Judged]
    not_applicable: list[Judged]
    kept: tuple[str, ...] = ()
    """The house rules that were asked and are kept."""


def decide(
    compiled: CompiledProcess,
    snapshot: Snapshot,
    to: str,
    *,
    as_of: datetime,
    actor: Actor | None = None,
    missing: frozenset[str] = _NOTHING_MISSING,
) -> Decision:
    """Judge one move of a deal to the stage `to`, as of an aware instant.

    `missing` names the facts that nobody brought (`fields`, `activities`, `contacts`, `approvals`, `stage_history`):
    what depends on them is unknown, never unmet. Raises UnknownStage for a stage that the process lacks.
    """
    source = snapshot.stage
    for stage, place in ((source, "from"), (to, "to")):
        if stage not in compiled.stages:
            raise UnknownStage(stage, tuple(compiled.stages), "from" if place == "from" else "to")
    gate = compiled.gate(source, to)
    facts = Facts(snapshot, to, as_of, zone=compiled.zone, actor=actor, missing=missing)
    asked = ask(gate, facts) if gate.undrawn is None else _ask_undrawn(compiled, gate, gate.undrawn, facts)
    blocked = any(finding.severity == "block" for finding in asked.findings)
    if compiled.graph.draws(source, to):
        blocked = not compiled.graph.passes(source, to, blocked=blocked)
    return Decision(
        "blocked" if blocked else "allowed",
        compiled.key,
        compiled.version,
        compiled.digest,
        source,
        to,
        as_of,
        tuple(asked.findings),
        tuple(asked.satisfied),
        tuple(asked.not_applicable),
        tuple(sorted(missing)),
        notes_on(compiled, snapshot),
        asked.kept,
    )


def decide_unknown_stage(
    compiled: CompiledProcess,
    snapshot: Snapshot,
    to: str,
    *,
    as_of: datetime,
    missing: frozenset[str] = _NOTHING_MISSING,
) -> Decision:
    """The decision on a stored deal that stands in a stage its process version lacks: blocked, visibly."""
    expected = {"stage": list(compiled.stages)}
    finding = Finding("unknown_stage", "block", None, "transition", None, expected, {"stage": snapshot.stage}, (), {})
    return Decision(
        "blocked", compiled.key, compiled.version, compiled.digest, snapshot.stage, to, as_of, (finding,),
        missing=tuple(sorted(missing)), notes=notes_on(compiled, snapshot),
    )  # fmt: skip


def ask(gate: Gate, facts: Facts) -> Asked:
    """Ask the house rules and every requirement of a gate, in order, and keep every answer."""
    judged = [(rule.name, rule.judge(facts)) for rule in gate.rules]
    findings = [found for _, found in judged if isinstance(found, Finding)]
    kept = tuple(name for name, found in judged if found is True)
    satisfied: list[Judged] = []
    not_applicable: list[Judged] = []
    for place, requirement in gate.requirements:
        applies = True if requirement.when is None else holds_when(requirement.when, facts)
        if applies is False:
            not_applicable.append(_judged(requirement.id, place))
            continue
        result = requirement.judge(facts)
        if result.holds:
            satisfied.append(_judged(requirement.id, place))
        else:
            findings.append(_finding(requirement, place, facts, result, sure=applies is True))
    return Asked(findings, satisfied, not_applicable, kept)


@lru_cache(maxsize=4096)
def _judged(requirement: str, place: Place) -> Judged:
    """The same few values for every deal."""
    return Judged(requirement, place)


def holds_when(when: Judge, facts: Facts) -> bool | None:
    """Whether a `when` holds. In a plan, what holds as things stand goes on holding whatever the plan finds out."""
    holds = when(facts).holds
    if holds or facts.fields is facts.stated:
        return holds
    as_stated = when(facts.copy(fields=facts.stated)).holds
    return as_stated if holds is False else as_stated or None


def _finding(requirement: CompiledRequirement, place: Place, facts: Facts, result: Result, *, sure: bool) -> Finding:
    """One reason. When it is not known whether the requirement applies at all, that is the reason."""
    actual = result.actual if sure else {**result.actual, "because": "when_unknown"}
    severity, relaxed_for = requirement.severity(facts)
    return Finding(
        cast("str", result.code) if sure else "cannot_evaluate",
        severity,
        requirement.id,
        place,
        requirement.say,
        requirement.expected,
        actual,
        result.remediation,
        result.params,
        result.nested,
        relaxed_for,
    )


def _ask_undrawn(compiled: CompiledProcess, gate: Gate, undrawn: Undrawn, facts: Facts) -> Asked:
    """The finding of a move that nothing draws; where its policy does not block, `exit` and `enter` are still asked."""
    if compiled.leaves_lost(facts.stage, facts.to):
        ruled = _too_late(compiled, facts)
        if ruled is not None:
            return Asked([ruled], [], [])
    finding = undrawn_finding(compiled, undrawn, facts)
    if finding.severity == "block":
        return Asked([finding], [], [])
    asked = ask(gate, facts)
    return asked._replace(findings=[finding, *asked.findings])


def _too_late(compiled: CompiledProcess, facts: Facts) -> Finding | None:
    """What `reopen_lost` holds against taking this lost deal up again, wherever to."""
    found = None if compiled.reopening is None else compiled.reopening.in_time(facts)
    return found if isinstance(found, Finding) else None


def undrawn_finding(compiled: CompiledProcess, undrawn: Undrawn, facts: Facts) -> Finding:
    """Nothing draws this move; these are possible instead."""
    possible = _possible(compiled, facts)
    return Finding(
        undrawn.code,
        undrawn.severity_at(facts.as_of),
        None,
        "transition",
        None,
        {"to": possible},
        {"to": facts.to},
        _ways_instead(compiled, possible, facts),
        {},
    )


def _possible(compiled: CompiledProcess, facts: Facts) -> list[str]:
    """Where drawn moves lead from here; out of a lost stage, as far as `reopen_lost` lets them."""
    drawn = compiled.graph.destinations(facts.stage)
    if compiled.stages[facts.stage].kind != "lost" or compiled.process.policies.reopen_lost is None:
        return drawn
    back: set[str] = set()
    if compiled.reopening is not None and _too_late(compiled, facts) is None:
        by_file = {to for source, to in compiled.process.edges if source == facts.stage}
        back = {*by_file, *compiled.reopening.reached(facts)}
    return [to for to in drawn if to in back or not compiled.leaves_lost(facts.stage, to)]


def _ways_instead(compiled: CompiledProcess, possible: list[str], facts: Facts) -> tuple[Remedy, ...]:
    """The moves to take instead; a lost deal may also be made anew."""
    take: Remedy = {"kind": "take_drawn_move", "to": possible}
    if compiled.stages[facts.stage].kind != "lost":
        return (take,) if possible else ()
    back = [to for to in possible if compiled.leaves_lost(facts.stage, to)]
    if compiled.reopening is not None and back:
        return compiled.reopening.ways(facts, back)
    return ({"one_of": [take, new_deal(facts)]},) if possible else (new_deal(facts),)


def notes_on(compiled: CompiledProcess, snapshot: Snapshot) -> tuple[Note, ...]:
    """What the snapshot holds that the process does not declare: kept, ignored, told."""
    fields, activities = compiled.declared_fields, compiled.activities.keys()
    kinds = dict.fromkeys([one.activity for one in snapshot.activities])
    if fields.issuperset(snapshot.fields) and kinds.keys() <= activities:
        return ()
    notes = [Note("undeclared_field", key) for key in snapshot.fields if key not in fields]
    return (*notes, *(Note("unknown_activity", key) for key in kinds if key not in activities))
