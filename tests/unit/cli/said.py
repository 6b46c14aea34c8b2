"""What the tests of the command line share: where the examples are, and what a verb answers."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

EXAMPLES = Path(__file__).parents[3] / "examples"


class Said(NamedTuple):
    """The exit status, and what stood on both outputs."""

    status: int
    out: str
    err: str


Stagerail = Callable[..., Said]
"""Runs `stagerail …`; `stdin=` is given to it as standard input."""
