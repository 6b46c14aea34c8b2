"""The requirements on people and time: contact, stage_age, deal_age, approval, mover."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.engine import Actor, Finding
from tests.builders_engine import AS_OF, Parts, asking, before, blocking, deal, finding, moment

MADE = moment("2026-10-01T09:00:00Z")
NAME = {"kind": "name_contact", "role": "buyer", "times": 1}


def test_a_contact_role_is_named_or_missing() -> None:
    compiled = asking({"id": "asked", "contact": "buyer"})
    named = deal(contacts=[{"id": "c-1", "role": "buyer"}])
    assert None is finding(compiled, named)
    other = deal(contacts=[{"id": "c-1", "role": "champion"}, {"id": "c-2"}])
    expected = {"contact": "buyer", "at_least": 1}
    assert blocking("contact_missing", expected, {"count": 0}, NAME) == finding(compiled, other)


def test_contacts_count_as_people_and_ask_for_the_rest() -> None:
    compiled = asking({"id": "asked", "contact": "buyer", "at_least": 3})
    given = deal(contacts=[{"id": "c-1", "role": "buyer"}, {"id": "c-1", "role": "buyer"}])
    expected = {"contact": "buyer", "at_least": 3}
    assert blocking("contact_missing", expected, {"count": 1}, {**NAME, "times": 2}) == finding(compiled, given)


def test_a_contact_must_not_be_there_and_nothing_helps() -> None:
    compiled = asking({"id": "asked", "not": {"contact": "buyer"}})
    expected = {"not": {"contact": "buyer", "at_least": 1}}
    found = finding(compiled, deal(contacts=[{"id": "c-1", "role": "buyer"}]))
    assert blocking("must_not_hold", expected, {"count": 1}) == found
    assert None is finding(compiled)


def test_contacts_that_nobody_brought_make_it_unknown() -> None:
    compiled = asking({"id": "asked", "contact": "buyer"})
    expected = {"contact": "buyer", "at_least": 1}
    lacking = frozenset({"contacts"})
    unknown = blocking("cannot_evaluate", expected, {"count": 0, "because": "facts_missing"})
    assert unknown == finding(compiled, missing=lacking)
    assert None is finding(compiled, deal(contacts=[{"id": "c-1", "role": "buyer"}]), missing=lacking)


# stage_age and deal_age: the deal entered its stage 13 days and an hour ago, and is 53 days and an hour old

AGES: list[tuple[Parts, timedelta, str | None, timedelta | None, bool]] = [
    ({"at_least": "3d"}, timedelta(days=3), None, None, False),
    ({"at_least": "3d"}, timedelta(days=3, seconds=-1), "too_early", timedelta(days=3), True),
    ({"at_most": "60d"}, timedelta(days=60), None, None, False),
    ({"at_most": "60d"}, timedelta(days=60, seconds=1), "too_late", timedelta(days=60), False),
    ({"at_least": "3d", "at_most": "3d"}, timedelta(days=3), None, None, False),
    ({"at_least": "3d", "at_most": "60d"}, timedelta(days=2), "too_early", timedelta(days=3), True),
    ({"at_least": "3d", "at_most": "60d"}, timedelta(days=61), "too_late", timedelta(days=60), False),
    ({"at_least": "36525d"}, timedelta(days=1), "too_early", timedelta(days=36525), True),
    ({"at_least": "1d"}, timedelta(hours=23), "too_early", timedelta(hours=24), True),
    ({"at_most": "1d"}, timedelta(days=-1), None, None, False),
]


def aged(kind: str, age: timedelta) -> Any:
    name = "stage_entered_at" if kind == "stage_age" else "created_at"
    return deal(**{name: (AS_OF - age).isoformat()})


def utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("kind", ["stage_age", "deal_age"])
@pytest.mark.parametrize(("bounds", "age", "code", "until", "helps"), AGES)
def test_an_age_counts_its_bounds(
    *, kind: str, bounds: Parts, age: timedelta, code: str | None, until: timedelta | None, helps: bool
) -> None:
    found = finding(asking({"id": "asked", kind: bounds}), aged(kind, age))
    if code is None or until is None:
        assert None is found
        return
    since, then = AS_OF - age, AS_OF - age + until
    actual = {"since": utc(since), "age_minutes": int(age.total_seconds() // 60)}
    wait = [{"kind": "wait_until", "until": utc(then)}] if helps else []
    assert blocking(code, {kind: bounds}, actual, *wait, params={"until": then}) == found


def test_a_day_is_24_hours_over_the_change_of_the_clocks() -> None:
    compiled = asking({"id": "asked", "stage_age": {"at_least": "1d"}})
    entered = deal(stage_entered_at="2026-10-24T12:00:00+02:00")
    assert None is not finding(compiled, entered, as_of=moment("2026-10-25T10:59:59+01:00"))
    assert None is finding(compiled, entered, as_of=moment("2026-10-25T11:00:00+01:00"))


@pytest.mark.parametrize(
    ("kind", "fact", "because"),
    [("stage_age", "stage_entered_at", "stage_entry_unknown"), ("deal_age", "created_at", "deal_start_unknown")],
)
def test_an_age_without_its_start_is_unknown_negated_too(kind: str, fact: str, because: str) -> None:
    unknown_start: dict[str, Any] = {fact: ...}
    given = deal(**unknown_start)
    actual = {"since": None, "age_minutes": None, "because": because}
    asked = {kind: {"at_least": "3d"}}
    unknown = blocking("cannot_evaluate", asked, actual)
    assert unknown == finding(asking({"id": "asked", **asked}), given)
    assert unknown._replace(expected={"not": asked}) == finding(asking({"id": "asked", "not": asked}), given)


def test_an_age_that_must_not_hold_is_waited_out_where_it_ends() -> None:
    asked = {"deal_age": {"at_least": "1d", "at_most": "60d"}}
    found = finding(asking({"id": "asked", "not": asked}))
    actual = {"since": "2026-10-01T09:00:00Z", "age_minutes": 53 * 1440 + 60}
    wait = {"kind": "wait_until", "until": "2026-11-30T09:00:01Z"}
    assert blocking("must_not_hold", {"not": asked}, actual, wait) == found
    asked = {"deal_age": {"at_least": "1d"}}
    assert blocking("must_not_hold", {"not": asked}, actual) == finding(asking({"id": "asked", "not": asked}))
    assert None is finding(asking({"id": "asked", "not": {"deal_age": {"at_least": "60d"}}}))


# approval

YES = {"role": "boss", "by": "mgr-2", "from": "first", "to": "second", "at": "2026-11-20T08:00:00Z"}
REQUEST = {"kind": "request_approval", "role": "boss"}
APPROVED = asking({"id": "asked", "approval": "boss"})
FRESH = asking({"id": "asked", "approval": "boss", "within": "2d"})


def unapproved(*ignored: Parts, **expected: Any) -> Finding:
    return blocking("approval_missing", {"approval": "boss", **expected}, {"ignored": list(ignored)}, REQUEST)


def test_a_move_is_approved_by_someone_with_the_role() -> None:
    assert None is finding(APPROVED, deal(approvals=[YES]))
    assert unapproved() == finding(APPROVED, deal())
    assert unapproved() == finding(APPROVED, deal(approvals=[{**YES, "role": "senior"}]))


@pytest.mark.parametrize("at", ["2026-11-10T09:00:00Z", "2026-11-23T10:00:00Z"])
def test_an_approval_at_stage_entry_or_at_that_very_instant_counts(at: str) -> None:
    assert None is finding(APPROVED, deal(approvals=[{**YES, "at": at}]))


IGNORED: list[tuple[str, Parts]] = [
    ("move", {"from": "second"}),
    ("move", {"to": "won"}),
    ("stage_entry", {"at": "2026-11-10T08:59:59Z"}),
    ("as_of", {"at": "2026-11-23T10:00:01Z"}),
    ("same_person", {"by": "rep-7"}),
]


@pytest.mark.parametrize(("because", "change"), IGNORED)
def test_an_ignored_approval_says_why(because: str, change: Parts) -> None:
    given = {**YES, **change}
    expected = unapproved({"role": "boss", "by": given["by"], "because": because})
    assert expected == finding(APPROVED, deal(approvals=[given]))


def test_an_approval_must_be_fresh_where_within_says_so() -> None:
    given = {**YES, "at": before(days=2, seconds=1).isoformat()}
    expected = unapproved({"role": "boss", "by": "mgr-2", "because": "within"}, within="2d")
    assert expected == finding(FRESH, deal(approvals=[given]))
    assert None is finding(FRESH, deal(approvals=[{**YES, "at": before(days=2).isoformat()}]))


def test_one_good_approval_among_bad_ones_suffices() -> None:
    assert None is finding(APPROVED, deal(approvals=[{**YES, "by": "rep-7"}, YES]))


def test_without_an_actor_or_an_entry_time_an_approval_is_unknown() -> None:
    given = deal(approvals=[YES])
    unknown = blocking("cannot_evaluate", {"approval": "boss"}, {"ignored": [], "because": "no_actor"})
    assert unknown == finding(APPROVED, given, actor=None)
    timeless = deal(approvals=[YES], stage_entered_at=...)
    unknown = unknown._replace(actual={"ignored": [], "because": "stage_entry_unknown"})
    assert unknown == finding(APPROVED, timeless)


def test_approvals_that_nobody_brought_make_it_unknown() -> None:
    lacking = frozenset({"approvals"})
    unknown = blocking("cannot_evaluate", {"approval": "boss"}, {"ignored": [], "because": "facts_missing"})
    assert unknown == finding(APPROVED, missing=lacking)
    assert None is finding(APPROVED, deal(approvals=[YES]), missing=lacking)


def test_an_approval_cannot_come_before_the_stage_is_entered() -> None:
    found = finding(APPROVED, deal(stage_entered_at="2026-12-01T09:00:00Z"))
    wait = {"kind": "wait_until", "until": "2026-12-01T09:00:00Z"}
    assert blocking("approval_missing", {"approval": "boss"}, {"ignored": []}, wait, REQUEST) == found


def test_an_approval_that_must_not_be_there_ages_out_or_nothing_helps() -> None:
    given = deal(approvals=[{**YES, "at": before(days=1).isoformat()}, {**YES, "at": before(hours=36).isoformat()}])
    expected = {"not": {"approval": "boss"}}
    found = finding(asking({"id": "asked", **expected}), given)
    assert blocking("must_not_hold", expected, {"ignored": []}) == found
    expected = {"not": {"approval": "boss", "within": "2d"}}
    wait = {"kind": "wait_until", "until": "2026-11-24T10:00:01Z"}
    found = finding(asking({"id": "asked", **expected}), given)
    assert blocking("must_not_hold", expected, {"ignored": []}, wait) == found
    assert None is finding(asking({"id": "asked", **expected}), deal())


# mover


def test_the_actor_needs_one_of_the_roles() -> None:
    compiled = asking({"id": "asked", "mover": ["senior", "boss"]})
    assert None is finding(compiled, actor=Actor(id="m", roles=("rep", "boss")))
    ask = {"kind": "ask_other_mover", "roles": ["senior", "boss"]}
    expected = {"mover": ["senior", "boss"]}
    assert blocking("mover_not_allowed", expected, {"roles": ["rep"]}, ask) == finding(compiled)
    found = finding(compiled, actor=Actor(id="m"))
    assert blocking("mover_not_allowed", expected, {"roles": []}, ask) == found


def test_without_an_actor_a_mover_is_unknown_negated_too() -> None:
    for expected in ({"mover": ["boss"]}, {"not": {"mover": ["boss"]}}):
        unknown = blocking("cannot_evaluate", expected, {"roles": [], "because": "no_actor"})
        assert unknown == finding(asking({"id": "asked", **expected}), actor=None)


def test_one_role_is_a_list_of_one() -> None:
    assert None is finding(asking({"id": "asked", "mover": "rep"}))


def test_a_mover_who_must_not_move_leaves_it_to_the_other_roles() -> None:
    expected = {"not": {"mover": ["rep"]}}
    ask = {"kind": "ask_other_mover", "roles": ["senior", "boss"]}
    found = finding(asking({"id": "asked", **expected}))
    assert blocking("must_not_hold", expected, {"roles": ["rep"]}, ask) == found
    everybody = {"not": {"mover": ["rep", "senior", "boss"]}}
    found = finding(asking({"id": "asked", **everybody}))
    assert blocking("must_not_hold", everybody, {"roles": ["rep"]}) == found
    assert None is finding(asking({"id": "asked", "not": {"mover": ["boss"]}}))


EXTREMES = ["1900-01-01T00:00:00Z", "2999-12-31T23:59:59Z"]
FAR = "36525d"
EVERYTHING: list[Parts] = [
    {"stage_age": {"at_least": FAR}},
    {"deal_age": {"at_most": FAR}},
    {"activity": "demo", "within": FAR, "since": "deal_start"},
    {"activity": "demo", "within": FAR, "status": "planned"},
    {"approval": "boss", "within": FAR},
    {"field": "close", "after": f"+{FAR}"},
    {"field": "close", "before": f"-{FAR}"},
    {"field": "close", "before": "-5217w"},
]


@pytest.mark.parametrize("at", EXTREMES)
@pytest.mark.parametrize("entered", EXTREMES)
@pytest.mark.parametrize("negate", [False, True])
@pytest.mark.parametrize("asked", EVERYTHING)
def test_a_hundred_years_at_either_end_of_the_calendar_never_overflow(
    at: str, entered: str, negate: bool, asked: Parts
) -> None:
    given = deal(
        stage_entered_at=entered,
        created_at=entered,
        fields={"close": at},
        approvals=[{**YES, "at": at}],
        activities=[{"id": "a", "activity": "demo", "at": at, "status": "done"}],
    )
    compiled = asking({"id": "asked", **({"not": asked} if negate else asked)}, timezone="Pacific/Kiritimati")
    found = finding(compiled, given, as_of=moment(at))
    assert found is None or found.requirement == "asked"
