"""Standard Webhooks: official verifiers accept what we sign; we refuse what is tampered with, stale or hostile."""

import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from app import clock
from app.crm.standard_webhooks import ID, SIGNATURE, TIMESTAMP, headers_of, secret_of, verify

VENDOR = Path(__file__).parents[2] / "vendor"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET, OLDER, OTHER = (secret_of(bytes([number]) * 32) for number in (1, 2, 3))
COUNT = 1000

Delivery = dict[str, Any]
Verifier = Callable[[list[Delivery]], list[bool]]


def python(deliveries: list[Delivery]) -> list[bool]:
    accepted = []
    for one in deliveries:
        try:
            standardwebhooks.Webhook(one["secret"]).verify(one["body"].encode(), one["headers"])
        except standardwebhooks.WebhookVerificationError:
            accepted.append(False)
        else:
            accepted.append(True)
    return accepted


def javascript(deliveries: list[Delivery]) -> list[bool]:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("node is not on PATH")
        pytest.skip("node is not on PATH")
    environ = {**os.environ, "NODE_PATH": str(VENDOR)}
    done = subprocess.run(
        [node, str(VENDOR / "verify.js")], input=json.dumps(deliveries), env=environ, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    accepted: list[bool] = json.loads(done.stdout)
    return accepted


def deliveries(*secrets: str, at: datetime | None = None) -> list[Delivery]:
    """A thousand of our deliveries, each checked with one of the secrets that signed it."""
    chance = random.Random(7)  # noqa: S311 - any bodies will do
    moment = at or clock.now()
    made = []
    for number in range(COUNT):
        body = json.dumps({"number": number, "name": "Società ☂ " * chance.randrange(9), "at": chance.random()})
        headers = headers_of(secrets, f"msg_{number}", moment, body.encode())
        made.append({"secret": secrets[number % len(secrets)], "headers": headers, "body": body})
    return made


def tampered(one: Delivery, number: int) -> Delivery:
    """The same with something changed that was signed, or signed by somebody else."""
    headers = dict(one["headers"])
    ways: list[Delivery] = [
        {**one, "body": one["body"] + " "},
        {**one, "headers": {**headers, ID: headers[ID] + "x"}},
        {**one, "headers": {**headers, TIMESTAMP: str(int(headers[TIMESTAMP]) + 1)}},
        {**one, "secret": OTHER},
        {**one, "headers": {**headers, SIGNATURE: headers[SIGNATURE].replace("v1,", "v2,")}},
    ]
    return ways[number % len(ways)]


@pytest.mark.parametrize("verifier", [python, javascript])
@pytest.mark.parametrize("secrets", [(SECRET,), (SECRET, OLDER)], ids=["one secret", "a rotation"])
def test_the_official_verifiers_accept_what_we_send(verifier: Verifier, secrets: tuple[str, ...]) -> None:
    assert verifier(deliveries(*secrets)) == [True] * COUNT


@pytest.mark.parametrize("verifier", [python, javascript])
def test_they_refuse_what_is_tampered_with_or_stale(verifier: Verifier) -> None:
    changed = [tampered(one, number) for number, one in enumerate(deliveries(SECRET, OLDER))]
    assert verifier(changed) == [False] * COUNT
    for shift in (timedelta(minutes=-6), timedelta(minutes=6)):
        assert verifier(deliveries(SECRET, at=clock.now() + shift)) == [False] * COUNT


def test_we_accept_and_refuse_as_they_do() -> None:
    ours = deliveries(SECRET, OLDER, at=NOW)
    good = [verify([one["secret"]], one["headers"], one["body"].encode(), NOW) for one in ours]
    bad = [
        verify([one["secret"]], one["headers"], one["body"].encode(), NOW)
        for one in (tampered(one, number) for number, one in enumerate(ours))
    ]
    assert (good, bad) == ([True] * COUNT, [False] * COUNT)


def test_five_minutes_either_way_is_now() -> None:
    headers = headers_of([SECRET], "m", NOW, b"{}")
    told = [verify([SECRET], headers, b"{}", NOW + timedelta(seconds=seconds)) for seconds in (-301, -300, 0, 300, 301)]
    assert told == [False, True, True, True, False]


def test_any_of_our_secrets_proves_it_and_the_older_names_do_too() -> None:
    headers = headers_of([OLDER], "m", NOW, b"{}")
    assert verify([SECRET, OLDER], headers, b"{}", NOW)
    assert not verify([SECRET], headers, b"{}", NOW)
    assert not verify([], headers, b"{}", NOW)
    older = {name.replace("webhook", "svix"): value for name, value in headers.items()}
    assert verify([OLDER], older, b"{}", NOW)


GOOD = headers_of([SECRET], "m", NOW, b"{}")
HOSTILE: list[dict[str, str]] = [
    {},
    {ID: "m"},
    {**GOOD, SIGNATURE: ""},
    {**GOOD, SIGNATURE: "nocomma"},
    {**GOOD, SIGNATURE: ","},
    {**GOOD, SIGNATURE: "v1,"},
    {**GOOD, SIGNATURE: "v1,%%%%"},
    {**GOOD, SIGNATURE: "v1,\udcff\u00e9"},
    {**GOOD, SIGNATURE: "v1," + "A" * 100_000},
    {**GOOD, SIGNATURE: "v1,x " * 100_000},
    {**GOOD, TIMESTAMP: ""},
    {**GOOD, TIMESTAMP: "١٧٦٣"},
    {**GOOD, TIMESTAMP: "-1"},
    {**GOOD, TIMESTAMP: "1e9"},
    {**GOOD, TIMESTAMP: "9" * 400},
    {**GOOD, ID: "\udcff"},
    {**GOOD, ID: ""},
]


@pytest.mark.parametrize("headers", HOSTILE, ids=lambda headers: str(headers)[:60].encode("ascii", "replace").decode())
def test_hostile_headers_are_simply_wrong(headers: dict[str, str]) -> None:
    assert verify([SECRET, "whsec_%%%", "plain"], headers, b"\xff\x00{", NOW) is False


def _signed_with(key: bytes) -> dict[str, str]:
    mac = hmac.new(key, f"m.{GOOD[TIMESTAMP]}.{{}}".encode(), hashlib.sha256)
    return {ID: "m", TIMESTAMP: GOOD[TIMESTAMP], SIGNATURE: f"v1,{base64.b64encode(mac.digest()).decode()}"}


def test_a_secret_without_the_prefix_is_taken_as_it_stands_and_as_base64() -> None:
    plain = "abcdefgh12345678"
    for key in (plain.encode(), base64.b64decode(plain)):
        assert verify([plain], _signed_with(key), b"{}", NOW)
    assert verify(["not base64!"], headers_of(["not base64!"], "m", NOW, b"{}"), b"{}", NOW)
    with_prefix = "whsec_abcdefgh12345678"
    assert not verify([with_prefix], _signed_with(b"abcdefgh12345678"), b"{}", NOW)
    assert not verify([with_prefix], _signed_with(with_prefix.encode()), b"{}", NOW)


def test_a_secret_of_nothing_but_the_prefix_is_no_key_that_anybody_has() -> None:
    assert not verify(["whsec_"], _signed_with(b""), b"{}", NOW)
