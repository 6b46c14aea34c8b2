"""HubSpot's signature: the published recipe, to the byte, and everything that must not pass for it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.crm.events import from_milliseconds
from app.crm.hubspot import sign, sign_v1, sign_v2, signed_text, verify

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URI = "https://engine.example.com/webhooks/hubspot"
TIMESTAMP = "1782371973000"
BODY = (
    b'[{"objectId":332507367156,"propertyName":"dealstage","propertyValue":"qualifiedtobuy","changeSource":"CRM_UI",'
    b'"eventId":802835955,"subscriptionId":92894,"portalId":5799819,"appId":186886,"occurredAt":1782371972438,'
    b'"subscriptionType":"deal.propertyChange","attemptNumber":0}]'
)
SIGNATURE = "SmyDcwhjRufTG/bv0CEZCY2Evp1cPlG9wkxgYjAgEVU="
SENT_AT = from_milliseconds(int(TIMESTAMP))
HEADERS = {"x-hubspot-signature-v3": SIGNATURE, "x-hubspot-request-timestamp": TIMESTAMP}


def _verify(
    *,
    secret: str = SECRET,
    method: str = "POST",
    uri: str = URI,
    headers: dict[str, str] | None = None,
    body: bytes = BODY,
    now: datetime = SENT_AT,
) -> bool:
    headers = {**HEADERS, **(headers or {})}
    return verify([secret], method=method, uri=uri, headers=headers, body=body, now=now)


def test_the_known_request_has_the_known_signature() -> None:
    assert sign(SECRET, "POST", URI, BODY, TIMESTAMP) == SIGNATURE
    assert _verify() is True


def test_any_other_byte_anywhere_does_not_pass() -> None:
    changed = [
        _verify(secret=SECRET + "y"),
        _verify(method="PUT"),
        _verify(uri=URI + "/"),
        _verify(uri=URI.replace("https", "http")),
        _verify(body=BODY + b"\n"),
        _verify(body=BODY.replace(b'":"', b'": "', 1)),
        _verify(headers={"x-hubspot-request-timestamp": "1782371973001"}),
        _verify(headers={"x-hubspot-signature-v3": SIGNATURE.lower()}),
        _verify(headers={"x-hubspot-signature-v3": SIGNATURE[:-1]}),
    ]
    assert changed == [False] * 9


@pytest.mark.parametrize(
    ("late", "passes"),
    [
        (timedelta(0), True),
        (timedelta(minutes=5), True),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=5, milliseconds=1), False),
        (timedelta(minutes=-5, milliseconds=-1), False),
        (timedelta(days=4000), False),
    ],
)
def test_the_window_is_five_minutes_either_way(late: timedelta, *, passes: bool) -> None:
    assert _verify(now=SENT_AT + late) is passes


HOSTILE = [
    "", " ", "NaN", "-1", "+1782371973000", "1782371973000.0", "1_782_371_973_000", "1782371973000 ", "0x19EFBB",
    "9" * 15, "9" * 5000, "٣" * 13, "\uff11" * 13, "1782371973000\n", "é", "\udcff", "1e12",
]  # fmt: skip


@pytest.mark.parametrize("timestamp", HOSTILE)
def test_a_hostile_timestamp_is_simply_wrong(timestamp: str) -> None:
    assert _verify(headers={"x-hubspot-request-timestamp": timestamp}) is False


@pytest.mark.parametrize("signature", ["", "=", "====", "not base64!", "é" * 44, "\udcff", "A" * 100_000, "\x00", "v3"])
def test_a_hostile_signature_is_simply_wrong(signature: str) -> None:
    assert _verify(headers={"x-hubspot-signature-v3": signature}) is False


def test_missing_headers_are_simply_wrong() -> None:
    now = datetime(2026, 6, 25, tzinfo=UTC)
    assert verify(SECRET, method="POST", uri=URI, headers={}, body=BODY, now=now) is False


def test_of_the_address_only_the_listed_escapes_are_decoded_and_the_fragment_is_left_out() -> None:
    uri = "https://x.example/a%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B%3a/%20%25%C3%A9%7E%2B?q=%3A%26#part%3A"
    assert signed_text("post", uri, b"{}", "1") == b"POSThttps://x.example/a:/?@!$'()*,;:/%20%25%C3%A9%7E%2B?q=:%26{}1"


@pytest.mark.parametrize("uri", ["", "http://[::1/x", "https://\udcff/", "https://é/ü?#", "%", "%3", "%zz"])
def test_a_hostile_address_is_simply_wrong(uri: str) -> None:
    assert _verify(uri=uri) is False


V1 = "910d1839e4c7f456b2053b1588d2f7da61315de0c137ba99dbae6b107f6eb529"
V1_HEADERS = {"x-hubspot-signature": V1, "x-hubspot-signature-version": "v1"}


def _verify_with(headers: dict[str, str], *, secrets: tuple[str, ...] = (SECRET,), body: bytes = BODY) -> bool:
    return verify(secrets, method="POST", uri=URI, headers=headers, body=body, now=SENT_AT + timedelta(days=1))


def test_where_there_is_no_v3_the_older_signature_counts_whenever_it_comes() -> None:
    assert sign_v1(SECRET, BODY) == V1
    assert _verify_with(V1_HEADERS) is True
    assert _verify_with(V1_HEADERS, secrets=("new", SECRET)) is True
    wrong = [
        _verify_with(V1_HEADERS, secrets=("new",)),
        _verify_with(V1_HEADERS, body=BODY + b" "),
        _verify_with({**V1_HEADERS, "x-hubspot-signature": V1.upper()}),
        _verify_with({**V1_HEADERS, "x-hubspot-signature": "\udcff"}),
        _verify_with({**V1_HEADERS, "x-hubspot-signature-version": "v2"}),
        _verify_with({"x-hubspot-signature": V1}),
        _verify_with({"x-hubspot-signature-version": "v1"}),
    ]
    assert wrong == [False] * 7


V2_OF_THE_DOCS = "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
"""HubSpot's own example: a GET of https://www.example.com/webhook_uri without a body."""


def test_a_workflow_s_signature_covers_the_address_as_it_was_called() -> None:
    assert sign_v2(SECRET, "GET", "https://www.example.com/webhook_uri", b"") == V2_OF_THE_DOCS
    uri = f"{URI}?a=%3A"
    headers = {"x-hubspot-signature": sign_v2(SECRET, "POST", uri, BODY), "x-hubspot-signature-version": "v2"}

    def accepts(
        method: str = "POST", address: str = uri, body: bytes = BODY, more: dict[str, str] | None = None
    ) -> bool:
        given = {**headers, **(more or {})}
        return verify([SECRET], method=method, uri=address, headers=given, body=body, now=SENT_AT)

    assert accepts() is True
    wrong = [
        accepts("PUT"), accepts(address=URI), accepts(address=f"{URI}?a=:"), accepts(address="\udcff"),
        accepts(body=BODY + b" "), accepts(more={"x-hubspot-signature-version": "v1"}),
        accepts(more={"x-hubspot-signature": "\udcff"}), accepts(more={"x-hubspot-signature-v3": SIGNATURE}),
    ]  # fmt: skip
    assert wrong == [False] * 8


@pytest.mark.parametrize("v3", ["", "wrong", SIGNATURE])
def test_a_v3_signature_that_is_wrong_or_stale_is_not_made_good_by_v1(v3: str) -> None:
    v3_headers = {"x-hubspot-signature-v3": v3, "x-hubspot-request-timestamp": TIMESTAMP}
    assert _verify_with({**V1_HEADERS, **v3_headers}) is False
    assert _verify_with({**V1_HEADERS, "x-hubspot-signature-v3": v3}) is False


def test_each_secret_of_a_rotation_will_do() -> None:
    assert verify(["new", SECRET], method="POST", uri=URI, headers=HEADERS, body=BODY, now=SENT_AT) is True
