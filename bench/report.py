"""One measured figure beside its bar, and the table of them."""

from typing import NamedTuple


class Row(NamedTuple):
    """What was measured, in which unit, and the bar it is held to."""

    what: str
    figure: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return (self.at_most is None or self.figure <= self.at_most) and (
            self.at_least is None or self.figure >= self.at_least
        )

    def line(self) -> str:
        """The row as text."""
        if self.at_most is None and self.at_least is None:
            mark, bar = "", ""
        else:
            mark = "ok" if self.holds else "MISS"
            bar = f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"
        return f"{self.what:<58} {self.figure:>9.2f} {self.unit:<3} {bar:<6} {mark}".rstrip()
