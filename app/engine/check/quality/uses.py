"""What the requirements of a process, their `when` included, and its policies make use of."""

from collections.abc import Iterator
from typing import Any

from app.engine.check.quality.view import View
from app.engine.check.walk import asked, every_condition
from app.engine.conditions import ActivityCondition, DataQualityCondition

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
    """The fields that are asked for, or that another is compared with; all, where the quality of all is asked."""
    for _, condition in every_condition(view.process):
        if isinstance(condition, DataQualityCondition) and condition.data_quality.fields is None:
            return {field.key for field in view.process.fields}
    return {
        key
        for _, requirement in asked(view.process)
        for key in fields_named(requirement.model_dump(by_alias=True, exclude_unset=True))
    }


def fields_named(part: Any) -> Iterator[str]:
    """The fields that a requirement names, as `field: KEY` or in a list of `fields`, however deep."""
    if isinstance(part, dict):
        for word, value in part.items():
            if word in ("field", "fields"):
                yield from [value] if isinstance(value, str) else value
            yield from fields_named(value)
    elif isinstance(part, list):
        for one in part:
            yield from fields_named(one)
