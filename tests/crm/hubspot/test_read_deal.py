"""A HubSpot deal read back: versions that are the webhooks' own events, activities, contacts; and what is not whole."""

from datetime import timedelta
from typing import Any

import pytest

from app.crm.client import ClientError, Standing
from app.crm.events import Event, Fact
from app.crm.hubspot import read
from tests.crm.builders import NOON, body_of, hubspot_settings
from tests.crm.fakes.base import Answer
from tests.crm.hubspot.conftest import World

ACTIVITIES: dict[str, Any] = {
    "meetings": {"activity": "meeting"},
    "Demo": {"activity": "demo", "outcomes": {"COMPLETED": "held", "NO_SHOW": "no_show"}},
    "calls": {"activity": "call", "outcomes": {"Connected": "connected", "custom-id": "callback"}},
    "emails": {"activity": "email"},
    "tasks": {"activity": "paperwork", "direction": "outbound"},
}
ALL = frozenset({"stage_history", "fields", "approvals", "activities", "contacts"})


def values(facts: tuple[Fact, ...], group: str = "activity") -> list[dict[str, Any] | None]:
    return [fact.value for fact in facts if fact.group == group]


def made(events: tuple[Event, ...]) -> set[Event]:
    """Where a deal was made, the webhook alone tells."""
    return {event._replace(channel=None) if event.kind == "created" else event for event in events}


async def test_what_is_read_back_is_to_the_byte_what_the_webhooks_told(world: World) -> None:
    deal = world.crm.add_deal(amount="5000", hubspot_owner_id="o-77")
    world.later(minutes=1)
    world.crm.change(deal, by="78", dealstage="qualifiedtobuy", next_step_text="Call them", not_mapped="x")
    world.crm.change(deal, amount=None)
    await world.client().set_stage(deal, Standing("default", "w"))
    told = await world.client().read_deal(deal, world.at)
    batch = read(body_of(*world.crm.waiting), hubspot_settings())
    assert made(told.events) == made(batch.events)
    assert len(told.events) == len({event.key for event in told.events}) == 9
    own = next(event for event in told.events if event.value == "w")
    assert (own.by, own.channel) == ("186886", "INTEGRATION")
    assert (told.facts, told.complete, told.read_at, told.gone) == (
        (),
        frozenset({"stage_history", "fields"}),
        world.at,
        None,
    )


async def test_activities_are_told_in_the_words_of_the_process(world: World) -> None:
    deal = world.crm.add_deal()
    contact = world.crm.add_contact(deal)
    hour_ago, tomorrow = (NOON - timedelta(hours=1)).isoformat(), (NOON + timedelta(days=1)).isoformat()
    about = {"hs_timestamp": hour_ago, "hubspot_owner_id": "o-77"}
    held = world.crm.add_activity(
        "meetings", deal, contacts=[contact], **about, hs_activity_type="Demo", hs_meeting_outcome="COMPLETED",
        hs_meeting_start_time=hour_ago,
    )  # fmt: skip
    world.crm.add_activity("meetings", deal, hs_timestamp=tomorrow, hs_meeting_outcome="SCHEDULED")
    world.crm.add_activity("meetings", deal, hs_timestamp=hour_ago, hs_meeting_outcome="CANCELED")
    world.crm.add_activity(
        "calls", deal, **about, hs_call_status="COMPLETED", hs_call_direction="INBOUND",
        hs_call_disposition="f240bbac-87c9-4f6e-bf70-924b57d47db7",
    )  # fmt: skip
    world.crm.add_activity("calls", deal, hs_timestamp=tomorrow, hs_call_disposition="custom-id")
    world.crm.add_activity("emails", deal, hs_timestamp=hour_ago, hs_email_status="SENT", hs_email_direction="EMAIL")
    world.crm.add_activity("tasks", deal, hs_timestamp=tomorrow, hs_task_status="NOT_STARTED")
    world.crm.add_activity("tasks", deal, hs_timestamp=tomorrow, hs_task_body="ours [stagerail:0123456789ab]")
    told = await world.client(activities=ACTIVITIES).read_deal(deal, world.later(seconds=1))
    at, then = hour_ago, tomorrow
    expected: list[dict[str, Any] | None] = [
        {"activity": "demo", "at": at, "status": "done", "outcome": "held", "contacts": [contact], "by": "rep-7"},
        {"activity": "meeting", "at": then, "status": "planned"},
        None,
        {"activity": "call", "at": at, "status": "done", "outcome": "connected", "direction": "inbound", "by": "rep-7"},
        {"activity": "call", "at": then, "status": "planned", "outcome": "callback"},
        {"activity": "email", "at": at, "status": "done", "direction": "outbound"},
        {"activity": "paperwork", "at": then, "status": "planned", "direction": "outbound"},
    ]
    found = [value and {key: said for key, said in value.items() if key != "id"} for value in values(told.facts)]
    assert found == expected
    assert told.facts[0].id == f"meetings:{held}"
    assert "activities" in told.complete


async def test_what_says_no_outcome_becomes_done_by_its_time_and_the_fact_is_of_that_moment(world: World) -> None:
    deal = world.crm.add_deal()
    starts = NOON + timedelta(hours=1)
    world.crm.add_activity("meetings", deal, hs_meeting_start_time=starts.isoformat())
    client = world.client(activities=ACTIVITIES)
    before = (await client.read_deal(deal, world.later(minutes=59))).facts[0]
    after = (await client.read_deal(deal, world.later(minutes=1))).facts[0]
    again = (await client.read_deal(deal, world.later(days=9))).facts[0]
    assert [one.value and one.value["status"] for one in (before, after, again)] == ["planned", "done", "done"]
    assert before.at < after.at == again.at == starts


async def test_contacts_have_their_roles_from_labels_and_from_a_property(world: World) -> None:
    roles = {"Champion": "champion", "BUDGET_HOLDER": "economic_buyer", "DECISION_MAKER": "economic_buyer"}
    deal = world.crm.add_deal()
    both = world.crm.add_contact(deal, labels=["Champion", "Odd"], hs_buying_role="BUDGET_HOLDER;DECISION_MAKER")
    plain = world.crm.add_contact(deal, hs_buying_role="OTHER")
    world.crm.page_size = 1
    client = world.client(contact_roles=roles, contact_role_property="hs_buying_role")
    told = await client.read_deal(deal, world.at)
    assert values(told.facts, "contact") == [
        {"id": both, "role": "champion"},
        {"id": both, "role": "economic_buyer"},
        {"id": plain},
    ]
    assert "contacts" in told.complete
    labels_alone = await world.client(contact_roles=roles).read_deal(deal, world.at)
    assert values(labels_alone.facts, "contact") == [{"id": both, "role": "champion"}, {"id": plain}]


async def test_many_pages_and_batches_are_read_to_the_end(world: World) -> None:
    deal = world.crm.add_deal()
    world.crm.page_size = 50
    for _ in range(230):
        world.crm.add_activity("emails", deal, hs_timestamp=NOON.isoformat(), hs_email_status="SENT")
    told = await world.client(activities=ACTIVITIES).read_deal(deal, world.at)
    assert len({fact.id for fact in told.facts}) == 230
    assert "activities" in told.complete


async def test_what_may_not_be_read_is_not_complete_and_takes_nothing_else_with_it(world: World) -> None:
    deal = world.crm.add_deal()
    world.crm.add_contact(deal, labels=["Champion"])
    world.crm.forbidden = {"emails"}
    client = world.client(
        activities=ACTIVITIES, contact_roles={"Champion": "champion"}, approvals={"legal_ok": {"role": "sales_manager"}}
    )
    assert (await client.read_deal(deal, world.at)).complete == ALL - {"activities"}
    world.crm.forbidden = {"contacts"}
    assert (await client.read_deal(deal, world.at)).complete == ALL - {"contacts"}


async def test_a_property_whose_oldest_versions_may_be_gone_is_not_complete(world: World) -> None:
    deal = world.crm.add_deal()
    for number in range(18):
        world.crm.change(deal, amount=str(number))
    client = world.client()
    assert "fields" in (await client.read_deal(deal, world.at)).complete
    for number in range(18, 25):
        world.crm.change(deal, amount=str(number))
    told = await client.read_deal(deal, world.at)
    assert len([one for one in told.events if one.name == "amount"]) == 20
    assert told.complete == {"stage_history"}


async def test_deals_that_are_gone_say_where(world: World) -> None:
    kept, merged, deleted = world.crm.add_deal(), world.crm.add_deal(), world.crm.add_deal()
    world.crm.merge(kept, merged)
    world.crm.delete(deleted)
    client = world.client()
    told = [await client.read_deal(one, world.at) for one in (merged, deleted, "no/such?deal")]
    assert [one.gone for one in told] == [f"merged:{kept}", "deleted", "deleted"]
    assert {(one.events, one.facts, one.complete) for one in told} == {((), (), frozenset())}
    assert [await client.standing(one) for one in (merged, deleted)] == [None, None]


async def test_a_deal_that_another_went_into_tells_no_moves_of_before(world: World) -> None:
    kept, merged = world.crm.add_deal(amount="1"), world.crm.add_deal("w")
    for stage in ("l", "qualifiedtobuy"):
        world.later(minutes=1)
        world.crm.change(merged if stage == "l" else kept, dealstage=stage)
    merged_at = world.later(minutes=1)
    world.crm.merge(kept, merged)
    moved_at = world.later(minutes=1)
    world.crm.change(kept, dealstage="w")
    told = await world.client().read_deal(kept, world.at)
    stages = [(one.kind, one.value, one.at) for one in told.events if one.name == "dealstage"]
    assert stages == [("seen", "qualifiedtobuy", merged_at), ("changed", "w", moved_at)]
    assert {one.value for one in told.events if one.name == "amount"} == {"1"}
    assert told.complete == {"fields"}


async def test_a_deal_comes_out_of_a_merge_where_it_stands_whatever_the_other_one_was_last(world: World) -> None:
    kept, merged = world.crm.add_deal("qualifiedtobuy"), world.crm.add_deal()
    world.later(minutes=1)
    world.crm.change(merged, dealstage="l")
    merged_at = world.later(minutes=1)
    world.crm.merge(kept, merged)
    versions = world.crm.things["deals"][kept].versions["dealstage"]
    kept_its_own = [one for one in versions if one["sourceType"] != "MERGE_OBJECTS"]
    versions[:] = sorted(kept_its_own, key=lambda one: str(one["timestamp"]))
    told = await world.client().read_deal(kept, world.at)
    stages = [(one.kind, one.value, one.at) for one in told.events if one.name == "dealstage"]
    assert stages == [("seen", "qualifiedtobuy", merged_at)]


async def test_a_great_many_mapped_properties_are_asked_for_in_parts(world: World) -> None:
    fields = {f"p{n}": {"field": f"f{n}", "type": "text"} for n in range(120)}
    deal = world.crm.add_deal(p3="a", p119="b")
    told = await world.client(fields=fields).read_deal(deal, world.at)
    assert {event.name: event.value for event in told.events if event.name in fields} == {"p3": "a", "p119": "b"}
    assert told.complete == {"stage_history", "fields"}
    assert len(world.crm.calls) == 3


@pytest.mark.parametrize(
    ("status", "body"), [(201, b""), (201, b"<html>"), (201, b"[1]"), (201, b'{"id":'), (204, b"")]
)
async def test_an_answer_that_cannot_be_read_is_an_error_and_never_a_deal(
    world: World, status: int, body: bytes
) -> None:
    world.crm._next.append(Answer(status, body))
    with pytest.raises(ClientError, match="client_unreadable") as refusal:
        await world.client().read_deal("1", world.at)
    assert refusal.value.again is True
