"""The first contact among the suggestions: before anybody was contacted, the kind that the house rule wants leads."""

from app.engine.facts import Facts
from app.engine.house_rules import FirstTouch
from app.engine.needed import Item
from app.engine.plan import Move

BECAUSE = "first_touch"
"""What stands in the place of a requirement in the reasons of such a suggestion."""


def touched_first(
    rule: FirstTouch, facts: Facts, move: Move, mandatory: list[Item], optional: list[Item]
) -> tuple[list[Item], list[Item]]:
    """The steps with the right contact in front: one that is asked for anyway, else a contact proposed as advice."""
    if not _is_due(rule, facts, move):
        return mandatory, optional
    asked = [item for item in mandatory if _keeps(rule, item)]
    if asked:
        return [*asked, *(item for item in mandatory if item not in asked)], optional
    step = {"kind": "do_activity", "activity": rule.proposed, "times": 1}
    known = [item for item in optional if _keeps(rule, item)]
    lead = known or [Item(step, ((BECAUSE, move.source, move.to),), 0)]
    return mandatory, [*lead, *(item for item in optional if item not in known)]


def _is_due(rule: FirstTouch, facts: Facts, move: Move) -> bool:
    """Whether the rule holds for this move, nobody was contacted yet, and the process knows how to."""
    known = "activities" not in facts.missing and rule.proposed is not None
    return known and move.source in rule.starts and rule.first(facts) is None


def _keeps(rule: FirstTouch, item: Item) -> bool:
    step = item.step
    made = step["kind"] == "do_activity" and step.get("direction") != "inbound"
    return made and rule.kinds.get(step["activity"]) == rule.wanted
