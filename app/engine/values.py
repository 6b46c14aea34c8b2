"""The small words of a process file: keys, texts, durations, dates, and how they are read."""

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

LONGEST_DURATION = timedelta(days=36_525)
"""A hundred years: nothing in a sales process is longer, and no date arithmetic overflows below it."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = r"^[0-9]{1,7}[mhdw]$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_RELATIVE_DAY = re.compile(r"^([+-])([0-9]{1,5})([dw])$")


class Part(BaseModel):
    """Base of everything read from a process file: immutable, strict, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_alias=True, validate_by_name=False)


def duration(text: str) -> timedelta:
    """Read `30m`, `4h`, `14d` or `2w` (`60s` in no process file); a day is 24 hours, whatever the clocks do."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def calendar_day(text: str) -> date | None:
    """Read `YYYY-MM-DD`; None when it is anything else, or a day that does not exist."""
    if not re.match(_DATE, text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def relative_days(text: str) -> int | None:
    """Read `today` (0), `+7d`, `-30d` or `+2w` as a number of days; None for anything else."""
    if text == "today":
        return 0
    found = _RELATIVE_DAY.match(text)
    if not found:
        return None
    sign, count, unit = found.groups()
    return int(f"{sign}{count}") * (7 if unit == "w" else 1)


def _duration_in_range(text: str) -> str:
    if duration(text) > LONGEST_DURATION:
        raise PydanticCustomError("duration_too_long", "at most {most}", {"most": "36525d"})
    return text


def _existing_day(text: str) -> str:
    if calendar_day(text) is None:
        raise PydanticCustomError("no_such_day", "no such day: {value}", {"value": text})
    return text


def _day_or_relative(text: str) -> str:
    days = relative_days(text)
    if days is None and calendar_day(text) is None:
        raise PydanticCustomError("no_such_day", "no such day: {value}", {"value": text})
    if days is not None and abs(days) > LONGEST_DURATION.days:
        raise PydanticCustomError("duration_too_long", "at most {most}", {"most": "36525d"})
    return text


def _keyed(value: Any) -> Any:
    return {"key": value} if isinstance(value, str) else value


Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$", max_length=64)]
"""A name in the file: lower-case letters, digits, `_` and `-`."""

Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Texts = Annotated[dict[Locale, Line], Field(min_length=1)]


def _by_locale(value: Any) -> Any:
    return {"": value} if isinstance(value, str) else value


def _not_blank(texts: dict[str, str]) -> dict[str, str]:
    if any(not text.strip() for text in texts.values()):
        raise PydanticCustomError("blank_text", "say something, or leave it out")
    return texts


Text = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^([a-z]{2})?$")], Line],
    Field(min_length=1),
    AfterValidator(_not_blank),
    BeforeValidator(_by_locale, json_schema_input_type=Line | Texts),
]
"""Words of the author by locale; a plain string stands under the empty locale and serves all."""

Wait = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,7}[smhdw]$"), AfterValidator(_duration_in_range)]
"""How long a machine waits: a duration that may be in seconds."""
Duration = Annotated[str, StringConstraints(pattern=_DURATION), AfterValidator(_duration_in_range)]
Day = Annotated[str, StringConstraints(pattern=_DATE), AfterValidator(_existing_day)]
DayPoint = Annotated[str, AfterValidator(_day_or_relative)]
"""A day a date is compared with: `YYYY-MM-DD`, `today`, `+7d`, `-30d`."""

Scalar = str | bool | int | Annotated[float, Field(allow_inf_nan=False)]
Number = int | Annotated[float, Field(allow_inf_nan=False)]


class NamedKey(Part):
    """A key with a name for people."""

    key: Key
    name: Text | None = None


Named = Annotated[NamedKey, BeforeValidator(_keyed, json_schema_input_type=Key | NamedKey)]
"""A role, contact role, outcome or choice: `key`, or `{key, name}`."""
