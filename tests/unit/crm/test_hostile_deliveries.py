"""Whatever bytes come as a delivery, the adapter answers with events, faults or one refusal; nothing else escapes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.crm.events import Malformed
from app.crm.hubspot import MOST_EVENTS, read, verify
from tests.crm.builders import NOON, PORTAL, SECRET, hubspot_settings

SETTINGS = hubspot_settings()
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "objectId": st.integers() | _ANYTHING,
        "portalId": st.just(PORTAL) | _ANYTHING,
        "occurredAt": st.integers(0, 2**45) | _ANYTHING,
        "propertyName": st.sampled_from(["dealstage", "amount"]) | _ANYTHING,
        "propertyValue": _ANYTHING,
        "subscriptionType": st.sampled_from(
            ["deal.creation", "deal.propertyChange", "object.creation", "deal.merge", "deal.associationChange"]
        )
        | _ANYTHING,
        "primaryObjectId": st.integers() | _ANYTHING,
        "mergedObjectIds": st.lists(st.integers() | _ANYTHING, max_size=3) | _ANYTHING,
        "associationType": st.just("DEAL_TO_CONTACT") | _ANYTHING,
        "fromObjectId": _ANYTHING,
        "eventType": _ANYTHING,
        "objectTypeId": st.just("0-3") | _ANYTHING,
        "sourceId": st.just("userId:") | _ANYTHING,
    },
)


@given(st.lists(_NEARLY | _ANYTHING, max_size=4) | _NEARLY | _ANYTHING)
def test_anything_that_is_nearly_a_delivery(value: Any) -> None:
    listed = value if isinstance(value, list) else [value]
    try:
        batch = read(json.dumps(value).encode(), SETTINGS)
    except Malformed:
        return
    assert batch.ignored + len(batch.faults) <= len(listed) <= MOST_EVENTS
    assert batch.events or batch.hints or batch.ignored + len(batch.faults) == len(listed)


@given(st.text(), st.text(), st.text(), st.text(), st.binary())
def test_no_headers_no_address_and_no_body_of_a_stranger_pass(
    method: str, uri: str, timestamp: str, signature: str, body: bytes
) -> None:
    headers = {"x-hubspot-request-timestamp": timestamp, "x-hubspot-signature-v3": signature}
    assert verify(SECRET, method=method, uri=uri, headers=headers, body=body, now=NOON) is False
    near = {**headers, "x-hubspot-request-timestamp": str(round(NOON.timestamp() * 1000))}
    assert verify(SECRET, method=method, uri=uri, headers=near, body=body, now=NOON) is False
