"""Whatever order HubSpot tells things in, by webhook or by history, and however often: the same is known in the end."""

import json
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

from app.crm.events import Batch
from app.crm.hubspot import read
from app.crm.hubspot.history import history
from tests.crm.builders import DEAL, NOON, body_of, change, creation, hubspot_settings
from tests.crm.hubspot.conftest import World
from tests.crm.orders import ORDERS, expect_the_same_in_any_order, known_after

SETTINGS = hubspot_settings()
STAGES = ("appointmentscheduled", "qualifiedtobuy", "w", "l", "not_mapped")
VALUES: dict[str, tuple[Any, ...]] = {
    "dealstage": STAGES,
    "amount": ("1", "25000", "", None),
    "next_step_text": ("Call", "Send the offer"),
    "hubspot_owner_id": ("o-77", "nobody"),
}


def _five(chance: Random) -> list[bytes]:
    """The making of a deal and four changes, some of them at one instant, as one delivery each."""
    events = [creation(), change("dealstage", chance.choice(STAGES), by="77")]
    for _ in range(3):
        name = chance.choice(["dealstage", "dealstage", *VALUES])
        at = NOON + timedelta(minutes=chance.randrange(3))
        events.append(change(name, chance.choice(VALUES[name]), at=at, by=chance.choice(["77", None])))
    return [body_of(event) for event in events]


def test_a_hundred_and_twenty_orders_of_fifty_histories_end_alike() -> None:
    expect_the_same_in_any_order(SETTINGS, _five, str(DEAL), read)


def _batches(world: World, bodies: Sequence[bytes], chance: Random) -> list[Batch]:
    """Some of what the webhooks told, and everything that the history tells."""
    thing = world.crm.things["deals"][str(DEAL)]
    names = sorted(SETTINGS.followed)
    told = Batch(history(json.loads(json.dumps(thing.shown([], names))), SETTINGS).events, 0, ())
    return [*(read(body, SETTINGS) for body in chance.sample(bodies, chance.randrange(len(bodies)))), told]


async def test_what_was_missed_is_the_same_once_the_deal_is_read_back(world: World) -> None:
    chance = Random(4)  # noqa: S311 - the same histories in every run
    assert world.crm.add_deal(amount="1") == str(DEAL)
    for number in range(6):
        world.later(minutes=1)
        world.crm.change(str(DEAL), dealstage=STAGES[number % 4], next_step_text=f"step {number}")
    bodies = [body_of(event) for event in world.crm.waiting]
    expected = known_after(SETTINGS, [read(body, SETTINGS) for body in bodies], str(DEAL))
    for _ in range(ORDERS):
        batches = _batches(world, bodies, chance)
        chance.shuffle(batches)
        assert known_after(SETTINGS, batches, str(DEAL)) == expected
