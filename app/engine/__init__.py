"""The engine's public door: a process file in, a decision out. Pure: no I/O, no clock, no logging, no settings."""

from app.engine.compiled import CompiledProcess, compile_process, digest_of
from app.engine.decide import decide, decide_unknown_stage
from app.engine.decision import Advice, Decision, Finding, Judged, Nested, Note, Plan, Suggestion
from app.engine.errors import FileProblem, ProcessFileError, UnknownStage
from app.engine.facts import instant
from app.engine.process import Process
from app.engine.snapshot import Activity, Actor, Approval, Contact, Instant, Snapshot, StageEntry
from app.engine.suggest import suggest

__all__ = [
    "Activity",
    "Actor",
    "Advice",
    "Approval",
    "CompiledProcess",
    "Contact",
    "Decision",
    "FileProblem",
    "Finding",
    "Instant",
    "Judged",
    "Nested",
    "Note",
    "Plan",
    "Process",
    "ProcessFileError",
    "Snapshot",
    "StageEntry",
    "Suggestion",
    "UnknownStage",
    "compile_process",
    "decide",
    "decide_unknown_stage",
    "digest_of",
    "instant",
    "suggest",
]
