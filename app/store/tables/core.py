"""Tenants, keys, processes and their deals."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.store.columns import Key, UtcTime
from app.store.tables.base import TENANT, Base


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
    __table_args__ = (
        Index(None, "tenant_id", "process_key", "stage", "deal_id"),
        # Deals of all tenants that will have been in their stage for too long; partial: most never get there.
        Index(
            "ix_deals_rotting",
            "rots_at",
            sqlite_where=text("rots_at IS NOT NULL"),
            postgresql_where=text("rots_at IS NOT NULL"),
        ),
    )
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
    rots_at: datetime | None = Field(default=None, sa_type=UtcTime)
    missing: str | None = Field(default=None, sa_type=Text)


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
