"""XML from strangers: nothing of what XML can do to its reader is let happen, and no session is kept."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crm.events import Malformed
from app.crm.salesforce import read, scrub, wants_ack
from app.crm.salesforce.soap import DEEPEST, MOST_ELEMENTS
from tests.crm.fakes.salesforce import FakeSalesforce, deal_id
from tests.crm.fakes.salesforce_messages import envelope, iso, notification_xml, salesforce_settings
from tests.crm.orders import at

SETTINGS = salesforce_settings()
GOOD = envelope(
    notification_xml(
        "04l000000000001AAA",
        "Opportunity",
        {"Id": deal_id(1), "StageName": "Prospecting", "SystemModstamp": iso(at(0))},
    )
)
_AFTER_HEAD = GOOD.partition(b"?>")[2]
_LAUGHS = b"<!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '" + b"&a;" * 50 + b"'><!ENTITY c '" + b"&b;" * 50 + b"'>]>"
_STAGE = b">Prospecting<"


def _with(stage: bytes, head: bytes = b"") -> bytes:
    return b'<?xml version="1.0"?>' + head + _AFTER_HEAD.replace(_STAGE, b">" + stage + b"<")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (_with(b"&c;", _LAUGHS), "xml_unsafe"),
        (_with(b"&x;", b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "xml_unsafe"),
        (_with(b"&x;", b'<!DOCTYPE x [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>'), "xml_unsafe"),
        (_with(b"x", b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'), "xml_unsafe"),
        (_with(b"x", b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>'), "xml_unsafe"),
        (_with(b"x", b"<!DOCTYPE x>"), "xml_unsafe"),
        (_with(b"&nothing;"), "xml_invalid"),
        (GOOD[:-20], "xml_invalid"),
        (GOOD + b"<x/>", "xml_invalid"),
        (GOOD.replace(b"sf:StageName", b"no:StageName"), "xml_invalid"),
        (b"<", "xml_invalid"),
        (b"<?xml version='1.0'?>", "xml_invalid"),
        (GOOD.replace(b"Prospecting", b"\x00"), "xml_not_utf8"),
        (GOOD.replace(b"Prospecting", b"\xe9"), "xml_not_utf8"),
        (b"<" + GOOD.decode().encode("utf-16"), "xml_not_utf8"),
        (b"<a>" * 100_000, "xml_too_deep"),
        (b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1), "xml_too_deep"),
        (b"<a>" + b"<b/>" * (MOST_ELEMENTS + 1) + b"</a>", "xml_too_large"),
        (b"<a/>", "event_field_missing"),
        (GOOD.replace(b"notifications", b"other"), "event_field_missing"),
        (GOOD.replace(deal_id(1).encode(), b"x"), "event_field_wrong"),
    ],
)
def test_hostile_xml_is_refused_at_once(body: bytes, code: str) -> None:
    began = time.perf_counter()
    with pytest.raises(Malformed) as refusal:
        read(body, SETTINGS)
    assert (refusal.value.code, time.perf_counter() - began < 2) == (code, True)


def test_another_encoding_than_declared_does_not_mislead() -> None:
    for name in (b"utf-7", b"utf-16", b"ebcdic-cp-us", b"no-such-thing"):
        body = GOOD.replace(b'encoding="UTF-8"', b'encoding="' + name + b'"')
        assert read(body, SETTINGS).events == read(GOOD, SETTINGS).events
    assert read(b"\xef\xbb\xbf" + GOOD, SETTINGS).events


def test_of_a_field_that_stands_there_twice_the_first_counts() -> None:
    twice = GOOD.replace(b"</sObject>", b"<sf:StageName>Closed Won</sf:StageName></sObject>")
    assert read(twice, SETTINGS).events == read(GOOD, SETTINGS).events


def test_an_empty_field_is_told_as_empty() -> None:
    empty = GOOD.replace(b"</sObject>", b'<sf:NextStep xsi:nil="true"/></sObject>')
    [told] = {*read(empty, SETTINGS).events} - {*read(GOOD, SETTINGS).events}
    assert (told.name, told.value) == ("NextStep", None)


@pytest.mark.parametrize(
    "session",
    [
        "<SessionId>S3CRET!token</SessionId>",
        "<n:SessionId xmlns:n='x'>S3CRET!token</n:SessionId >",
        '<SessionId xsi:type="a>b"><![CDATA[S3CRET!token]]></SessionId>',
        "<SessionId>S3CRET!token</SessionId><SessionId>S3CRET!token</SessionId>",
        "<SessionId\n>S3CRET!token",
    ],
)
def test_the_session_is_not_kept(session: str) -> None:
    crm = FakeSalesforce()
    crm.make_deal(1, at=at(0))
    crm.session = session
    kept = scrub(crm.message())
    assert b"S3CRET" not in kept
    if "</" in session:
        assert read(kept, SETTINGS).events


def test_a_message_without_a_session_is_kept_as_it_is() -> None:
    empty = GOOD.replace(b'<SessionId xsi:nil="true"/>', b"")
    assert (scrub(empty), scrub(b'{"a": 1}'), scrub(b"")) == (empty, b'{"a": 1}', b"")
    assert read(scrub(GOOD), SETTINGS) == read(GOOD, SETTINGS)


@pytest.mark.parametrize("hidden", ["<SessionId>S3CRET!token</SessionId>".encode("utf-16"), b"\xff", b"a\x00"])
def test_what_is_no_text_is_not_kept_at_all(hidden: bytes) -> None:
    with pytest.raises(Malformed, match="xml_not_utf8"):
        scrub(hidden)


@pytest.mark.parametrize(
    ("body", "wants"),
    [
        (GOOD, True),
        (b"\xef\xbb\xbf" + GOOD, True),
        (GOOD.decode().encode("utf-16"), True),
        (b"", True),
        (b"\xff", True),
        (b'{"payload": {}}', False),
        (b" \n[{}]", False),
        (b"{", False),
    ],
)
def test_only_a_relay_of_json_is_not_answered_in_soap(body: bytes, *, wants: bool) -> None:
    assert wants_ack(body) is wants


@pytest.mark.parametrize("part", [b"<SessionId>", b"<SessionId/>", b"<SessionId ", b"</SessionId>", b"<" * 40, b"<a:"])
def test_scrubbing_takes_no_longer_than_reading(part: bytes) -> None:
    began = time.perf_counter()
    scrub(part * (1_000_000 // len(part)))
    assert time.perf_counter() - began < 2


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: b"<" + text.encode("utf-8", "replace")))
def test_nothing_but_a_refusal_comes_of_noise(body: bytes) -> None:
    with suppress(Malformed):
        scrub(body)
    with suppress(Malformed):
        read(body, SETTINGS)
