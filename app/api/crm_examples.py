"""What CRMs send, as the OpenAPI document shows it, and how each of them proves that it is the one."""

from typing import Any

CREDENTIALS = (
    "Instead of a key, the connection's own credentials: HubSpot's `X-HubSpot-Signature-v3`; Pipedrive's HTTP Basic; "
    "Zoho's `token` in the body; of Salesforce and Dynamics the header `x-stagerail-key`, or the secret in the address "
    "(`key`; of Dynamics also `code`); of any other the headers of Standard Webhooks, of Frappe or of EspoCRM."
)
HUBSPOT_EVENT: dict[str, Any] = {
    "objectId": 332507367156,
    "propertyName": "dealstage",
    "propertyValue": "qualifiedtobuy",
    "changeSource": "CRM_UI",
    "eventId": 802835955,
    "subscriptionId": 92894,
    "portalId": 5799819,
    "appId": 186886,
    "occurredAt": 1782371972438,
    "subscriptionType": "deal.propertyChange",
    "attemptNumber": 0,
}
_ID = "0e0fc00e-ed75-e911-a961-000d3a1bc80d"
DYNAMICS_STEP: dict[str, Any] = {
    "MessageName": "Update",
    "PrimaryEntityName": "opportunity",
    "PrimaryEntityId": _ID,
    "OrganizationId": "4ef5b371-e89e-e711-8122-000d3aa2331c",
    "InitiatingUserId": "75c2dd85-e89e-e711-8122-000d3aa2331d",
    "OperationCreatedOn": "/Date(1782371972000)/",
    "Depth": 1,
    "InputParameters": [
        {"key": "Target", "value": {"Id": _ID, "Attributes": [{"key": "salesstagecode", "value": {"Value": 2}}]}}
    ],
    "PreEntityImages": [
        {
            "key": "PreImage",
            "value": {
                "Attributes": [
                    {"key": "salesstagecode", "value": {"Value": 0}},
                    {"key": "statecode", "value": {"Value": 0}},
                ]
            },
        }
    ],
}
