"""Pipedrive's webhooks, both versions: what they tell, in whatever order; who may send them; what cannot be read."""

import json
import random
from datetime import UTC
from typing import Any

import pytest

from app.crm.drafting import drafted
from app.crm.events import Malformed
from app.crm.pipedrive import configuration, read, record, verify
from app.crm.record import Record
from app.crm.state import snapshot_now, tell
from app.engine import load_process
from tests.crm.builders import NOON
from tests.crm.fakes.pipedrive import COMPANY, PASSWORD, USER, FakePipedrive, as_v1, basic, pipedrive_settings
from tests.crm.hostile import changed, expect_only_refusals
from tests.crm.orders import at, expect_the_same_in_any_order
from tests.crm.world import SALES

SETTINGS = pipedrive_settings()


def told_by(webhook: Any) -> list[tuple[Any, ...]]:
    batch = read(json.dumps(webhook).encode(), SETTINGS)
    return [(one.kind, one.name, one.value, one.previous if one.tells_previous else "-") for one in batch.events]


def events(webhook: Any) -> list[tuple[Any, ...]]:
    """What has happened, without what only stands as it was."""
    return [one for one in told_by(webhook) if one[0] != "seen"]


def test_a_change_of_stage_tells_where_the_deal_was() -> None:
    crm = FakePipedrive()
    [made] = crm.make_deal(42, at=at(0), stage_id=1, value=2000)
    [moved] = crm.change(42, at=at(5), stage_id=2, value=3000)
    assert events(made) == [
        ("created", None, None, "-"),
        ("changed", "owner_id", 77, "-"),
        ("changed", "pipeline_id", 1, "-"),
        ("changed", "stage_id", "1", None),
        ("changed", "value", 2000, "-"),
    ]
    assert events(moved) == [("changed", "stage_id", "2", "1"), ("changed", "value", 3000, 2000)]
    batch = read(json.dumps(moved).encode(), SETTINGS)
    assert {(one.at, one.by, one.channel) for one in batch.events if one.kind == "changed"} == {(at(5), "77", "app")}


def test_a_change_tells_what_stands_beside_it_and_not_who_approved() -> None:
    settings = pipedrive_settings(approvals={"ef56": {"role": "sales_manager"}})
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1, value=2000, custom_fields={"ef56": 9})
    [moved] = crm.change(42, at=at(5), status="won")
    told = [
        (one.kind, one.name, one.value, one.by)
        for one in read(json.dumps(moved).encode(), settings).events
    ]  # fmt: skip
    assert told == [
        ("changed", "stage_id", "won", "77"), ("seen", "owner_id", 77, None), ("seen", "pipeline_id", 1, None),
        ("seen", "value", 2000, None),
    ]  # fmt: skip
    [renamed] = crm.change(42, at=at(6), title="x")
    assert read(json.dumps(renamed).encode(), settings)[:2] == ((), 1)


def test_a_deal_that_is_first_heard_of_when_it_is_won_is_in_the_pipeline_that_is_told() -> None:
    stages = {"1": "demo_scheduled", "won": "won"}
    pipelines = {"1": {"process": "sales", "stages": stages}, "9": {"process": "renewals", "stages": {"won": "won"}}}
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1, value=2000)
    [won] = crm.change(42, at=at(5), status="won")
    settings = pipedrive_settings(pipelines=pipelines)
    deal = tell(settings, Record(), read(json.dumps(won).encode(), settings).events, None)
    assert [(one.before and one.before[:2], one.entry[:2]) for one in deal.line.moves] == [
        (("sales", "demo_scheduled"), ("sales", "won"))
    ]
    now = snapshot_now(deal, "pd:42", UTC)
    assert (now.owner, now.fields) == ("rep-7", {"amount": 2000})


def test_both_versions_tell_the_same_thing_once() -> None:
    crm = FakePipedrive()
    told = crm.make_deal(42, at=at(0), stage_id=1, custom_fields={"ab12": {"type": "text", "value": "call"}})
    told += crm.change(42, at=at(1), stage_id=2, custom_fields={"ab12": {"type": "text", "value": "send"}})
    for webhook in told:
        second = read(json.dumps(webhook).encode(), SETTINGS)
        first = read(json.dumps(as_v1(webhook)).encode(), SETTINGS)
        assert [one[:6] for one in first.events] == [one[:6] for one in second.events]
        again = {**webhook, "meta": {**webhook["meta"], "attempt": 3}}
        assert read(json.dumps(again).encode(), SETTINGS).events == second.events


def test_a_deal_is_closed_by_its_status_and_opened_again() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1)
    assert events(crm.change(42, at=at(1), status="won")[0]) == [("changed", "stage_id", "won", "1")]
    assert events(crm.change(42, at=at(2), status="open", stage_id=2)[0]) == [("changed", "stage_id", "2", "won")]
    assert events(crm.change(42, at=at(3), title="another")[0]) == []


def test_deletion_ends_a_deal() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1)
    gone = crm.delete(42, at=at(1))
    assert events(gone) == events(as_v1(gone)) == [("deleted", None, None, "-")]


def test_a_deal_is_gone_since_it_was_deleted_and_there_again_when_that_is_undone() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1)
    told = [crm.delete(42, at=at(5))]
    told += crm.change(42, at=at(6), is_deleted=False, status="open")
    told += [crm.delete(42, at=at(9))]
    told += crm.change(42, at=at(10), is_deleted=False, status="open")
    happened = [(one.kind, one.at) for webhook in told for one in read(json.dumps(webhook).encode(), SETTINGS).events
                if one.kind != "seen"]  # fmt: skip
    assert happened == [("deleted", at(5)), ("restored", at(6)), ("deleted", at(9)), ("restored", at(10))]
    again = {**told[1], "data": {**told[1]["data"], "status": "deleted"}, "previous": {"status": "open"}}
    assert events(again) == [("deleted", None, None, "-")]


def test_the_deal_that_went_into_another_is_gone_whoever_of_the_two_tells() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1)
    crm.make_deal(43, at=at(0), stage_id=2)
    gone, kept = crm.merge(43, 42, at=at(5))
    first = {
        "v": 1, "event": "merged.deal",
        "meta": {"action": "merged", "object": "deal", "id": 42, "company_id": COMPANY,
                 "timestamp": 1763633100, "timestamp_milli": 1763633100500},
        "current": {"id": 42, "stage_id": 1, "status": "open", "merge_what_id": 43},
        "previous": {"id": 43, "stage_id": 2, "status": "open"},
    }  # fmt: skip
    for webhook in (gone, kept, first):
        batch = read(json.dumps(webhook).encode(), SETTINGS)
        merged = [(one.object_id, one.kind, one.value, one.key) for one in batch.events if one.kind != "seen"]
        assert [one[:3] for one in merged] == [("43", "merged", "42")]
        assert batch.hints == (() if webhook is gone else ("42",))
    assert ("seen", "stage_id", "1", "-") in told_by(first)


def test_a_bulk_edit_tells_of_each_deal() -> None:
    crm = FakePipedrive()
    for deal in (42, 43):
        crm.make_deal(deal, at=at(0), stage_id=1)
    assert [events(one) for one in crm.change_all([42, 43], at=at(1), stage_id=2)] == [
        [("changed", "stage_id", "2", "1")], [("changed", "stage_id", "2", "1")],
    ]  # fmt: skip


def test_a_field_that_was_emptied_may_be_left_out_of_what_is_there_now() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1, custom_fields={"ab12": {"type": "text", "value": "call"}})
    [emptied] = crm.change(42, at=at(1), custom_fields={})
    assert events(emptied) == [("changed", "ab12", None, "call")]


def test_what_nobody_did_and_what_only_a_custom_field_says_is_told() -> None:
    crm = FakePipedrive()
    [made] = crm.make_deal(42, at=at(0), stage_id=1, custom_fields={"ab12": {"id": 7}, "cd34": None, "ef56": 3})
    meta = {**made["meta"], "action": "change", "user_id": None, "change_source": None, "entity_id": 42}
    changed = {"meta": meta, "data": made["data"], "previous": {"custom_fields": {"ab12": {"id": 6}}}}
    event = read(json.dumps(changed).encode(), SETTINGS).events[0]
    assert (event.object_id, event.name, event.value, event.previous) == ("42", "ab12", 7, 6)
    assert (event.by, event.channel) == (None, None)


def test_an_activity_that_moved_to_another_deal_is_gone_from_the_first() -> None:
    crm = FakePipedrive()
    told = crm.add_activity(43, at=at(3))
    for deal, there in ((43, [("43", True), ("42", False)]), (None, [("42", False)])):
        moved = {"meta": {**told["meta"], "action": "change"}, "data": {**told["data"], "deal_id": deal}}
        facts = read(json.dumps({**moved, "previous": {"deal_id": 42}}).encode(), SETTINGS).facts
        assert [(one.object_id, one.value is not None) for one in facts] == there


@pytest.mark.parametrize("deal", ["../7", "4 2", "\u0664\u0662", "x", "9" * 40])
def test_what_is_no_number_names_no_deal(deal: str) -> None:
    [made] = FakePipedrive().make_deal(42, at=at(0), stage_id=1)
    made["meta"]["entity_id"] = deal
    with pytest.raises(Malformed, match="event_field_wrong"):
        read(json.dumps(made).encode(), SETTINGS)


def test_a_change_counts_at_its_own_time_to_the_second_as_the_changelog_tells_it() -> None:
    [made] = FakePipedrive().make_deal(42, at=at(0), stage_id=1)

    def time(sent: str, changed: str | None) -> str:
        meta, data = {**made["meta"], "action": "change", "timestamp": sent}, {**made["data"], "update_time": changed}
        whole = {"meta": meta, "data": data, "previous": {"value": 1}}
        return read(json.dumps(whole).encode(), SETTINGS).events[0].at.isoformat()[11:]

    assert time("2026-06-25T07:19:33.001Z", "2026-06-25T07:19:32.999Z") == "07:19:32+00:00"
    assert time("2026-06-25T07:25:00.000Z", "2026-06-25 07:19:32") == "07:19:32+00:00"
    assert time("1782371972", "2026-06-25T07:19:31Z") == "07:19:31+00:00"
    assert time("1782371972", None) == time("2026-06-25T07:19:32.123Z", None) == "07:19:32+00:00"


def test_an_activity_is_a_fact_of_its_deal() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=1)
    body = json.dumps(crm.add_activity(42, at=at(3), result="Held", participants=[{"person_id": 7}], attendees=[
        {"person_id": 8, "status": "accepted"}, {"person_id": 9, "status": "declined"}, {"email": "x@example.com"},
    ])).encode()  # fmt: skip
    [fact] = read(body, SETTINGS).facts
    assert (fact.object_id, fact.group, fact.at) == ("42", "activity", at(3))
    assert fact.value == {
        "id": fact.id, "activity": "demo", "at": at(3).isoformat(), "status": "done", "outcome": "held",
        "contacts": ["7", "8"], "by": "rep-7",
    }  # fmt: skip
    planned = json.dumps(crm.add_activity(42, at=at(9), done=False, type="lunch", owner_id=5)).encode()
    [fact] = read(planned, SETTINGS).facts
    assert fact.value is not None
    assert (fact.value["status"], fact.value["activity"], fact.value["by"]) == ("planned", "lunch", "5")


def test_what_is_not_of_a_deal_is_nothing_to_us() -> None:
    crm = FakePipedrive()
    lonely = crm.add_activity(42, at=at(3), deal_id=None)
    person = {"meta": {**lonely["meta"], "entity": "person"}, "data": {"id": 1, "update_time": "2026-01-01 10:00:00"}}
    for body in (lonely, person):
        batch = read(json.dumps(body).encode(), SETTINGS)
        assert (batch.events, batch.facts, batch.ignored) == ((), (), 1)


def test_another_company_s_delivery_is_refused() -> None:
    [made] = FakePipedrive().make_deal(42, at=at(0), stage_id=1)
    made["meta"]["company_id"] = 999
    with pytest.raises(Malformed, match="event_of_another_account"):
        read(json.dumps(made).encode(), SETTINGS)


def test_only_who_has_the_password_is_let_in() -> None:
    def accepts(headers: dict[str, str], *secrets: str) -> bool:
        given = list(secrets) or [f"{USER}:{PASSWORD}"]
        return verify(given, method="POST", uri="https://x/", headers=headers, body=b"{}", now=NOON)

    assert accepts(basic())
    assert accepts(basic(), "older:one", f"{USER}:{PASSWORD}")
    wrong: list[dict[str, str]] = [
        {}, basic(password="x"), basic(user="x"), {"authorization": "Basic"}, {"authorization": "Basic %%%"},
        {"authorization": "Basic \udcff"}, {"authorization": "Bearer " + basic()["authorization"][6:]},
        {"authorization": "Basic " + "A" * 100_000},
    ]  # fmt: skip
    assert [accepts(headers) for headers in wrong] == [False] * len(wrong)


def test_a_deal_as_the_api_writes_it_is_so_now() -> None:
    crm = FakePipedrive()
    crm.make_deal(42, at=at(0), stage_id=2, value=7)
    for found in (crm.deals[42], {"success": True, "data": crm.deals[42]}):
        told = [(one.kind, one.name, one.value, one.at) for one in record(found, SETTINGS, NOON)]
        assert ("seen", "stage_id", "2", NOON) in told
        assert ("seen", "value", 7, NOON) in told


def _history(chance: random.Random) -> list[bytes]:
    """A deal's making and four more things that happen to it, some of them told by the older version."""
    crm = FakePipedrive()
    told = list(crm.make_deal(42, at=at(0), stage_id=chance.choice((1, 2)), value=chance.randrange(3)))
    minute = 0.0
    while len(told) < 5:
        minute += chance.choice((0.5, 1, 90))
        if chance.random() < 0.3:
            told.append(crm.add_activity(42, at=at(minute)))
        else:
            fields: dict[str, Any] = {
                "stage_id": chance.choice((1, 2)),
                "status": chance.choice(("open", "won", "lost")),
            }
            told += crm.change(42, at=at(minute), **fields, value=chance.randrange(3))
    return [json.dumps(as_v1(one) if chance.random() < 0.3 and "deal" in str(one["meta"]["entity"]) else one).encode()
            for one in told]  # fmt: skip


def test_any_order_and_any_copies_end_in_the_same_deal() -> None:
    expect_the_same_in_any_order(SETTINGS, _history, "42", read)


def test_hostile_deliveries_are_refused_and_nothing_else() -> None:
    crm = FakePipedrive()
    crm.make_deal(43, at=at(0), stage_id=1)
    [made] = crm.make_deal(42, at=at(0), stage_id=1, custom_fields={"ab12": {"value": "x"}})
    [moved] = crm.change(42, at=at(5), stage_id=2)
    good = [made, moved, as_v1(moved), crm.add_activity(42, at=at(3), participants=[{"person_id": 7}]),
            *crm.merge(43, 42, at=at(6))]  # fmt: skip
    expect_only_refusals(read, SETTINGS, good)


def test_a_configuration_that_is_none_drafts_nothing_and_breaks_nothing() -> None:
    whole = {
        "pipelines": [{"id": 1, "name": "x"}],
        "stages": [{"id": 1, "pipeline_id": 1, "name": "a", "order_nr": 1}],
        "fields": [{"key": "a", "name": "b", "field_type": "enum", "options": [{"id": 1, "label": "x"}]}],
        "users": [{"id": 1, "name": "x"}],
        "me": {"company_id": 1},
    }
    for one in changed(whole):
        assert drafted("pipedrive", configuration(one), load_process(SALES, source="sales.yaml")).settings
