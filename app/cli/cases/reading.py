"""A case file -> cases, or every problem in it with its place."""

import json
import pathlib
import re
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from app.cli.cases.shape import CaseShape, FileShape
from app.cli.files import (
    STDIN,
    Document,
    at_place,
    checked_process,
    errors_of,
    located,
    parsed,
    read_bytes,
    read_document,
)
from app.cli.refusals import BadFile, Located, Refusal
from app.cli.terminal import Terminal
from app.engine import Actor, CompiledProcess, FileProblem, Snapshot, compile_process
from app.engine.load import read_process
from app.engine.nodes import Path
from app.i18n import Locale

PATTERN = "*.cases.yaml"

_STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


class Case(NamedTuple):
    """One case, ready to be run, and the line it stands on."""

    shape: CaseShape
    line: int
    snapshot: Snapshot
    as_of: datetime
    actor: Actor | None


class CaseFile(NamedTuple):
    """The cases of one file and the process they are about."""

    file: str
    compiled: CompiledProcess
    lang: Locale
    cases: tuple[Case, ...]


def find_case_files(names: list[str]) -> list[str]:
    """The files named, and those in the folders named, at any depth."""
    found: dict[str, None] = {}
    for name in names:
        if name != STDIN and pathlib.Path(name).is_dir():
            inside = sorted(str(path) for path in pathlib.Path(name).rglob(PATTERN))
            if not inside:
                raise Refusal("cli.no_case_files", folder=name, pattern=PATTERN)
            found |= dict.fromkeys(inside)
        else:
            found[name] = None
    return list(found)


def read_case_file(file: str, terminal: Terminal) -> CaseFile:
    """Read and check a whole case file, so that a misspelt expectation never passes for a kept one."""
    document = read_document(file, terminal)
    shape, problems = parsed(FileShape, document.root.plain(), document, terminal)
    if shape is None:
        raise BadFile(*problems)
    compiled = _process(shape, file, document, terminal)
    reader = _Reader(shape, compiled, document, terminal)
    cases = [reader.case(index) for index in range(len(shape.cases))]
    if reader.problems:
        raise BadFile(*reader.problems)
    if not cases:
        raise BadFile(at_place(document, ("cases",), terminal, "cli.no_cases", file=document.file))
    return CaseFile(document.file, compiled, shape.lang, tuple(case for case in cases if case is not None))


def _process(shape: FileShape, file: str, document: Document, terminal: Terminal) -> CompiledProcess:
    if isinstance(shape.process, dict):
        return _inline(document, terminal)
    beside = pathlib.Path() if file == STDIN else pathlib.Path(file).parent
    path = str(beside / shape.process)
    if not pathlib.Path(path).is_file():
        raise BadFile(at_place(document, ("process",), terminal, "cli.no_file", file=path))
    process, problems = checked_process(read_bytes(path), path, terminal)
    if process is None:
        raise BadFile(*errors_of(problems))
    return compile_process(process)


def _inline(document: Document, terminal: Terminal) -> CompiledProcess:
    """A process that stands in the case file itself; what is wrong with it is placed there."""
    loaded = read_process(json.dumps(document.root.content["process"].plain()).encode())
    if loaded.process is None or loaded.errors:
        raise BadFile(*(_moved(problem, document, terminal) for problem in loaded.errors))
    return compile_process(loaded.process)


def _moved(problem: FileProblem, document: Document, terminal: Terminal) -> Located:
    steps = (int(index) if index else name for index, name in _STEP.findall(problem.path))
    place = document.marks.place(("process", *steps))
    return located(problem._replace(line=place.line, column=place.column, path=place.path), document.file, terminal)


class _Reader:
    """Turns the cases of a file into questions, gathering what is wrong with any of them."""

    def __init__(self, shape: FileShape, compiled: CompiledProcess, document: Document, terminal: Terminal) -> None:
        self.shape = shape
        self.compiled = compiled
        self.document = document
        self.terminal = terminal
        self.problems: list[Located] = []
        self._names: dict[str, int] = {}

    def case(self, index: int) -> Case | None:
        """One case; None when something is wrong with it."""
        case = self.shape.cases[index]
        at: Path = ("cases", index)
        before = len(self.problems)
        line = self.document.marks.place(at).line
        if self._names.setdefault(case.name, line) != line:
            self._problem((*at, "name"), "cli.case.twice", case=case.name, line=self._names[case.name])
        as_of = case.as_of or self.shape.as_of
        if as_of is None:
            self._problem(at, "cli.case.without_time")
        for key in ("to", "goal"):
            self._stage((*at, key), getattr(case, key))
        snapshot = self._deal(case, at)
        if len(self.problems) > before or snapshot is None or as_of is None:
            return None
        return Case(case, line, snapshot, as_of, case.actor or self.shape.actor)

    def _problem(self, at: Path, code: str, **params: Any) -> None:
        self.problems.append(at_place(self.document, at, self.terminal, code, **params))

    def _stage(self, at: Path, stage: str | None) -> None:
        known = self.compiled.stages
        if stage is not None and stage not in known:
            self._problem(at, "cli.unknown_stage", stage=stage, known=", ".join(f"`{key}`" for key in known))

    def _deal(self, case: CaseShape, at: Path) -> Snapshot | None:
        """The deal of a case: its own facts over those of the deal it is like, over the file's."""
        own: Any = {"like": case.deal} if isinstance(case.deal, str) else case.deal
        like = own.get("like")
        layers = [((*at, "deal"), {key: value for key, value in own.items() if key != "like"})]
        if like is not None:
            if like not in self.shape.deals:
                known = ", ".join(f"`{name}`" for name in self.shape.deals)
                self._problem((*at, "deal", "like"), "cli.case.unknown_deal", deal=like, known=known)
                return None
            layers.append((("deals", like), self.shape.deals[like]))
        layers.append((("deal",), self.shape.deal))
        merged: dict[str, Any] = {}
        for _, facts in reversed(layers):
            merged = laid_over(merged, facts)
        where = partial(self._where, [place for place, _ in layers])
        snapshot, problems = parsed(Snapshot, merged, self.document, self.terminal, where)
        self.problems += (problem for problem in problems if problem not in self.problems)
        if snapshot is not None:
            self._stage(where(("stage",)), snapshot.stage)
        return snapshot

    def _where(self, layers: list[Path], fact: Path) -> Path:
        """Where a fact of a deal was written: in the topmost layer that has it."""
        for layer in layers:
            node = self.document.marks.nearest((*layer, *fact))
            if node is not None and node.path == (*layer, *fact):
                return node.path
        return (*layers[0], *fact)


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; lists and values replace what is below; null takes it away."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = laid_over(merged[key], value)
        else:
            merged[key] = value
    return merged
