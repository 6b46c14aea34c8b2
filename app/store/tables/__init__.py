"""The tables. Rows are dumb: nothing is validated here. `tenant_id` comes first in every key and index, except where
a row must be found before its tenant is known (an API key, a connection, the next delivery of all).
"""

from app.store.tables.base import Base, table_of
from app.store.tables.core import (
    ActivityRow,
    ApiKeyRow,
    DealRow,
    IdempotencyKeyRow,
    ProcessRow,
    ProcessVersionRow,
    TenantRow,
)
from app.store.tables.crm import (
    ConnectionRow,
    ConnectionStateRow,
    CrmMoveRow,
    CrmRecordRow,
    DeliveryRow,
    SyncRow,
    WebhookEventRow,
)
from app.store.tables.decisions import (
    DealFieldRow,
    DecisionRequirementRow,
    DecisionRow,
)
from app.store.tables.outgoing import (
    ClockPassRow,
    EndpointRow,
    OutboxRow,
    OutboxTargetRow,
)

__all__ = [
    "ActivityRow",
    "ApiKeyRow",
    "Base",
    "ClockPassRow",
    "ConnectionRow",
    "ConnectionStateRow",
    "CrmMoveRow",
    "CrmRecordRow",
    "DealFieldRow",
    "DealRow",
    "DecisionRequirementRow",
    "DecisionRow",
    "DeliveryRow",
    "EndpointRow",
    "IdempotencyKeyRow",
    "OutboxRow",
    "OutboxTargetRow",
    "ProcessRow",
    "ProcessVersionRow",
    "SyncRow",
    "TenantRow",
    "WebhookEventRow",
    "table_of",
]
