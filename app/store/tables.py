"""The tables. Rows are dumb: nothing is validated here. `tenant_id` comes first in every key and index, except where
a row must be found before its tenant is known (an API key, a connection, the next delivery of all).
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, MetaData, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.store.columns import Key, UtcTime

TENANT = "tenants.tenant_id"


class Base(SQLModel):
    """Constraints are named by rule, so that a later migration can name what it changes."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class TenantRow(Base, table=True):
    """A customer: everything else belongs to one."""

    __tablename__ = "tenants"
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcTime)


class ApiKeyRow(Base, table=True):
    """An API key: its secret only as a hash."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("key_id"), ForeignKeyConstraint(["tenant_id"], [TENANT]))
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    key_id: str = Field(primary_key=True, sa_type=Key)
    secret_hash: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = Field(sa_type=UtcTime)


class ProcessRow(Base, table=True):
    """Which version of a process is current; also the row that publishing locks."""

    __tablename__ = "processes"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], [TENANT]),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    process_key: str = Field(primary_key=True, sa_type=Key)
    current_version: int = Field(sa_type=BigInteger)
    updated_at: datetime = Field(sa_type=UtcTime)


class ProcessVersionRow(Base, table=True):
    """A published process file, never changed."""

    __tablename__ = "process_versions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "process_key"], ["processes.tenant_id", "processes.process_key"]),
    )
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    process_key: str = Field(primary_key=True, sa_type=Key)
    version: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(sa_type=Text)
    media_type: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    warnings: str = Field(sa_type=Text)
    published_at: datetime = Field(sa_type=UtcTime)
    published_by: str | None = Field(sa_type=Text)


class DealRow(Base, table=True):
    """A deal: its whole snapshot as one document, beside the facts that lists and joins need."""

    __tablename__ = "deals"
    __table_args__ = (Index(None, "tenant_id", "process_key", "stage", "deal_id"),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    deal_id: str = Field(primary_key=True, sa_type=Key)
    process_key: str = Field(sa_type=Key)
    process_version: int = Field(sa_type=BigInteger)
    stage: str = Field(sa_type=Key)
    owner: str | None = Field(sa_type=Key)
    revision: int = Field(sa_type=BigInteger)
    snapshot: str = Field(sa_type=Text)
    connection_id: str | None = Field(sa_type=Key)
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class ActivityRow(Base, table=True):
    """An activity of a deal, beside the snapshot that holds it too."""

    __tablename__ = "activities"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "deal_id"], ["deals.tenant_id", "deals.deal_id"]),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    deal_id: str = Field(primary_key=True, sa_type=Key)
    activity_id: str = Field(primary_key=True, sa_type=Key)
    activity: str = Field(sa_type=Key)
    at: datetime = Field(sa_type=UtcTime)
    status: str = Field(sa_type=Key)
    outcome: str | None = Field(sa_type=Key)
    direction: str | None = Field(sa_type=Key)
    by_id: str | None = Field(sa_type=Key)
    contacts: str = Field(sa_type=Text)
    content_digest: str = Field(sa_type=Text)


class DecisionRow(Base, table=True):
    """One line of the decision log: only ever appended. Ids grow with time (UUIDv7), so the key is also the order."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "tenant_id", "deal_id", "decision_id"),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    decision_id: str = Field(primary_key=True, sa_type=Key)
    deal_id: str | None = Field(sa_type=Key)
    process_key: str = Field(sa_type=Key)
    process_version: int = Field(sa_type=BigInteger)
    from_stage: str | None = Field(sa_type=Key)
    to_stage: str | None = Field(sa_type=Key)
    outcome: str = Field(sa_type=Key)
    source: str = Field(sa_type=Key)
    actor_id: str | None = Field(sa_type=Key)
    as_of: datetime = Field(sa_type=UtcTime)
    decided_at: datetime = Field(sa_type=UtcTime)
    applied: bool | None
    facts_complete: bool
    document: str = Field(sa_type=Text)


class DecisionRequirementRow(Base, table=True):
    """What became of one requirement, or one house rule, when a move was made: what adherence is counted from."""

    __tablename__ = "decision_requirements"
    __table_args__ = (
        # All that is counted, in the order of its groups: the pages and the sums are read from the index alone.
        Index(
            "ix_decision_requirements_counted", "tenant_id", "process_key", "kind", "name", "from_stage", "to_stage",
            "owner", "week", "day", "result",
        ),
    )  # fmt: skip
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    decision_id: str = Field(primary_key=True, sa_type=Key)
    kind: str = Field(primary_key=True, sa_type=Key)
    name: str = Field(primary_key=True, sa_type=Key)
    process_key: str = Field(sa_type=Key)
    from_stage: str = Field(sa_type=Key)
    to_stage: str = Field(sa_type=Key)
    owner: str = Field(sa_type=Key)
    week: str = Field(sa_type=Key)
    day: str = Field(sa_type=Key)
    result: str = Field(sa_type=Key)


class DealFieldRow(Base, table=True):
    """How well one field of a deal is kept, scored when the deal is written."""

    __tablename__ = "deal_fields"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "deal_id"], ["deals.tenant_id", "deals.deal_id"]),
        Index("ix_deal_fields_counted", "tenant_id", "process_key", "field", "owner", "state", "score"),
    )
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    deal_id: str = Field(primary_key=True, sa_type=Key)
    field: str = Field(primary_key=True, sa_type=Key)
    process_key: str = Field(sa_type=Key)
    owner: str = Field(sa_type=Key)
    state: str = Field(sa_type=Key)
    score: int = Field(sa_type=BigInteger)


class ConnectionRow(Base, table=True):
    """A link to one CRM account. A delivery names it in the address, before any tenant is known: unique overall."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("connection_id"), ForeignKeyConstraint(["tenant_id"], [TENANT]))
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    kind: str = Field(sa_type=Key)
    settings: str = Field(sa_type=Text)
    secret_ciphertext: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class DeliveryRow(Base, table=True):
    """One message received from a CRM, and what became of it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        # The queue of all tenants, oldest first; partial, so that it stays as small as the backlog.
        Index(
            "ix_deliveries_waiting",
            "received_at",
            "delivery_id",
            sqlite_where=text("status = 'received'"),
            postgresql_where=text("status = 'received'"),
        ),
    )
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    delivery_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(sa_type=Key)
    received_at: datetime = Field(sa_type=UtcTime)
    status: str = Field(sa_type=Key)
    reason: str | None = Field(sa_type=Text)
    body: bytes
    attempts: int = Field(sa_type=BigInteger)
    not_before: datetime = Field(sa_type=UtcTime)
    processed_at: datetime | None = Field(sa_type=UtcTime)
    result: str | None = Field(sa_type=Text)


class WebhookEventRow(Base, table=True):
    """An event of a CRM that has been taken in: CRMs send the same one again."""

    __tablename__ = "webhook_events"
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    event_key: str = Field(primary_key=True, sa_type=Key)


class CrmRecordRow(Base, table=True):
    """All that a CRM has told about one of its deals, as a document; also the row that working on the deal locks."""

    __tablename__ = "crm_records"
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    object_id: str = Field(primary_key=True, sa_type=Key)
    document: str | None = Field(sa_type=Text)


class IdempotencyKeyRow(Base, table=True):
    """The answer that was given to a write, for whoever sends the same write again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "tenant_id", "created_at"),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    idempotency_key: str = Field(primary_key=True, sa_type=Key)
    fingerprint: str = Field(sa_type=Text)
    status: int = Field(sa_type=BigInteger)
    headers: str = Field(sa_type=Text)
    body: bytes
    created_at: datetime = Field(sa_type=UtcTime)


def table_of(row: type[Base]) -> Table:
    """The SQLAlchemy table behind a row class, typed."""
    return Base.metadata.tables[str(row.__tablename__)]
