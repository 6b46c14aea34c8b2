"""As much of SOQL as our client speaks: fields of one table, comparisons joined by AND, an order, a limit."""

import re
from typing import Any

_QUERY = re.compile(r"SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY ([\w, ]+?))?(?: LIMIT (\d+))?", re.DOTALL)
_CONDITION = re.compile(r"(\w+) (=|>=|>) ('(?:[^'\\]|\\.)*'|[\w:.+-]+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

Tables = dict[str, list[dict[str, Any]]]


def select(
    tables: Tables, query: str, missing_tables: set[str], missing_fields: set[tuple[str, str]]
) -> list[dict[str, Any]] | int | str:
    """The rows; for `COUNT()` how many; the code of the error where the query is none."""
    found = _QUERY.fullmatch(query)
    if found is None:
        return "MALFORMED_QUERY"
    names, table, where, order, limit = found.groups()
    fields = [name.strip() for name in names.split(",")]
    if table not in tables or table in missing_tables:
        return "INVALID_TYPE"
    if any((table, name) in missing_fields for name in fields):
        return "INVALID_FIELD"
    rows = tables[table]
    for condition in [] if where is None else where.split(" AND "):
        one = _CONDITION.fullmatch(condition)
        if one is None:
            return "MALFORMED_QUERY"
        rows = [row for row in rows if _holds(row.get(one[1]), one[2], _value(one[3]))]
    if fields == ["COUNT()"]:
        return len(rows)
    for name in reversed([] if order is None else order.split(", ")):
        rows = sorted(rows, key=lambda row: str(row.get(name)))
    rows = rows[: int(limit)] if limit else rows
    return [{"attributes": {"type": table}, **{name: row.get(name) for name in fields}} for row in rows]


def _value(literal: str) -> str:
    return _ESCAPED.sub(r"\1", literal[1:-1]) if literal.startswith("'") else literal


def _holds(value: Any, operator: str, other: str) -> bool:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if operator == "=":
        return text == other
    text, other = (one.replace(".000+0000", "Z") for one in (text, other))
    return text > other or (operator == ">=" and text == other)
