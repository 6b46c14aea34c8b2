"""Requirements that leave whom they block with nothing to do, and alternatives that are met by typing a value."""

from collections.abc import Iterator

from app.engine.check.conflicts import enforced
from app.engine.check.quality.view import Found, View, leaves
from app.engine.check.walk import asked, nested_list, within
from app.engine.conditions import (
    ActivityCondition,
    AllCondition,
    AnyCondition,
    ApprovalCondition,
    Condition,
    DealAgeCondition,
    FieldCondition,
    NotCondition,
    StageAgeCondition,
)
from app.engine.nodes import Path


def requirements_without_way_out(view: View) -> Iterator[Found]:
    """Each that blocks for good. A waiver is a way out, and so is what a `when` asks about."""
    for path, requirement in asked(view.process):
        lasting = enforced(requirement.mode) and not requirement.waivable_by and requirement.when is None
        because = _for_good(requirement, wanted=True) if lasting else None
        if because is not None and not _only_reopens(view, path):
            params = {"requirement": requirement.id, "because": because}
            yield Found(view.marks.place(path), params, (requirement.id,))


def _only_reopens(view: View, path: Path) -> bool:
    """Whether it stands on moves out of lost: then a new deal is the way out."""
    if path[0] != "transitions":
        return False
    sources = view.process.transitions[int(path[1])].sources
    return sources != ["open"] and all(view.kind(source) == "lost" for source in sources)


def _for_good(condition: Condition, *, wanted: bool) -> str | None:
    """Why nothing can be done once it is not met; None when something can."""
    if isinstance(condition, NotCondition):
        return _for_good(condition.negated, wanted=not wanted)
    if isinstance(condition, AnyCondition | AllCondition):
        reasons = [_for_good(one, wanted=wanted) for one in nested_list(condition)[1]]
        stuck = [reason for reason in reasons if reason is not None]
        needs_all = isinstance(condition, AllCondition) == wanted
        return next(iter(stuck), None) if needs_all or len(stuck) == len(reasons) else None
    if isinstance(condition, StageAgeCondition | DealAgeCondition):
        age = condition.stage_age if isinstance(condition, StageAgeCondition) else condition.deal_age
        return "too_old" if (age.at_most if wanted else age.at_least) is not None else None
    return None if wanted or not _stays_done(condition) else "stays_done"


def _stays_done(condition: Condition) -> bool:
    """Whether what happened can neither be taken back nor be waited out."""
    if isinstance(condition, ActivityCondition):
        return condition.within is None and condition.since != "stage_entry" and condition.status == "done"
    return isinstance(condition, ApprovalCondition) and condition.within is None


def convenient_alternatives(view: View) -> Iterator[Found]:
    """Each `any` in which a value to type stands beside work to do; told at the value."""
    for path, requirement in asked(view.process):
        for inner, condition in within(path, requirement):
            if isinstance(condition, AnyCondition) and "not" not in inner:
                typed = _typed_beside_work(condition)
                if typed is not None:
                    branch = leaves(condition.alternatives[typed])
                    field = next(one.field for one in branch if isinstance(one, FieldCondition))
                    params = {"requirement": requirement.id, "field": field}
                    yield Found(view.marks.place((*inner, "any", typed)), params, (requirement.id, field))


def _typed_beside_work(condition: AnyCondition) -> int | None:
    branches = [list(leaves(one)) for one in condition.alternatives]
    work = any(isinstance(one, ActivityCondition | ApprovalCondition) for branch in branches for one in branch)
    typed = (index for index, branch in enumerate(branches) if all(map(_typed, branch)))
    return next(typed, None) if work else None


def _typed(condition: Condition) -> bool:
    return isinstance(condition, FieldCondition)
