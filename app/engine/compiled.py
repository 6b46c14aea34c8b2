"""A process version compiled once: its requirements as functions, its moves as gates, its graph as a machine."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.engine.conditions import DataQualityCondition, FieldCondition
from app.engine.decision import Finding, Place
from app.engine.facts import Facts
from app.engine.graph import Graph
from app.engine.house_rules import FIRST_TOUCH, Rule, first_touch
from app.engine.kinds_quality import asked_fields
from app.engine.process import Process, ReopenWithin, Stage
from app.engine.reopening import REOPEN_LOST, Further, Reopening, never
from app.engine.requirements import Scope, compile_condition, counts_early, expected_of, leaves_of
from app.engine.result import Judge
from app.engine.tops import DatedMode, Mode, Severity, Top
from app.engine.values import calendar_day

SEVERITY: dict[str, Severity] = {"observe": "info", "warn": "warn", "enforce": "block"}

SeverityAt = Callable[[datetime], Severity]


class CompiledRequirement(NamedTuple):
    """One top requirement, ready to be asked."""

    id: str
    say: dict[str, str] | None
    severity_at: SeverityAt
    when: Judge | None
    judge: Judge
    expected: dict[str, Any]
    fields: tuple[FieldCondition, ...]
    """Every `field` requirement within it and its `when`."""
    graded: frozenset[str]
    """The fields whose quality it asks about."""
    early: bool
    """Whether meeting it counts before its stage is reached."""
    relaxed_for: tuple[str, ...] = ()

    def severity(self, facts: Facts) -> tuple[Severity, str | None]:
        """The severity now and for this mover; with the role that they are only advised for, where it would block."""
        severity = self.severity_at(facts.as_of)
        roles = () if facts.actor is None or severity != "block" else facts.actor.roles
        role = next((role for role in self.relaxed_for if role in roles), None)
        return (severity, None) if role is None else ("warn", role)


class Undrawn(NamedTuple):
    """What it means that nothing draws a move: the code of its finding, and the mode of its policy."""

    code: str
    severity_at: SeverityAt


class Gate(NamedTuple):
    """All that is asked of one move: requirements with their places, and the finding when nothing draws it."""

    requirements: tuple[tuple[Place, CompiledRequirement], ...]
    undrawn: Undrawn | None = None
    rules: tuple[Rule, ...] = ()
    """House rules on this move: they come before the requirements."""


def digest_of(process: Process) -> str:
    """`sha256:…` of what a process says: comments, layout and explicit defaults do not change it."""
    content = process.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def severity_at(mode: Mode, zone: ZoneInfo) -> SeverityAt:
    """The severity of a mode at a time; dated ones begin at 00:00 of their dates, process time."""
    if not isinstance(mode, DatedMode):
        fixed = SEVERITY[mode]
        return lambda _as_of: fixed
    days = {name: calendar_day(text) for name, text in mode.model_dump(exclude_none=True).items()}
    steps = sorted(
        (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC), SEVERITY[name])
        for name, day in days.items()
        if day is not None
    )

    def at(as_of: datetime) -> Severity:
        current: Severity = "info"
        for begins, severity in steps:
            if begins <= as_of:
                current = severity
        return current

    return at


class CompiledProcess:
    """A process version, ready for decisions. Immutable once built; share it freely."""

    def __init__(self, process: Process, version: int | None) -> None:
        self.process = process
        self.key = process.process
        self.version = version
        self.digest = digest_of(process)
        self.zone = ZoneInfo(process.timezone)
        self.stages: dict[str, Stage] = {stage.key: stage for stage in process.stages}
        self.order = {stage.key: index for index, stage in enumerate(process.stages)}
        self.declared_fields = frozenset(field.key for field in process.fields)
        self.activities = {activity.key: activity for activity in process.activities}
        self.scope = Scope(process)
        within = process.policies.reopen_lost
        self.reopening = Reopening(process, within, self._further) if isinstance(within, ReopenWithin) else None
        self.first_touch = first_touch(process)
        self._enter = {key: self._place("enter", stage.enter) for key, stage in self.stages.items()}
        self._exit = {key: self._place("exit", stage.exit) for key, stage in self.stages.items()}
        self._policies = {
            name: severity_at(getattr(process.policies, name), self.zone) for name in ("undrawn", "skip", "back")
        }
        moves = {**process.edges, **self._reopened()}
        self.graph = Graph(process, moves)
        compiled = {id(asked): self._place("transition", asked) for asked in moves.values()}
        self.edge_order = {pair: index for index, pair in enumerate(moves)}
        self.gates = {
            (source, to): Gate(self._around(source, to, compiled[id(asked)]), None, self._rules(source, to))
            for (source, to), asked in moves.items()
        }

    def gate(self, source: str, to: str) -> Gate:
        """What is asked of a move between two known stages, drawn or not."""
        drawn = self.gates.get((source, to))
        if drawn is not None:
            return drawn
        rules = self._rules(source, to)
        if self.leaves_lost(source, to) and self._drawn_by_policy(to):
            return Gate(self._around(source, to, ()), None, rules)
        return Gate(self._around(source, to, ()), self.undrawn(source, to), rules)

    def leaves_lost(self, source: str, to: str) -> bool:
        """Whether a move takes a lost deal up again."""
        return self.stages[source].kind == "lost" and self.stages[to].kind != "lost"

    def _drawn_by_policy(self, to: str) -> bool:
        """Whether `reopen_lost` answers for a move out of lost that nothing draws: to say no, or within its time."""
        rule = self.process.policies.reopen_lost
        return rule == "new_deal" or (rule is not None and self.stages[to].kind == "open")

    def _reopened(self) -> dict[tuple[str, str], list[Top]]:
        """The ways back that `reopen_lost` draws from a lost stage out of which the file draws none."""
        if not isinstance(self.process.policies.reopen_lost, ReopenWithin):
            return {}
        ways = {source for source, to in self.process.edges if self.leaves_lost(source, to)}
        lost = [key for key, stage in self.stages.items() if stage.kind == "lost" and key not in ways]
        return {(source, to): [] for source in lost for to in self.process.open_stages}

    def _rules(self, source: str, to: str) -> tuple[Rule, ...]:
        """The house rules that a move is judged by."""
        rules: list[Rule] = []
        if self.process.policies.reopen_lost is not None and self.leaves_lost(source, to):
            rules.append(Rule(REOPEN_LOST, self._taken_up(source, to)))
        if self.first_touch is not None and source != to and source in self.process.starts:
            rules.append(Rule(FIRST_TOUCH, self.first_touch.judge))
        return tuple(rules)

    def _taken_up(self, source: str, to: str) -> Callable[[Facts], Finding | bool]:
        """What `reopen_lost` asks of a move out of lost; where the file draws it, only the time counts."""
        if self.reopening is None:
            return never
        ruled_further = self.stages[to].kind == "open" and (source, to) not in self.process.edges
        return self.reopening.judge if ruled_further else self.reopening.in_time

    def _further(self, lost_from: str, to: str, as_of: datetime) -> Further:
        """To take a deal up further on than it had come is to go there past the process."""
        undrawn = self.undrawn(lost_from, to)
        return Further(undrawn.code, undrawn.severity_at(as_of))

    def forward(self, source: str, to: str) -> bool:
        """Whether a move leads to a later stage or to won; never one to lost."""
        kind = self.stages[to].kind
        return kind == "won" or (kind == "open" and self.order[to] > self.order[source])

    def _place(self, at: Place, asked: list[Top]) -> tuple[tuple[Place, CompiledRequirement], ...]:
        return tuple((at, self._compile(one)) for one in asked)

    def _compile(self, asked: Top) -> CompiledRequirement:
        everything = [asked] if asked.when is None else [asked, asked.when]
        leaves = [leaf for one in everything for leaf in leaves_of(one)]
        return CompiledRequirement(
            id=asked.id,
            say=asked.say,
            severity_at=severity_at(asked.mode, self.zone),
            when=None if asked.when is None else compile_condition(asked.when, self.scope),
            judge=compile_condition(asked, self.scope),
            expected=expected_of(asked, top=True),
            fields=tuple(leaf for leaf in leaves if isinstance(leaf, FieldCondition)),
            graded=frozenset(
                key
                for leaf in leaves
                if isinstance(leaf, DataQualityCondition)
                for key in asked_fields(leaf, self.scope.fields)
            ),
            early=counts_early(asked),
            relaxed_for=tuple(asked.relaxed_for),
        )

    def _around(
        self, source: str, to: str, edge: tuple[tuple[Place, CompiledRequirement], ...]
    ) -> tuple[tuple[Place, CompiledRequirement], ...]:
        leaving = self._exit[source] if self.forward(source, to) and source != to else ()
        return (*leaving, *edge, *self._enter[to])

    def undrawn(self, source: str, to: str) -> Undrawn:
        """What it means that nothing draws a move between two known stages."""
        code, policy = self._undrawn_as(source, to)
        return Undrawn(code, self._policies[policy])

    def _undrawn_as(self, source: str, to: str) -> tuple[str, str]:
        if source == to or self.stages[source].kind != "open" or self.stages[to].kind == "lost":
            return "no_transition", "undrawn"
        if not self.forward(source, to):
            return "moves_back", "back"
        return ("skips_stage", "skip") if self._skipped(source, to) else ("no_transition", "undrawn")

    def _skipped(self, source: str, to: str) -> bool:
        """Whether a stage of the path lies between the two; won lies after every open stage."""
        before = self.order[source]
        after = len(self.order) if self.stages[to].kind == "won" else self.order[to]
        return any(
            before < self.order[key] < after and key != to and self.stages[key].kind == "open"
            for key in self.process.path
        )


def compile_process(process: Process, version: int | None = None) -> CompiledProcess:
    """Compile a checked process; `version` is its published number, None for a file that was never published."""
    return CompiledProcess(process, version)
