"""One of each CRM: its settings, deliveries as it sends them, its headers, deals as its API writes them."""

import json
from typing import Any, NamedTuple

from app.crm.connection import ConnectionSettings
from tests.crm.builders import NOON, PORTAL, body_of, creation, hubspot_settings, stage_change
from tests.crm.fakes.dynamics import FakeDynamics
from tests.crm.fakes.dynamics_steps import dynamics_settings
from tests.crm.fakes.pipedrive import FakePipedrive, as_v1, basic, pipedrive_settings
from tests.crm.fakes.salesforce import FakeSalesforce
from tests.crm.fakes.salesforce_messages import basic as salesforce_basic
from tests.crm.fakes.salesforce_messages import salesforce_settings
from tests.crm.fakes.zoho import DEAL, FakeZoho, zoho_settings
from tests.crm.generic_builders import generic_settings, signed, update


class Sample(NamedTuple):
    """What a CRM sends. Nothing in it is anybody's real data."""

    settings: ConnectionSettings
    bodies: tuple[bytes, ...]
    headers: tuple[dict[str, str], ...] = ({},)
    records: tuple[dict[str, Any], ...] = ()


_ACTIVITY = {"id": 5, "type": "demo_call", "at": 1795176000, "state": "completed", "result": "Held", "contacts": [9]}
_CONTENT = update(amount=12, activities=[_ACTIVITY], people=[{"id": 9, "role": "Boss"}])

_VERSION = {"value": "w", "timestamp": 1795176000000, "source": "CRM_UI", "sourceId": "userId:77"}

_PIPEDRIVE = FakePipedrive()
_MADE = _PIPEDRIVE.make_deal(42, at=NOON, stage_id=1, custom_fields={"ab12": {"value": "x"}})
_MOVED = _PIPEDRIVE.change(42, at=NOON, stage_id=2)
_MET = _PIPEDRIVE.add_activity(42, at=NOON)

_ZOHO = FakeZoho()
_SALESFORCE = FakeSalesforce()
_CHANGES = [
    _SALESFORCE.make_deal(42, at=NOON, Amount=7.5), _SALESFORCE.change(42, at=NOON, StageName="Closed Won"),
    _SALESFORCE.add_event(42, at=NOON), _SALESFORCE.add_task(42, at=NOON),
]  # fmt: skip
_DYNAMICS = FakeDynamics()
_STEPS = [
    _DYNAMICS.make_deal(42, at=NOON, estimatedvalue=7.5), _DYNAMICS.change(42, at=NOON, salesstagecode=2),
    _DYNAMICS.close(42, at=NOON), _DYNAMICS.log("appointment", 42, at=NOON),
]  # fmt: skip

SAMPLES: dict[str, Sample] = {
    "dynamics": Sample(
        dynamics_settings(),
        tuple(json.dumps(one).encode() for one in _STEPS),
        (_DYNAMICS.headers,),
        tuple(_DYNAMICS.deals.values()),
    ),
    "generic": Sample(generic_settings(), (json.dumps([_CONTENT]).encode(),), (signed(_CONTENT)[1],), (_CONTENT,)),
    "hubspot": Sample(
        hubspot_settings(),
        (
            body_of(creation(), stage_change("qualifiedtobuy", by="77")),
            body_of({**creation(), "subscriptionType": "deal.merge", "primaryObjectId": 1, "mergedObjectIds": [2, 3]}),
            body_of({**creation(), "subscriptionType": "deal.associationChange", "associationType": "DEAL_TO_CONTACT"}),
        ),
        (
            {"x-hubspot-request-timestamp": "1795176000000", "x-hubspot-signature-v3": "SmyD"},
            {"x-hubspot-signature-version": "v1", "x-hubspot-signature": "5f01"},
            {"x-hubspot-signature-version": "v2", "x-hubspot-signature": "5f01"},
        ),
        (
            {"id": "332507367156", "properties": {"dealstage": "qualifiedtobuy", "amount": "12"}},
            {"objectId": 7, "properties": {"dealstage": {"value": "w", "versions": [_VERSION]}}, "portalId": PORTAL},
        ),
    ),
    "pipedrive": Sample(
        pipedrive_settings(),
        tuple(json.dumps(one).encode() for one in (*_MADE, *_MOVED, as_v1(_MOVED[0]), _MET)),
        (basic(),),
        (_PIPEDRIVE.deals[42],),
    ),
    "salesforce": Sample(
        salesforce_settings(),
        (_SALESFORCE.message(), *(json.dumps(one).encode() for one in _CHANGES)),
        (salesforce_basic(),),
        (_SALESFORCE.deal(42),),
    ),
    "zoho": Sample(
        zoho_settings(),
        (json.dumps(_ZOHO.make_deal(DEAL, at=NOON, Stage="Demo")).encode(),),
        ({},),
        (_ZOHO.deals[DEAL],),
    ),
}
