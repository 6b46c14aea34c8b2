"""Which groups of a deal's facts a process asks about at all: what it never asks, no verdict of it can lack."""

from functools import lru_cache

from app.engine.check.walk import every_condition
from app.engine.compiled import CompiledProcess
from app.engine.conditions import ActivityCondition, ApprovalCondition, Condition, ContactCondition

_ASKED_BY_KIND = frozenset({"activities", "contacts", "approvals"})


@lru_cache(maxsize=256)
def never_asked(compiled: CompiledProcess) -> frozenset[str]:
    """The groups that no requirement and no house rule of a process looks at. Fields and stages always matter."""
    process = compiled.process
    asked: set[str] = set() if process.policies.first_touch is None else {"activities"}
    for _, condition in every_condition(process):
        asked |= _groups(condition)
    return _ASKED_BY_KIND - asked


def _groups(condition: Condition) -> set[str]:
    if isinstance(condition, ActivityCondition):
        return {"activities", "contacts"} if condition.with_role is not None else {"activities"}
    if isinstance(condition, ContactCondition):
        return {"contacts"}
    return {"approvals"} if isinstance(condition, ApprovalCondition) else set()
