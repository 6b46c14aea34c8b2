"""The engine's public door: a process file in, a decision out. Pure: no I/O, no clock, no logging, no settings."""

from app.engine.check import check_process
from app.engine.compiled import CompiledProcess, compile_process, digest_of
from app.engine.decide import decide, decide_unknown_stage
from app.engine.decision import Advice, Decision, Finding, Judged, Nested, Note, Plan, Suggestion
from app.engine.diagram import diagram
from app.engine.errors import FileProblem, ProcessFileError, UnknownStage
from app.engine.facts import instant
from app.engine.grades import DataQuality, FieldQuality
from app.engine.groups import never_asked
from app.engine.load import LoadedProcess, load_process, read_process
from app.engine.process import Process
from app.engine.quality import data_quality
from app.engine.schema import process_schema
from app.engine.snapshot import Activity, Actor, Approval, Contact, Instant, Snapshot, StageEntry
from app.engine.suggest import suggest

__all__ = [
    "Activity",
    "Actor",
    "Advice",
    "Approval",
    "CompiledProcess",
    "Contact",
    "DataQuality",
    "Decision",
    "FieldQuality",
    "FileProblem",
    "Finding",
    "Instant",
    "Judged",
    "LoadedProcess",
    "Nested",
    "Note",
    "Plan",
    "Process",
    "ProcessFileError",
    "Snapshot",
    "StageEntry",
    "Suggestion",
    "UnknownStage",
    "check_process",
    "compile_process",
    "data_quality",
    "decide",
    "decide_unknown_stage",
    "diagram",
    "digest_of",
    "instant",
    "load_process",
    "never_asked",
    "process_schema",
    "read_process",
    "suggest",
]
