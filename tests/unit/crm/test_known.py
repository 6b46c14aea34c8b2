"""What is known of a deal at a time, however long its history: found by property, and each version read once."""

import random
from datetime import datetime, timedelta

from app.crm.changes import Changes
from app.crm.client import Told
from app.crm.events import Event, EventKind, Fact
from app.crm.facts import MOST_FACTS, with_facts
from app.crm.known_facts import KnownFacts
from app.crm.record import Record
from app.crm.state import tell
from app.crm.timeline import Entry, history_of, timeline
from app.engine.snapshot import Activity, Contact
from tests.crm.builders import NOON, hubspot_settings

KINDS: tuple[EventKind, ...] = ("changed", "seen")
NAMES = ("stage", "amount", "owner", "never")


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_property_is_found_as_by_going_through_all_that_was_told() -> None:
    chance = random.Random(4)  # noqa: S311 - repeatable, not secret
    for _ in range(200):
        times = sorted(chance.randrange(8) for _ in range(chance.randrange(12)))
        events = [
            Event(f"{place}", "7", chance.choice(KINDS), after(at), chance.choice(NAMES[:3]), place,
                  previous="before", tells_previous=chance.random() < 0.5)
            for place, at in enumerate(times)
        ]  # fmt: skip
        changes, until = Changes(events), after(chance.randrange(9) - 0.5 * chance.randrange(2))
        for name in NAMES:
            told = [one for one in events if one.name == name]
            then = [one for one in told if one.at <= until]
            assert changes.of(name) == (told or ())
            assert (changes.first(name), changes.latest(name)) == ((told[0], told[-1]) if told else (None, None))
            assert changes.latest(name, until) == (then[-1] if then else None)


def test_before_its_first_change_a_property_is_what_that_tells_of_before() -> None:
    told = Event("1", "7", "changed", NOON, "amount", "9", "77", previous="5", tells_previous=True)
    silent, seen = told._replace(tells_previous=False), told._replace(kind="seen")
    assert Changes([told]).known_by("amount", after(-1)) == told._replace(value="5", by=None)
    assert Changes([silent]).known_by("amount", after(-1)) is None
    assert Changes([seen]).known_by("amount", after(-1)) == seen
    assert Changes([told]).known_by("amount", NOON) == told
    assert Changes([]).known_by("amount", NOON) is None


def test_an_activity_is_read_once_for_all_the_moves_that_it_may_matter_to() -> None:
    value = {"activity": "demo", "at": NOON.isoformat(), "status": "done"}
    told = [Fact("7", "activity", name, after(1), {"id": name, **value}) for name in ("b", "a")]
    known = KnownFacts(with_facts({}, {}, told))
    [first, second] = known.activities_at(after(5), after(6))
    assert (first.id, second.id) == ("a", "b")
    assert first is known.activities_at(after(7), after(8))[0] is known.now(Activity)[0] is known.ever(Activity)[0]
    [planned, _] = known.activities_at(after(-9), after(-8))
    assert (planned.status, planned is known.activities_at(after(-7), after(-6))[0]) == ("planned", True)
    assert known.activities_at(after(-1), after(0))[0] == first.model_copy(update={"at": after(-1)})


def _told(number: int, at: datetime) -> Fact:
    return Fact("7", "contact", f"c{number}:boss", at, {"id": f"c{number}"})


def test_of_a_deal_with_endless_facts_the_newest_count_and_no_other_is_taken_for_ours() -> None:
    told = [_told(number, after(number)) for number in range(MOST_FACTS + 5)]
    for order in (told, told[::-1]):
        facts = with_facts(with_facts({}, {}, order[:9]), {}, order[9:])
        known = KnownFacts(facts)
        assert {one.id for one in known.now(Contact)} == {f"c{number}" for number in range(5, MOST_FACTS + 5)}
        assert {f"c{number}" for number in range(MOST_FACTS + 5)} <= known.ids("contact")
        assert with_facts(facts, {}, order) == facts
        again = KnownFacts(with_facts(facts, {}, [_told(0, after(MOST_FACTS + 9))])).now(Contact)
        assert {"c0", "c5"} & {one.id for one in again} == {"c0"}
    gone = with_facts({}, {}, [one._replace(value=None) for one in told])
    assert len(with_facts(gone, {}, [])["contact"]) == MOST_FACTS


def test_a_group_with_more_than_is_kept_is_not_known_whole() -> None:
    told = [_told(number, NOON) for number in range(MOST_FACTS + 1)]
    few, many = (Told((), tuple(facts), frozenset({"contacts"}), NOON) for facts in (told[1:], told))
    assert set(Record().with_told("7", few).readings) == {"contacts"}
    assert set(Record().with_told("7", many).readings) == set()
    later = many._replace(read_at=after(1))
    assert set(Record().with_told("7", few).with_told("7", later).readings) == set()


def test_a_stay_is_made_once_for_all_the_moves_that_come_after_it() -> None:
    known = [
        Entry("sales", "demo_scheduled", None), Entry("sales", "demo_completed", NOON),
        Entry("renewals", "due", after(1)), Entry(None, "unmapped:x", after(2)), Entry("sales", "won", after(3)),
    ]  # fmt: skip
    line = timeline(hubspot_settings(), (), known)
    whole = history_of(line, "sales", 5)
    assert [(one.stage, one.entered_at) for one in whole] == [
        ("demo_completed", NOON), ("unmapped:x", after(2)), ("won", after(3)),
    ]  # fmt: skip
    assert [history_of(line, "sales", count) for count in range(5)] == [(), (), whole[:1], whole[:1], whole[:2]]
    assert all(one is other for one, other in zip(whole, history_of(line, "sales", 4), strict=False))
    assert [one.stage for one in history_of(line, "renewals", 5)] == ["due", "unmapped:x"]


def test_every_approval_that_was_ever_given_is_known_from_the_start() -> None:
    settings = hubspot_settings(approvals={"legal_ok": {"role": "sales_manager"}, "ok_by": {"role": "rep"}})
    told = [
        Event("1", "7", "changed", NOON, "legal_ok", "true", by="77"),
        Event("2", "7", "changed", after(1), "legal_ok", "", by="78"),
        Event("3", "7", "changed", after(2), "ok_by", "rep-7", by="78"),
        Event("4", "7", "changed", after(3), "legal_ok", "true", by="78"),
    ]
    value = {"role": "rep", "by": "rep-9", "from": "demo_scheduled", "to": "won", "at": NOON.isoformat()}
    deal = tell(settings, Record(), told, None, facts=[Fact("7", "approval", "p", NOON, value)])
    assert deal.approved == {
        ("sales_manager", "rep-7", NOON), ("rep", "rep-7", after(2)), ("sales_manager", "78", after(3)),
        ("rep", "rep-9", NOON),
    }  # fmt: skip
