"""Zoho's notifications: what they tell, in whatever order; who may send them; what cannot be read."""

import json
import random
from typing import Any

import pytest

from app.crm.drafting import drafted
from app.crm.events import Malformed
from app.crm.zoho import configuration, read, record, verify
from app.engine import load_process
from tests.crm.builders import NOON
from tests.crm.fakes.zoho import DEAL, TOKEN, FakeZoho, iso, zoho_settings
from tests.crm.hostile import changed, expect_only_refusals
from tests.crm.orders import at, expect_the_same_in_any_order
from tests.crm.world import SALES

SETTINGS = zoho_settings()
OTHER = "5725767000003000065"


def body_of(notification: Any) -> bytes:
    return json.dumps(notification).encode()


def told(notification: Any) -> list[tuple[Any, ...]]:
    return [(one.object_id, one.kind, one.name, one.value) for one in read(body_of(notification), SETTINGS).events]


def test_one_notification_may_tell_of_several_deals() -> None:
    crm = FakeZoho()
    values = {DEAL: {"Stage": "Shown"}, OTHER: {"Stage": "Closed Won", "Amount": 12.5, "Title": "x"}}
    batch = read(body_of(crm.notification("update", values, at(5))), SETTINGS)
    assert [(one.object_id, one.name, one.value, one.at) for one in batch.events] == [
        (DEAL, "Stage", "Shown", at(5)), (OTHER, "Amount", 12.5, at(5)), (OTHER, "Stage", "Closed Won", at(5)),
    ]  # fmt: skip
    assert batch.hints == (DEAL, OTHER)


@pytest.mark.parametrize("operation", ["insert", "create"])
def test_a_deal_s_making_goes_by_two_names(operation: str) -> None:
    made = FakeZoho().make_deal(DEAL, at=at(0), Stage="Demo")
    assert told({**made, "operation": operation}) == [(DEAL, "created", None, None), (DEAL, "seen", "Stage", "Demo")]


def test_a_time_that_is_among_the_values_counts_before_that_of_the_notification() -> None:
    crm = FakeZoho()
    times = {"Created_Time": iso(at(1)), "Modified_Time": iso(at(2))}
    made = crm.notification("insert", {DEAL: {"Stage": "Demo", "Amount": 3, **times}}, at(3))
    assert [(one.kind, one.name, one.at) for one in read(body_of(made), SETTINGS).events] == [
        ("created", None, at(1)), ("changed", "Amount", at(2)), ("seen", "Stage", at(2)),
    ]  # fmt: skip


def test_what_is_no_record_s_id_is_a_fault_and_the_others_are_read() -> None:
    batch = read(body_of(FakeZoho().notification("update", {"../1": {}, "x": {}, DEAL: {}}, at(1))), SETTINGS)
    assert ([one.place for one in batch.faults], batch.hints) == ([0, 1], (DEAL,))


def test_a_thin_notification_is_a_hint_to_read_the_deal_back() -> None:
    batch = read(body_of(FakeZoho().notification("edit", {DEAL: {}}, at(1))), SETTINGS)
    assert (batch.events, batch.hints) == ((), (DEAL,))


def test_deletion_ends_a_deal() -> None:
    assert told(FakeZoho().notification("delete", {DEAL: {}}, at(1))) == [(DEAL, "deleted", None, None)]


def test_what_is_done_for_a_deal_is_a_hint_where_the_deal_is_told() -> None:
    crm = FakeZoho()
    told_of = crm.notification("insert", {"9": {"What_Id": {"id": DEAL, "name": "x"}}}, at(1), module="Calls")
    assert read(body_of(told_of), SETTINGS).hints == (DEAL,)
    of_an_account = {"What_Id": {"id": OTHER}, "$se_module": "Accounts"}
    for values in ({}, of_an_account, {"What_Id": {"id": "../1"}}):
        batch = read(body_of(crm.notification("insert", {"9": values}, at(1), module="Calls")), SETTINGS)
        assert (batch.hints, batch.ignored) == ((), 1)


def test_a_deal_that_is_named_again_and_again_is_told_once() -> None:
    crm = FakeZoho()
    for operation in ("update", "delete"):
        once = crm.notification(operation, {DEAL: {"Stage": "Demo", "Amount": 7}}, at(1))
        assert read(body_of({**once, "ids": [DEAL, int(DEAL), DEAL]}), SETTINGS) == read(body_of(once), SETTINGS)


def test_no_more_deals_are_hinted_at_than_a_notification_has() -> None:
    many = {str(number): {"What_Id": {"id": str(number)}} for number in range(1001)}
    told_of = {**FakeZoho().notification("insert", many, at(1), module="Calls"), "ids": ["1"]}
    with pytest.raises(Malformed, match="delivery_too_many_events"):
        read(body_of(told_of), SETTINGS)


def test_another_channel_is_refused() -> None:
    notification = {**FakeZoho().notification("update", {DEAL: {}}, at(1)), "channel_id": "7"}
    with pytest.raises(Malformed, match="event_of_another_account"):
        read(body_of(notification), SETTINGS)


def test_only_who_brings_the_token_is_let_in() -> None:
    good = FakeZoho().notification("update", {DEAL: {}}, at(1))

    def accepts(body: bytes, *secrets: str) -> bool:
        given = list(secrets) or [TOKEN]
        return verify(given, method="POST", uri="https://x/", headers={}, body=body, now=NOON)

    assert accepts(body_of(good))
    assert accepts(body_of(good), "newer", TOKEN)
    tokens: list[Any] = [None, "", 7, "x", [TOKEN], "\u00e9"]
    wrong = [b"", b"[]", b"{", b"\xff", *(body_of({**good, "token": one}) for one in tokens)]
    assert [accepts(body) for body in wrong] == [False] * len(wrong)


def test_a_deal_as_the_api_writes_it_is_so_now() -> None:
    crm = FakeZoho()
    crm.make_deal(DEAL, at=at(0), Stage="Demo", Amount=7)
    for found in (crm.deals[DEAL], {"data": [crm.deals[DEAL]]}):
        assert [(one.kind, one.name, one.value, one.at) for one in record(found, SETTINGS, NOON)] == [
            ("seen", "Amount", 7, NOON), ("seen", "Owner", "77", NOON), ("seen", "Pipeline", "Standard", NOON),
            ("seen", "Stage", "Demo", NOON),
        ]  # fmt: skip


def _history(chance: random.Random) -> list[bytes]:
    crm = FakeZoho()
    made = [crm.make_deal(DEAL, at=at(0), Stage=chance.choice(("Demo", "Shown")))]
    minute = 0.0
    while len(made) < 5:
        minute += chance.choice((0.01, 1, 90))
        stage = chance.choice(("Demo", "Shown", "Closed Won", "Closed Lost", "Unheard of"))
        made.append(crm.change(DEAL, at=at(minute), Stage=stage, Amount=chance.randrange(3)))
    return [body_of(one) for one in made]


def test_any_order_and_any_copies_end_in_the_same_deal() -> None:
    expect_the_same_in_any_order(SETTINGS, _history, DEAL, read)


def test_hostile_deliveries_are_refused_and_nothing_else() -> None:
    crm = FakeZoho()
    good = [crm.make_deal(DEAL, at=at(0), Stage="Demo"), crm.change(DEAL, at=at(1), Stage="Shown", Amount=3),
            crm.notification("insert", {"9": {"What_Id": {"id": DEAL}}}, at(1), module="Calls")]  # fmt: skip
    expect_only_refusals(read, SETTINGS, good)


def test_a_configuration_that_is_none_drafts_nothing_and_breaks_nothing() -> None:
    whole = {
        "pipelines": [{"display_value": "S", "maps": [{"display_value": "a", "forecast_type": "open"}]}],
        "blueprint": {"process_info": {"name": "S", "field_value": "a"}, "transitions": [{"next_field_value": "b"}]},
        "fields": [{"api_name": "Stage", "data_type": "picklist", "pick_list_values": [{"display_value": "x"}]}],
        "users": [{"id": "1", "full_name": "x"}],
    }
    for one in changed(whole):
        assert drafted("zoho", configuration(one), load_process(SALES, source="sales.yaml")).settings
