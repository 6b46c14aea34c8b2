"""The `activity` requirement: what counts, what is ignored and why, and the way out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.engine import Finding
from tests.builders_engine import AS_OF, Parts, activity, after, asking, before, blocking, deal, finding

ENTRY = datetime(2026, 11, 10, 9, tzinfo=UTC)
MADE = datetime(2026, 10, 1, 9, tzinfo=UTC)
TICK = {"microseconds": 1}


def missing(expected: Parts, actual: Parts, *remediation: Parts, since: datetime | None = None) -> Finding:
    return blocking("activity_missing", expected, actual, *remediation, params={"since": since})


def asked(**options: Any) -> Parts:
    return {"id": "asked", "activity": "demo", **options}


DO = {"kind": "do_activity", "activity": "demo", "times": 1}


def test_an_activity_that_never_happened_is_missing() -> None:
    assert missing({"activity": "demo", "at_least": 1}, {"count": 0, "ignored": []}, DO) == finding(asking(asked()))


def test_an_activity_done_at_that_very_instant_counts() -> None:
    assert None is finding(asking(asked()), deal(activities=[activity(1, at=AS_OF)]))


IGNORED: list[tuple[str, Parts, Parts, datetime | None]] = [
    ("status", {}, activity(1, status="planned", at=after(days=1)), None),
    ("status", {"status": "planned"}, activity(1), None),
    ("as_of", {}, activity(1, at=after(**TICK)), None),
    ("as_of", {"status": "planned"}, activity(1, at=AS_OF, status="planned"), None),
    ("as_of", {"status": "planned"}, activity(1, at=before(days=1), status="planned"), None),
    ("outcome", {"outcome": "held"}, activity(1, outcome="no_show"), None),
    ("outcome", {"outcome": "held"}, activity(1), None),
    ("outcome", {"outcome": "held"}, activity(1, outcome="Held"), None),
    ("direction", {"direction": "inbound"}, activity(1, direction="outbound"), None),
    ("direction", {"direction": "inbound"}, activity(1), None),
    ("within", {"within": "30d"}, activity(1, at=before(days=30, **TICK)), before(days=30)),
    ("within", {"status": "planned", "within": "2d"}, activity(1, at=after(days=2, **TICK), status="planned"), None),
    ("since", {"since": "stage_entry"}, activity(1, at="2026-11-10T08:59:59Z"), ENTRY),
    ("since", {"since": "deal_start"}, activity(1, at="2026-10-01T08:59:59Z"), MADE),
    ("since", {"since": {"stage": "first"}}, activity(1, at="2026-11-10T08:59:59Z"), ENTRY),
    ("with", {"with": "buyer"}, activity(1), None),
    ("with", {"with": "buyer"}, activity(1, contacts=["c-2", "c-9"]), None),
]


@pytest.mark.parametrize(("because", "options", "given", "since"), IGNORED)
def test_an_ignored_activity_says_why(because: str, options: Parts, given: Parts, since: datetime | None) -> None:
    contacts = [{"id": "c-1", "role": "buyer"}, {"id": "c-2", "role": "champion"}, {"id": "c-3"}]
    found = finding(asking(asked(**options)), deal(activities=[given], contacts=contacts))
    assert found is not None
    assert ("activity_missing", "block") == (found.code, found.severity)
    assert {"count": 0, "ignored": [{"id": "a-1", "because": because}]} == found.actual
    assert {"since": since} == found.params


COUNTING: list[tuple[Parts, list[Parts]]] = [
    ({"status": "planned"}, [activity(1, at=after(**TICK), status="planned")]),
    ({"status": "planned", "within": "2d"}, [activity(1, at=after(days=2), status="planned")]),
    ({"outcome": "held"}, [activity(1, outcome="held")]),
    ({"direction": "inbound"}, [activity(1, direction="inbound")]),
    ({"within": "30d"}, [activity(1, at=before(days=30))]),
    ({"within": "90m"}, [activity(1, at=before(minutes=90))]),
    ({"within": "2w"}, [activity(1, at=before(days=14))]),
    ({"since": "stage_entry"}, [activity(1, at=ENTRY)]),
    ({"since": "deal_start"}, [activity(1, at=MADE)]),
    ({"since": {"stage": "first"}}, [activity(1, at=ENTRY)]),
    ({"with": "buyer"}, [activity(1, contacts=["c-9", "c-1"])]),
    ({"at_least": 2}, [activity(1), activity(2)]),
    ({"people": 2}, [activity(1, contacts=["c-1", "c-1"]), activity(2, contacts=["c-2"])]),
    ({"activity": ["review", "demo"]}, [activity(1)]),
    ({"activity": "any"}, [activity(1, "review")]),
    ({"activity": ["demo", "call"], "at_least": 2}, [activity(1), activity(2, "call")]),
]


@pytest.mark.parametrize(("options", "given"), COUNTING)
def test_an_activity_on_the_boundary_counts(options: Parts, given: list[Parts]) -> None:
    contacts = [{"id": "c-1", "role": "buyer"}, {"id": "c-2", "role": "champion"}]
    assert None is finding(asking(asked(**options)), deal(activities=given, contacts=contacts))


def test_since_and_within_hold_both() -> None:
    compiled = asking(asked(since="stage_entry", within="30d"))
    found = finding(compiled, deal(activities=[activity(1, at=before(days=20)), activity(2, at=before(days=40))]))
    ignored = [{"id": "a-1", "because": "since"}, {"id": "a-2", "because": "since"}]
    expected = {"activity": "demo", "at_least": 1, "within": "30d"}
    assert missing(expected, {"count": 0, "ignored": ignored}, DO, since=ENTRY) == found
    compiled = asking(asked(since="deal_start", within="7d"))
    found = finding(compiled, deal(activities=[activity(1, at=before(days=8))]))
    expected = {"activity": "demo", "at_least": 1, "since": "deal_start", "within": "7d"}
    ignored = [{"id": "a-1", "because": "within"}]
    assert missing(expected, {"count": 0, "ignored": ignored}, DO, since=before(days=7)) == found


def test_a_stage_named_by_since_means_its_first_entry() -> None:
    history = [
        {"stage": "second", "entered_at": "2026-10-05T09:00:00Z"},
        {"stage": "first", "entered_at": "2026-10-06T09:00:00Z"},
        {"stage": "second", "entered_at": "2026-10-03T09:00:00Z"},
    ]
    compiled = asking(asked(since={"stage": "second"}))
    met = deal(activities=[activity(1, at="2026-10-03T09:00:00Z")], stage_history=history)
    assert None is finding(compiled, met)
    unmet = deal(activities=[activity(1, at="2026-10-03T08:59:59Z")], stage_history=history)
    expected = {"activity": "demo", "at_least": 1, "since": {"stage": "second"}}
    actual = {"count": 0, "ignored": [{"id": "a-1", "because": "since"}]}
    first = datetime(2026, 10, 3, 9, tzinfo=UTC)
    assert missing(expected, actual, DO, since=first) == finding(compiled, unmet)


UNKNOWN_BASES: list[tuple[str, Any, Parts]] = [
    ("stage_entry_unknown", "stage_entry", {"stage_entered_at": ...}),
    (
        "stage_entry_unknown",
        "stage_entry",
        {"stage_entered_at": ..., "stage_history": [{"stage": "second", "entered_at": "2026-10-05T09:00:00Z"}]},
    ),
    ("deal_start_unknown", "deal_start", {"created_at": ...}),
    ("stage_never_entered", {"stage": "second"}, {}),
]


@pytest.mark.parametrize(("because", "since", "facts"), UNKNOWN_BASES)
def test_a_base_time_that_is_not_known_makes_it_unknown(because: str, since: Any, facts: Parts) -> None:
    found = finding(asking(asked(since=since)), deal(activities=[activity(1)], **facts))
    shown = {} if since == "stage_entry" else {"since": since}
    expected = {"activity": "demo", "at_least": 1, **shown}
    actual = {"count": 0, "ignored": [], "because": because}
    assert blocking("cannot_evaluate", expected, actual, params={"since": None}) == found


def test_the_entry_time_is_taken_from_the_history_when_it_is_not_given() -> None:
    history = [
        {"stage": "first", "entered_at": "2026-11-10T09:00:00Z"},
        {"stage": "second", "entered_at": "2026-11-05T09:00:00Z"},
    ]
    compiled = asking(asked(since="stage_entry"))
    known = deal(activities=[activity(1, at=ENTRY)], stage_entered_at=..., stage_history=history)
    assert None is finding(compiled, known)


def test_at_least_counts_and_asks_for_the_rest() -> None:
    found = finding(asking(asked(at_least=3)), deal(activities=[activity(1), activity(2, at=after(days=1))]))
    actual = {"count": 1, "ignored": [{"id": "a-2", "because": "as_of"}]}
    assert missing({"activity": "demo", "at_least": 3}, actual, {**DO, "times": 2}) == found


def test_the_same_activity_sent_twice_counts_once() -> None:
    found = finding(asking(asked(at_least=2)), deal(activities=[activity(1), activity(1)]))
    assert missing({"activity": "demo", "at_least": 2}, {"count": 1, "ignored": []}, DO) == found


def test_people_are_distinct_contacts_of_the_same_matches() -> None:
    compiled = asking(asked(people=3, outcome="held"))
    given = [
        activity(1, outcome="held", contacts=["c-1", "c-2"]),
        activity(2, outcome="held", contacts=["c-2"]),
        activity(3, outcome="no_show", contacts=["c-3"]),
    ]
    expected = {"activity": "demo", "outcome": "held", "at_least": 1, "people": 3}
    actual = {"count": 2, "people": 2, "ignored": [{"id": "a-3", "because": "outcome"}]}
    step = {"kind": "do_activity", "activity": "demo", "outcome": "held", "people": 1, "times": 1}
    assert missing(expected, actual, step) == finding(compiled, deal(activities=given))


def test_people_under_with_are_those_of_that_role_only() -> None:
    compiled = asking(asked(people=2, **{"with": "buyer"}))
    contacts = [{"id": f"c-{n}", "role": role} for n, role in enumerate(["buyer", "champion", "champion"])]
    given = [activity(1, contacts=["c-0", "c-1", "c-2"]), activity(2, contacts=["c-1"])]
    expected = {"activity": "demo", "at_least": 1, "with": "buyer", "people": 2}
    actual = {"count": 1, "people": 1, "ignored": [{"id": "a-2", "because": "with"}]}
    name = {"kind": "name_contact", "role": "buyer", "times": 1}
    step = {"kind": "do_activity", "activity": "demo", "with": "buyer", "people": 1, "times": 1}
    assert missing(expected, actual, name, step) == finding(compiled, deal(activities=given, contacts=contacts))


def test_nobody_is_named_anew_while_one_of_the_role_was_not_met_yet() -> None:
    compiled = asking(asked(people=2, **{"with": "buyer"}))
    contacts = [{"id": f"c-{n}", "role": "buyer"} for n in range(2)]
    found = finding(compiled, deal(activities=[activity(1, contacts=["c-0"])], contacts=contacts))
    assert found is not None
    step = {"kind": "do_activity", "activity": "demo", "with": "buyer", "people": 1, "times": 1}
    assert (step,) == found.remediation


def test_with_asks_to_name_the_person_first_where_nobody_has_the_role() -> None:
    expected = {"activity": "demo", "at_least": 1, "with": "buyer"}
    name = {"kind": "name_contact", "role": "buyer", "times": 1}
    step = {"kind": "do_activity", "activity": "demo", "with": "buyer", "times": 1}
    assert missing(expected, {"count": 0, "ignored": []}, name, step) == finding(asking(asked(**{"with": "buyer"})))


def test_enough_people_but_too_few_times_asks_for_times_alone() -> None:
    found = finding(asking(asked(at_least=2, people=1)), deal(activities=[activity(1, contacts=["c-1"])]))
    assert (
        missing({"activity": "demo", "at_least": 2, "people": 1}, {"count": 1, "people": 1, "ignored": []}, DO) == found
    )


def test_a_planned_one_is_booked_and_within_says_how_soon() -> None:
    found = finding(asking(asked(status="planned", within="7d")))
    expected = {"activity": "demo", "status": "planned", "at_least": 1, "within": "7d"}
    book = {"kind": "book_activity", "activity": "demo", "within": "7d", "times": 1}
    assert missing(expected, {"count": 0, "ignored": []}, book) == found


def test_one_of_several_kinds_leaves_the_choice() -> None:
    found = finding(asking(asked(activity=["demo", "call"], outcome="reached", direction="inbound")))
    expected = {"activity": ["demo", "call"], "outcome": "reached", "at_least": 1, "direction": "inbound"}
    step = {"kind": "do_activity", "activity": "call", "outcome": "reached", "direction": "inbound", "times": 1}
    assert missing(expected, {"count": 0, "ignored": []}, step) == found, "a demo cannot end as `reached`"
    found = finding(asking(asked(activity=["demo", "call"], outcome="held")))
    expected = {"activity": ["demo", "call"], "outcome": "held", "at_least": 1}
    steps = [{"kind": "do_activity", "activity": key, "outcome": "held", "times": 1} for key in ("demo", "call")]
    assert missing(expected, {"count": 0, "ignored": []}, {"one_of": steps}) == found


def test_any_is_every_declared_kind_and_no_other() -> None:
    found = finding(asking(asked(activity="any")), deal(activities=[activity(1, "lunch")]))
    steps = [{"kind": "do_activity", "activity": key, "times": 1} for key in ("demo", "call", "review")]
    assert missing({"activity": "any", "at_least": 1}, {"count": 0, "ignored": []}, {"one_of": steps}) == found


def test_nothing_helps_where_no_activity_is_declared() -> None:
    found = finding(asking(asked(activity="any"), activities=[], fields=[]))
    assert missing({"activity": "any", "at_least": 1}, {"count": 0, "ignored": []}) == found


def test_a_base_time_ahead_must_come_first() -> None:
    found = finding(asking(asked(since="stage_entry")), deal(stage_entered_at="2026-12-01T09:00:00Z"))
    wait = {"kind": "wait_until", "until": "2026-12-01T09:00:00Z"}
    entry = datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert missing({"activity": "demo", "at_least": 1}, {"count": 0, "ignored": []}, wait, DO, since=entry) == found


def test_activities_that_nobody_brought_make_it_unknown_unless_those_known_suffice() -> None:
    compiled = asking(asked(at_least=2))
    one = deal(activities=[activity(1)])
    lacking = frozenset({"activities"})
    actual = {"count": 1, "ignored": [], "because": "facts_missing"}
    expected = {"activity": "demo", "at_least": 2}
    unknown = blocking("cannot_evaluate", expected, actual, params={"since": None})
    assert unknown == finding(compiled, one, missing=lacking)
    assert None is finding(compiled, deal(activities=[activity(1), activity(2)]), missing=lacking)
    assert "activity_missing" == getattr(finding(compiled, one, missing=frozenset({"fields"})), "code", None)


@pytest.mark.parametrize("options", [{"with": "buyer"}, {"people": 2}])
def test_people_that_nobody_brought_make_it_unknown_too(options: Parts) -> None:
    found = finding(asking(asked(**options)), deal(activities=[activity(1)]), missing=frozenset({"contacts"}))
    assert found is not None
    assert ("cannot_evaluate", "facts_missing", ()) == (found.code, found.actual["because"], found.remediation)


def test_a_stage_history_that_nobody_brought_is_the_reason_rather_than_a_stage_never_entered() -> None:
    compiled = asking(asked(since={"stage": "second"}))
    found = finding(compiled, deal(activities=[activity(1)]), missing=frozenset({"stage_history"}))
    actual = {"count": 0, "ignored": [], "because": "facts_missing"}
    expected = {"activity": "demo", "at_least": 1, "since": {"stage": "second"}}
    assert blocking("cannot_evaluate", expected, actual, params={"since": None}) == found


NEGATED: list[tuple[Parts, list[Parts], int, list[Parts]]] = [
    ({}, [activity(1)], 1, []),
    ({"within": "7d"}, [activity(1, at=before(days=3))], 1, [{"kind": "wait_until", "until": "2026-11-27T10:00:01Z"}]),
    (
        {"within": "7d", "at_least": 2},
        [activity(n, at=before(days=n)) for n in (3, 1, 2)],
        3,
        [{"kind": "wait_until", "until": "2026-11-28T10:00:01Z"}],
    ),
    (
        {"status": "planned"},
        [activity(n, at=after(days=n), status="planned") for n in (1, 4, 2)],
        3,
        [{"kind": "wait_until", "until": "2026-11-27T10:00:00Z"}],
    ),
    (  # the second one enters the window while the first is waited for
        {"status": "planned", "within": "2d"},
        [activity(n, at=after(days=n + 0.5), status="planned") for n in (1, 2)],
        1,
        [{"kind": "wait_until", "until": "2026-11-25T22:00:00Z"}],
    ),
    (  # the second one happened after the moment that is asked about
        {"within": "7d"},
        [activity(1, at=before(days=3)), activity(2, at=after(days=2))],
        1,
        [{"kind": "wait_until", "until": "2026-12-02T10:00:01Z"}],
    ),
    ({"since": "stage_entry"}, [activity(1, at=before(days=3)), activity(2, at=before(days=30))], 1, []),
]


@pytest.mark.parametrize(("options", "given", "count", "remediation"), NEGATED)
def test_the_opposite_must_not_hold_and_at_most_time_helps(
    options: Parts, given: list[Parts], count: int, remediation: list[Parts]
) -> None:
    compiled = asking({"id": "asked", "not": {"activity": "demo", **options}})
    found = finding(compiled, deal(activities=given))
    assert found is not None
    assert ("must_not_hold", {"count": count, "ignored": []}) == (found.code, found.actual)
    assert (tuple(remediation), {"since": None}) == (found.remediation, {"since": None})
    assert None is finding(compiled, deal())
