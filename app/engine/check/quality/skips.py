"""Stages of the path that a deal can be won without: found as what does not dominate won in the drawn graph."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from app.engine.check.quality.view import Found, View

Ways = Mapping[str, Sequence[str]]
_END = ""
"""Where every won stage leads; no key is empty."""

_MOST_STARTS = 20
"""Starts from which ways are followed; people draw a handful."""


def skippable_stages(view: View) -> Iterator[Found]:
    """Each stage of the path once, with a way around it. A deal that begins later on the path skips nothing."""
    ways = _ways(view)
    told: set[str] = set()
    for start in [key for key in view.process.starts if key in view.process.path][:_MOST_STARTS]:
        needed = _needed(start, ways)
        for key in view.process.path[view.process.path.index(start) :]:
            if needed and view.kind(key) == "open" and key not in needed and key not in told:
                told.add(key)
                yield Found(view.stage_place(key), {"stage": key, "way": _around(key, start, ways)}, (key,))


def _ways(view: View) -> Ways:
    """Drawn moves between open stages and to won; what was lost and comes back is no way to skip."""
    ways: dict[str, list[str]] = {key: [] for key in (*view.stages, _END)}
    for source, to in view.process.edges:
        if view.kind(source) == "open" and view.kind(to) != "lost":
            ways[source].append(to)
    for stage in view.of_kind("won"):
        ways[stage.key].append(_END)
    return ways


def _needed(start: str, ways: Ways) -> set[str]:
    """What every way from here to won goes through; nothing when there is no way."""
    above = _nearest_needed(start, ways)
    needed: set[str] = set()
    key = _END
    while key in above and key not in needed:
        needed.add(key)
        key = above[key]
    return needed


def _nearest_needed(start: str, ways: Ways) -> dict[str, str]:
    """Immediate dominators, by Cooper, Harvey and Kennedy: the last stage that all ways to each stage share."""
    order = _postorder(start, ways)
    number = {key: index for index, key in enumerate(order)}
    before: dict[str, list[str]] = {key: [] for key in order}
    for key in order:
        for to in ways[key]:
            before[to].append(key)
    above = {start: start}
    changed = True
    while changed:
        changed = False
        for key in reversed(order[:-1]):
            nearest = ""
            for other in before[key]:
                if other in above:
                    nearest = _shared(nearest, other, above, number) if nearest else other
            changed = changed or above.get(key) != nearest
            above[key] = nearest
    return above


def _shared(one: str, other: str, above: Mapping[str, str], number: Mapping[str, int]) -> str:
    while one != other:
        if number[one] < number[other]:
            one = above[one]
        else:
            other = above[other]
    return one


def _postorder(start: str, ways: Ways) -> list[str]:
    done: list[str] = []
    seen = {start}
    ahead = [(start, iter(ways[start]))]
    while ahead:
        key, rest = ahead[-1]
        to = next((one for one in rest if one not in seen), None)
        if to is None:
            done.append(key)
            ahead.pop()
        else:
            seen.add(to)
            ahead.append((to, iter(ways[to])))
    return done


def _around(avoided: str, start: str, ways: Ways) -> list[str]:
    """A shortest way to won that does not touch the stage; there is one."""
    came: dict[str, str] = {start: start}
    ahead = deque([start])
    while _END not in came:
        key = ahead.popleft()
        for to in ways[key]:
            if to != avoided and to not in came:
                came[to] = key
                ahead.append(to)
    way = [came[_END]]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]
