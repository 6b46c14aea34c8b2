"""The checker: whether a process is whole (names, fitting), sound (ways, contradictions) and good. All at once."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice

from app.engine.check.conflicts import conflict_problems
from app.engine.check.declared import Declared, declared_by
from app.engine.check.dropped import dropped_problems
from app.engine.check.fitting import fitting_problems, timezones
from app.engine.check.limits import limit_problems
from app.engine.check.names import NameCheck
from app.engine.check.quality import quality_problems
from app.engine.check.reach import reach_problems
from app.engine.check.twice import twice_problems
from app.engine.errors import FileProblem
from app.engine.nodes import Marks
from app.engine.process import Process

MOST_PROBLEMS = 200
_LONGEST_NAME = 64
_GRAPH_CODES = frozenset({"unknown_name", "duplicate_name", "reserved_name", "stands_alone", "start_closed"})


def check_process(process: Process, marks: Marks | None = None) -> tuple[FileProblem, ...]:
    """Everything wrong or doubtful. Places are known when the marks of the file are given."""
    where = marks or Marks()
    declared = declared_by(process)
    whole = whole_problems(process, declared, where)
    sound = sound_problems(process, declared, where, whole)
    return in_order([*whole, *sound, *good_problems(process, where, whole)])


def whole_problems(process: Process, declared: Declared, marks: Marks) -> list[FileProblem]:
    """What must be right before a process can be compiled: names, duplicates, types, limits."""
    families: tuple[Iterable[FileProblem], ...] = (
        limit_problems(process, marks),
        twice_problems(process, marks),
        NameCheck(process, declared, marks).problems(),
        fitting_problems(process, declared, marks),
    )
    return [problem for family in families for problem in _first(family)]


def sound_problems(
    process: Process, declared: Declared, marks: Marks, whole: list[FileProblem], *, partial: bool = False
) -> list[FileProblem]:
    """Whether the process makes sense. The graph is looked at only when all of it could be read and named."""
    if any(problem.code == "too_many" for problem in whole):
        return []
    fields = {
        field.key: field
        for field in process.fields
        if declared.field_facts[field.key].choices == dict.fromkeys(choice.key for choice in field.choices)
    }
    found = [*_first(conflict_problems(process, fields, marks))]
    if not partial:
        found += _first(dropped_problems(process, marks))
        if not any(_about_stages(problem) for problem in whole):
            found += _first(reach_problems(process, marks))
    return found


def good_problems(process: Process, marks: Marks, whole: list[FileProblem]) -> list[FileProblem]:
    """Whether the process is good for its maturity; told only of one that is whole, as the rest would be guessing."""
    if any(problem.severity == "error" for problem in whole):
        return []
    return list(quality_problems(process, marks))


def _about_stages(problem: FileProblem) -> bool:
    return problem.code in _GRAPH_CODES and problem.params.get("what", "stage") == "stage"


def _first(family: Iterable[FileProblem]) -> Iterator[FileProblem]:
    """No file is better understood for its thousandth problem."""
    return islice(family, MOST_PROBLEMS + 1)


def in_order(problems: Iterable[FileProblem]) -> tuple[FileProblem, ...]:
    """Sorted by place, cut to a readable number, with a likely spelling for every unknown name."""
    ordered = sorted(problems, key=lambda one: (one.line, one.column))
    shown = [_with_spelling(problem) for problem in ordered[:MOST_PROBLEMS]]
    if len(ordered) > MOST_PROBLEMS:
        last = shown[-1]
        more = {"more": len(ordered) - MOST_PROBLEMS}
        shown.append(FileProblem("more_problems", "info", more, last.path, last.line, last.column))
    return tuple(shown)


def _with_spelling(problem: FileProblem) -> FileProblem:
    if "near" not in problem.params or "name" not in problem.params:
        return problem
    known = timezones() if problem.code == "unknown_timezone" else problem.params["known"]
    name = problem.params["name"]
    near = get_close_matches(name, known, n=1) if isinstance(name, str) and len(name) <= _LONGEST_NAME else []
    return problem._replace(params={**problem.params, "near": near[0] if near else None})
