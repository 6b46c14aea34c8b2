"""What the requirements of a process, their `when` included, and its policies make use of."""

from collections.abc import Iterator

from app.engine.check.quality.view import View
from app.engine.check.walk import every_condition
from app.engine.process import ActivityCondition, FieldCondition, FieldRef

_TOUCHES = ("call", "email")


def used_activities(view: View) -> set[str]:
    """The activities asked for, those in which a field that is asked for is found out, and first touches."""
    process = view.process
    every = {activity.key for activity in process.activities}
    used: set[str] = set()
    for _, condition in every_condition(process):
        if isinstance(condition, ActivityCondition):
            used.update(every if condition.activity == ["any"] else condition.activity)
    fields = used_fields(view)
    used.update(key for field in process.fields if field.key in fields for key in field.learned_in)
    if process.policies.first_touch is not None:
        used.update(activity.key for activity in process.activities if activity.kind in _TOUCHES)
    return used


def used_fields(view: View) -> set[str]:
    """The fields that are asked for, or that another is compared with."""
    return set(_fields(view))


def _fields(view: View) -> Iterator[str]:
    for _, condition in every_condition(view.process):
        if isinstance(condition, FieldCondition):
            yield condition.field
            if isinstance(condition.operand, FieldRef):
                yield condition.operand.field
        scored = getattr(condition, "data_quality", None)
        if scored is not None:
            yield from scored.fields or [field.key for field in view.process.fields]
