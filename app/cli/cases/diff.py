"""What was expected and what came out as a unified diff of YAML, the language the case is written in."""

import difflib
from collections.abc import Iterator
from typing import Any

import yaml

from app.cli.cases.compare import Comparison

_CONTEXT = 3
_LONGEST = 100


def difference(comparison: Comparison, expected: str, actual: str) -> Iterator[str]:
    """The lines of the diff, under the words for both sides; none when there is no difference."""
    sides = (_lines(comparison.expected), _lines(comparison.actual))
    return difflib.unified_diff(*sides, fromfile=expected, tofile=actual, n=_CONTEXT, lineterm="")


def _lines(value: dict[str, Any]) -> list[str]:
    """YAML with each finding or suggestion on a line of its own; one that is long takes a line for each key."""
    lines: list[str] = []
    for key, part in value.items():
        if isinstance(part, list) and part:
            lines.append(f"{key}:")
            lines += [line for item in part for line in _item(item)]
        else:
            lines.append(f"{key}: {_flow(part)}")
    return lines


def _item(item: Any) -> list[str]:
    line = f"  - {_flow(item)}"
    if len(line) <= _LONGEST or not isinstance(item, dict):
        return [line]
    lines = [f"    {key}: {_flow(value)}" for key, value in item.items()]
    return [f"  - {lines[0].lstrip()}", *lines[1:]]


def _flow(value: Any) -> str:
    said = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return str(said).removesuffix("\n").removesuffix("\n...")
