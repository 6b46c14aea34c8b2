"""What the process model refuses -> problems with stable codes, at their places, in the words of the file."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from app.engine import conditions, tops
from app.engine import process as model
from app.engine.errors import FileProblem
from app.engine.nodes import TAG, Marks, Path, error, shown, type_word
from app.engine.silence import Silence
from app.engine.values import NamedKey

_TOP_ONLY = tuple(key for key in tops.Requirement.model_fields if key != "id")
_MOST_KEYS = 20
_ASKED = ("enter", "exit", "requires")

_CONDITIONS: dict[str, type[BaseModel]] = {
    "activity": conditions.ActivityCondition,
    "field": conditions.FieldCondition,
    "contact": conditions.ContactCondition,
    "stage_age": conditions.StageAgeCondition,
    "deal_age": conditions.DealAgeCondition,
    "approval": conditions.ApprovalCondition,
    "mover": conditions.MoverCondition,
    "data_quality": conditions.DataQualityCondition,
    "any": conditions.AnyCondition,
    "all": conditions.AllCondition,
    "not": conditions.NotCondition,
}
_PARTS: dict[str, type[BaseModel]] = {
    "activities": model.ActivityType,
    "fields": model.ProcessField,
    "stages": model.Stage,
    "transitions": model.Transition,
    "policies": model.Policies,
    "silence": Silence,
    "roles": NamedKey,
    "contacts": NamedKey,
    "outcomes": NamedKey,
    "choices": NamedKey,
    "stage_age": conditions.Between,
    "deal_age": conditions.Between,
    "data_quality": conditions.QualityBar,
    f"{TAG}dated": tops.DatedMode,
    f"{TAG}within": model.ReopenWithin,
}
"""Which part of the model the keys of a mapping belong to, by the last name on the way to it."""

_WORDS = {
    "string_type": "text",
    "bool_type": "boolean",
    "int_type": "integer",
    "float_type": "number",
    "list_type": "list",
    "dict_type": "text",  # the only free mappings are texts by locale, and most people write a plain one
    "model_type": "mapping",
}
_PATTERNS = {"mhdw": "bad_duration", "[0-9]{4}": "no_such_day", "a-z0-9": "bad_key", "[a-z]{2}": "bad_locale"}

Params = dict[str, Any]


def shape_problems(errors: list[ErrorDetails], marks: Marks) -> list[FileProblem]:
    """Every refusal once: what a union says once for each of its members is said in one sentence."""
    found: dict[tuple[str, str], FileProblem] = {}
    for refused in errors:
        problem = _problem(refused, marks)
        earlier = found.get((problem.path, problem.code))
        if earlier is not None and problem.code == "wrong_type":
            problem = earlier._replace(params={**earlier.params, "expected": _either(earlier, problem)})
        key = f"{problem.path}.{problem.params.get('name', '')}" if problem.code == "unknown_key" else problem.path
        found[key, problem.code] = problem
    return list(found.values())


def _either(one: FileProblem, other: FileProblem) -> str:
    words = {one.params["expected"], other.params["expected"]}
    return "number" if words == {"integer", "number"} else "scalar"


def _problem(refused: ErrorDetails, marks: Marks) -> FileProblem:
    loc, value, ctx = refused["loc"], refused["input"], refused.get("ctx", {})
    kind = refused["type"]
    if kind == "extra_forbidden":
        return _unknown_key(loc, marks)
    if kind == "missing":
        return error("missing_key", marks.place(loc[:-1]), key=loc[-1])
    if kind in _WORDS:
        return error("wrong_type", marks.place(loc), expected=_expected(kind, ctx), found=type_word(value))
    code, params = _TABLE.get(kind, _unforeseen)(value, {**ctx, "type": kind, "reason": refused["msg"]})
    place = marks.key_place(loc[:-1]) if loc[-1:] == ("[key]",) else marks.place(loc)
    return error(code, place, **params)


def _unknown_key(loc: Path, marks: Marks) -> FileProblem:
    key = str(loc[-1])
    place = marks.key_place(loc)
    kind = str(loc[-2]).removeprefix(TAG) if len(loc) > 1 else ""
    if kind not in _CONDITIONS or not str(loc[-2]).startswith(TAG):
        return error("unknown_key", place, name=shown(key), known=_keys(_part(loc[:-1])), near=None)
    if key in _CONDITIONS:
        return error("two_kinds", place, found=[kind, key])
    top = _is_top(loc[:-1])
    if key in _TOP_ONLY:
        return error("top_only", place, key=key)
    known = [*_keys(_CONDITIONS[kind]), *(_TOP_ONLY if top else ())]
    return error("unknown_key", place, name=shown(key), known=known, near=None)


def _is_top(loc: Path) -> bool:
    """Whether a requirement stands directly in `enter`, `exit` or `requires`."""
    return len(loc) > 2 and loc[-3] in _ASKED  # noqa: PLR2004 - list, index, tag


def _part(loc: Path) -> type[BaseModel]:
    names = [step for step in loc if isinstance(step, str)]
    if not names:
        return model.Process
    if names[-1] == f"{TAG}ref":
        return conditions.StageRef if names[-2] == "since" else conditions.FieldRef
    return _PARTS[names[-1]]


def _keys(part: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in part.model_fields.items()]


def _expected(kind: str, ctx: Params) -> str:
    return "key" if ctx.get("class_name") == "NamedKey" else _WORDS[kind]


def _no_kind(value: Any, _ctx: Params) -> tuple[str, Params]:
    if not isinstance(value, dict):
        return "wrong_type", {"expected": "mapping", "found": type_word(value)}
    known, found = list(_CONDITIONS), [shown(key) for key in list(value)[:_MOST_KEYS]]
    near = [kind for key in found for kind in get_close_matches(key, known, n=1)]
    return "no_kind", {"known": known, "found": found, "near": near[0] if near else None}


def _pattern(value: Any, ctx: Params) -> tuple[str, Params]:
    code = next(code for part, code in _PATTERNS.items() if part in ctx["pattern"])
    return code, {"value": shown(value)}


def _not_one_of(value: Any, ctx: Params) -> tuple[str, Params]:
    return "not_one_of", {"name": shown(value), "known": re.findall("'([^']*)'", ctx["expected"]), "near": None}


def _length(value: Any, ctx: Params) -> tuple[str, Params]:
    unit = "characters" if isinstance(value, str) else "items"
    if "max_length" in ctx:
        return "too_long", {"most": ctx["max_length"], "unit": unit}
    return "too_short", {"least": ctx["min_length"], "unit": unit}


def _range(value: Any, ctx: Params) -> tuple[str, Params]:
    return "out_of_range", {"value": value, "least": ctx.get("ge"), "most": ctx.get("le")}


def _day(value: Any, _ctx: Params) -> tuple[str, Params]:
    return "no_such_day", {"value": shown(value)}


def _too_long_duration(value: Any, ctx: Params) -> tuple[str, Params]:
    return "duration_too_long", {"value": shown(value), "most": ctx["most"]}


def _comparison(_value: Any, ctx: Params) -> tuple[str, Params]:
    return "one_comparison", {"known": ctx["known"], "found": ctx["found"]}


def _bare(_value: Any, ctx: Params) -> tuple[str, Params]:
    return ctx["type"], {}


def _unforeseen(_value: Any, ctx: Params) -> tuple[str, Params]:
    return "invalid", {"reason": ctx["reason"]}


_TABLE: dict[str, Callable[[Any, Params], tuple[str, Params]]] = {
    "no_kind": _no_kind,
    "string_pattern_mismatch": _pattern,
    "literal_error": _not_one_of,
    "string_too_long": _length,
    "string_too_short": _length,
    "too_short": _length,
    "greater_than_equal": _range,
    "less_than_equal": _range,
    "no_such_day": _day,
    "duration_too_long": _too_long_duration,
    "one_comparison": _comparison,
    "no_date": _bare,
    "same_date": _bare,
    "no_bound": _bare,
    "blank_text": _bare,
}
