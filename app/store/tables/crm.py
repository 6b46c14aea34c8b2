"""Links to CRMs, what came over them, and what was made of it."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.store.columns import Key, UtcTime
from app.store.tables.base import TENANT, Base


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
    previous_ciphertext: str | None = Field(default=None, sa_type=Text)
    previous_until: datetime | None = Field(default=None, sa_type=UtcTime)
    access_ciphertext: str | None = Field(default=None, sa_type=Text)


class ConnectionStateRow(Base, table=True):
    """How far a connection has come: apart from its settings, since both are written at any time."""

    __tablename__ = "connection_states"
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    reconciled_until: datetime | None = Field(sa_type=UtcTime)
    reconcile_at: datetime | None = Field(sa_type=UtcTime)
    channel_expires_at: datetime | None = Field(sa_type=UtcTime)
    gaps_filled: int = Field(sa_type=BigInteger)


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
        Index(
            "ix_deliveries_to_erase",
            "erase_at",
            sqlite_where=text("erase_at IS NOT NULL"),
            postgresql_where=text("erase_at IS NOT NULL"),
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
    erase_at: datetime | None = Field(default=None, sa_type=UtcTime)


class WebhookEventRow(Base, table=True):
    """An event of a CRM that has been taken in: CRMs send the same one again, for some days at most."""

    __tablename__ = "webhook_events"
    __table_args__ = (Index("ix_webhook_events_seen", "seen_at"),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    event_key: str = Field(primary_key=True, sa_type=Key)
    seen_at: datetime | None = Field(default=None, sa_type=UtcTime)


class CrmRecordRow(Base, table=True):
    """All that a CRM has told about one of its deals, as a document; also the row that working on the deal locks."""

    __tablename__ = "crm_records"
    __table_args__ = (
        # Deals of all tenants with something to judge, by when it has settled; partial, as small as the backlog.
        Index(
            "ix_crm_records_settling",
            "tenant_id",
            "connection_id",
            "judge_at",
            sqlite_where=text("judge_at IS NOT NULL"),
            postgresql_where=text("judge_at IS NOT NULL"),
        ),
    )
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    object_id: str = Field(primary_key=True, sa_type=Key)
    document: str | None = Field(sa_type=Text)
    judge_at: datetime | None = Field(default=None, sa_type=UtcTime)
    attempts: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


class CrmMoveRow(Base, table=True):
    """One move made in a CRM, with the verdict that stands now: what drift is counted from."""

    __tablename__ = "crm_moves"
    __table_args__ = (
        Index(
            "ix_crm_moves_counted", "tenant_id", "process_key", "day", "channel", "author", "verdict", "week",
            "decision_id",
        ),
    )  # fmt: skip
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(primary_key=True, sa_type=Key)
    object_id: str = Field(primary_key=True, sa_type=Key)
    event_key: str = Field(primary_key=True, sa_type=Key)
    process_key: str = Field(sa_type=Key)
    from_stage: str | None = Field(sa_type=Key)
    to_stage: str | None = Field(sa_type=Key)
    at: datetime = Field(sa_type=UtcTime)
    week: str = Field(sa_type=Key)
    day: str = Field(sa_type=Key)
    channel: str = Field(sa_type=Key)
    author: str = Field(sa_type=Key)
    verdict: str = Field(sa_type=Key)
    decision_id: str = Field(sa_type=Key)
    remedied: str | None = Field(default=None, sa_type=Text)


class SyncRow(Base, table=True):
    """Deals being rebuilt from their CRM: how far it has come. Taken over by another replica when its lease ends."""

    __tablename__ = "syncs"
    __table_args__ = (
        Index(
            "ix_syncs_running",
            "lease_until",
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
    )
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    sync_id: str = Field(primary_key=True, sa_type=Key)
    connection_id: str = Field(sa_type=Key)
    object_id: str | None = Field(sa_type=Key)
    changed_since: datetime | None = Field(sa_type=UtcTime)
    reconciles: bool
    status: str = Field(sa_type=Key)
    done: int = Field(sa_type=BigInteger)
    failed: int = Field(sa_type=BigInteger)
    total: int | None = Field(sa_type=BigInteger)
    cursor: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    lease_until: datetime = Field(sa_type=UtcTime)
    started_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
    finished_at: datetime | None = Field(sa_type=UtcTime)
