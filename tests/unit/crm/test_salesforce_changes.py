"""Change Data Capture events as a relay brings them: what they tell, what they only hint at, whose they are."""

import time
from itertools import permutations
from typing import Any

import pytest

from app.crm.record import Record
from app.crm.salesforce import read
from app.crm.state import tell
from tests.crm.fakes.salesforce import OURS, REP, FakeSalesforce, deal_id
from tests.crm.fakes.salesforce_messages import body_of, salesforce_settings
from tests.crm.orders import at

SETTINGS = salesforce_settings()
DEAL = deal_id(42)


def told(body: bytes) -> list[tuple[Any, ...]]:
    return [(one.kind, one.name, one.value, one.at) for one in read(body, SETTINGS).events]


def test_a_change_tells_its_fields_its_author_and_its_way() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0), NextStep="call")
    change = crm.change(42, at=at(5), StageName="Closed Won", NextStep=None, Name="x")
    header = change["payload"]["ChangeEventHeader"]
    header |= {"commitTimestamp": header["commitTimestamp"] + 438, "sequenceNumber": 2}
    batch = read(body_of(change), SETTINGS)
    moment = at(5).replace(microsecond=438_002)
    assert [(one.kind, one.name, one.value, one.at, one.by, one.channel) for one in batch.events] == [
        ("changed", "NextStep", None, moment, REP, "com/salesforce/api/rest/62.0"),
        ("changed", "StageName", "Closed Won", moment, REP, "com/salesforce/api/rest/62.0"),
    ]


def test_a_change_of_several_records_is_one_for_each() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"]["ChangeEventHeader"]["recordIds"] = [DEAL, deal_id(43), "001*"]
    batch = read(body_of(change), SETTINGS)
    assert [one.object_id for one in batch.events] == [DEAL, deal_id(43)]
    assert len({one.key for one in batch.events}) == 2


NOBODY = "000000000000000AAA"
"""The id in every overflow event."""


@pytest.mark.parametrize(
    ("header", "hints", "ignored", "gap"),
    [
        ({"changeType": "GAP_UPDATE"}, (DEAL,), 0, False),
        ({"changeType": "GAP_DELETE", "recordIds": [DEAL, deal_id(43)]}, (DEAL, deal_id(43)), 0, False),
        ({"changeType": "GAP_OVERFLOW", "recordIds": [NOBODY]}, (), 0, True),
        ({"changeType": "GAP_OVERFLOW", "recordIds": ["006*"]}, (), 0, True),
        ({"recordIds": ["006*"]}, (), 0, True),
        ({"changeType": "GAP_OVERFLOW", "recordIds": [NOBODY], "entityName": "Account"}, (), 1, False),
        ({"entityName": "Account"}, (), 1, False),
        ({"changeType": "UPDATE", "entityName": "Task"}, (), 1, False),
    ],
)
def test_what_says_too_little_is_a_hint_a_gap_or_nothing(
    header: dict[str, Any], hints: tuple[str, ...], ignored: int, *, gap: bool
) -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"]["ChangeEventHeader"] |= header
    batch = read(body_of(change), SETTINGS)
    assert (batch.events, batch.hints, batch.ignored, batch.gap) == ((), hints, ignored, gap)
    both = read(body_of(change, crm.change(42, at=at(6), Amount=5)), SETTINGS)
    assert (both.gap, [one.name for one in both.events]) == (gap, ["Amount"])


def test_changes_by_the_thousands_are_read_back_at_their_own_pace() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    header = change["payload"]["ChangeEventHeader"]

    def of(first: int, count: int) -> dict[str, Any]:
        ids = [deal_id(number) for number in range(first, first + count)]
        return {**change, "payload": {**change["payload"], "ChangeEventHeader": {**header, "recordIds": ids}}}

    within = read(body_of(of(0, 600), of(600, 400)), SETTINGS)
    assert (len(within.events), within.faults, within.gap) == (1000, (), False)
    beyond = read(body_of(of(0, 600), of(600, 401), of(2000, 1)), SETTINGS)
    assert (len(beyond.events), [one.place for one in beyond.faults], beyond.gap) == (600, [1, 2], True)
    began = time.perf_counter()
    alone = read(body_of(*[of(0, 50_000)] * 2), SETTINGS)
    assert ({one.code for one in alone.faults}, alone.gap) == ({"delivery_too_many_records"}, True)
    assert time.perf_counter() - began < 2


def test_one_long_text_of_many_records_is_read_back_too() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), NextStep="x" * 20_000)
    header = change["payload"]["ChangeEventHeader"]
    for count, gap in ((300, False), (400, True)):
        header["recordIds"] = [deal_id(number) for number in range(count)]
        batch = read(body_of(change), SETTINGS)
        assert (len(batch.events), len(batch.faults), batch.gap) == (0 if gap else count, gap, gap)


def test_differences_of_long_texts_and_undecoded_names_are_read_back() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), NextStep="--- +++", StageName="Closed Won")
    change["payload"]["ChangeEventHeader"]["diffFields"] = ["NextStep"]
    batch = read(body_of(change), SETTINGS)
    assert ([one.name for one in batch.events], batch.hints) == (["StageName"], (DEAL,))
    change["payload"]["ChangeEventHeader"] |= {"diffFields": [], "changedFields": ["0x400080"]}
    assert read(body_of(change), SETTINGS).hints == (DEAL,)


def test_fields_that_did_not_change_may_come_along_empty_and_wrapped_in_their_type() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"] |= {"StageName": {"string": "Closed Won"}, "Amount": None, "NextStep": None}
    assert [(one.name, one.value) for one in read(body_of(change), SETTINGS).events] == [("StageName", "Closed Won")]


def test_what_came_along_without_having_changed_is_only_seen() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), NextStep="call")
    change["payload"] |= {"StageName": "Prospecting", "Amount": None}
    assert [(one.kind, one.name, one.value, one.by) for one in read(body_of(change), SETTINGS).events] == [
        ("changed", "NextStep", "call", REP),
        ("seen", "StageName", "Prospecting", None),
    ]
    change["payload"]["ChangeEventHeader"]["changedFields"] = []
    assert {one.kind for one in read(body_of(change), SETTINGS).events} == {"changed"}


def test_a_task_that_was_changed_is_read_back_where_it_says_of_which_deal_it_is() -> None:
    made = FakeSalesforce().add_task(42, at=at(3))
    header = made["payload"]["ChangeEventHeader"] | {"changeType": "UPDATE", "changedFields": ["Status"]}
    thin = {"ChangeEventHeader": header, "Status": "Completed"}
    assert read(body_of({**made, "payload": thin}), SETTINGS).ignored == 1
    assert read(body_of({**made, "payload": {**thin, "WhatId": DEAL}}), SETTINGS).hints == (DEAL,)


def test_deletion_and_its_undoing_are_told() -> None:
    crm = FakeSalesforce()
    change = crm.make_deal(42, at=at(0))
    change["payload"]["ChangeEventHeader"]["changeType"] = "DELETE"
    assert told(body_of(change)) == [("deleted", None, None, at(0).replace(microsecond=1))]
    change["payload"]["ChangeEventHeader"]["changeType"] = "UNDELETE"
    assert {one[:2] for one in told(body_of(change))} >= {("restored", None), ("seen", "StageName")}


def test_our_own_client_is_known_by_its_name_or_its_user() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), origin="com/salesforce/api/rest/62.0;client=Stagerail", StageName="Closed Won")
    settings = salesforce_settings(acts_as="Stagerail")
    assert [one.by for one in read(body_of(change), settings).events] == ["Stagerail"]
    assert [one.by for one in read(body_of(change), SETTINGS).events] == [REP]
    assert salesforce_settings(acts_as=OURS[:15]).acts_as == OURS


def test_a_client_whose_name_is_as_long_as_an_id_is_known_too() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    origin = "com/salesforce/api/rest/62.0;client=StagerailClient"
    settings = salesforce_settings(acts_as="StagerailClient")
    [event] = read(body_of(crm.change(42, at=at(5), origin=origin, StageName="Closed Won")), settings).events
    assert event.by == settings.acts_as


def test_a_change_counts_within_the_second_in_which_the_record_was_saved() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"]["ChangeEventHeader"]["commitTimestamp"] += 1_700  # it was committed later than it was saved
    assert {one[3] for one in told(body_of(change))} == {at(5).replace(microsecond=999_999)}
    change["payload"]["ChangeEventHeader"]["commitTimestamp"] -= 5_000
    assert {one[3] for one in told(body_of(change))} == {at(5)}


def test_where_flows_move_a_deal_to_and_fro_within_a_second_it_stands_where_they_left_it() -> None:
    crm = FakeSalesforce()
    bodies = [body_of(crm.make_deal(42, at=at(0)))]
    for millisecond, stage in ((200, "Closed Won"), (450, "Prospecting"), (999, "Closed Won")):
        change = crm.change(42, at=at(5), StageName=stage)
        change["payload"]["ChangeEventHeader"]["commitTimestamp"] += millisecond
        bodies.append(body_of(change))
    for order in permutations(bodies):
        deal = tell(SETTINGS, Record(), (), None)
        for body in order:
            deal = tell(SETTINGS, deal.record, read(body, SETTINGS).events, None)
        assert deal.line.entries[-1].crm_stage == "Closed Won"


def test_a_message_beside_the_changes_tells_no_move_of_its_own_within_a_second() -> None:
    crm = FakeSalesforce()
    bodies = [body_of(crm.make_deal(42, at=at(0)))]
    for millisecond, stage in ((200, "Proposal/Quote"), (450, "Closed Won")):
        change = crm.change(42, at=at(5), StageName=stage)
        change["payload"]["ChangeEventHeader"]["commitTimestamp"] += millisecond
        bodies.append(body_of(change))
    for order in permutations([*bodies, crm.message()]):
        deal = tell(SETTINGS, Record(), (), None)
        for body in order:
            deal = tell(SETTINGS, deal.record, read(body, SETTINGS).events, None)
        assert [one.entry.crm_stage for one in deal.line.moves] == ["Prospecting", "Proposal/Quote", "Closed Won"]
