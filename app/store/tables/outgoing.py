"""What leaves, to whom, and the work that the clock asks for."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.store.columns import Key, UtcTime
from app.store.tables.base import TENANT, Base


class OutboxRow(Base, table=True):
    """Something that is to leave: enqueued with what caused it, done by whichever replica takes it up.

    Status: `waiting`, then `done`, `dead` or `cancelled`. One that is being worked on waits under a lease.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("tenant_id", "dedupe_key"),
        # What waits, of all tenants, by where it goes; partial, as small as the backlog. The second condition always
        # holds and is asked by the queries meant for this index alone: for those of the next one it would be a bad
        # choice, which PostgreSQL makes as long as its statistics know nothing of a backlog that has just come.
        Index(
            "ix_outbox_waiting", "tenant_id", "target_id", "not_before", "item_id",
            sqlite_where=text("status = 'waiting' AND attempts >= 0"),
            postgresql_where=text("status = 'waiting' AND attempts >= 0"),
        ),
        Index(
            "ix_outbox_order", "tenant_id", "target_id", "order_key", "item_id",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
        Index(
            "ix_outbox_leased", "tenant_id", "target_id", "lease_until",
            sqlite_where=text("lease_until IS NOT NULL"),
            postgresql_where=text("lease_until IS NOT NULL"),
        ),
        # What was not done, for whoever looks for it among all that was.
        Index(
            "ix_outbox_undone", "tenant_id", "status", "item_id",
            sqlite_where=text("status IN ('dead', 'cancelled')"),
            postgresql_where=text("status IN ('dead', 'cancelled')"),
        ),
        # Of all tenants, for whoever forgets what is long over.
        Index(
            "ix_outbox_finished", "finished_at",
            sqlite_where=text("finished_at IS NOT NULL"),
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
    )  # fmt: skip
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    item_id: str = Field(primary_key=True, sa_type=Key)
    target_id: str = Field(sa_type=Key)
    order_key: str = Field(sa_type=Key)
    kind: str = Field(sa_type=Key)
    dedupe_key: str = Field(sa_type=Key)
    payload: str = Field(sa_type=Text)
    status: str = Field(sa_type=Key)
    attempts: int = Field(sa_type=BigInteger)
    not_before: datetime = Field(sa_type=UtcTime)
    lease_until: datetime | None = Field(sa_type=UtcTime)
    leased_by: str | None = Field(sa_type=Key)
    reason: str | None = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcTime)
    finished_at: datetime | None = Field(sa_type=UtcTime)


class OutboxTargetRow(Base, table=True):
    """Where things go: `connection:ID` or `endpoint:ID`. While its circuit is open nothing is sent there."""

    __tablename__ = "outbox_targets"
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    target_id: str = Field(primary_key=True, sa_type=Key)
    failures: int = Field(sa_type=BigInteger)
    open_until: datetime | None = Field(sa_type=UtcTime)


class EndpointRow(Base, table=True):
    """Somebody who wants to be told of our events."""

    __tablename__ = "endpoints"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], [TENANT]),)
    tenant_id: str = Field(primary_key=True, sa_type=Key)
    endpoint_id: str = Field(primary_key=True, sa_type=Key)
    url: str = Field(sa_type=Text)
    events: str = Field(sa_type=Text)
    paused: bool
    secret_ciphertext: str = Field(sa_type=Text)
    previous_ciphertext: str | None = Field(sa_type=Text)
    previous_until: datetime | None = Field(sa_type=UtcTime)
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class ClockPassRow(Base, table=True):
    """A pass that any replica may run and one does: whoever moves `next_at` on has it."""

    __tablename__ = "clock_passes"
    name: str = Field(primary_key=True, sa_type=Key)
    next_at: datetime = Field(sa_type=UtcTime)
    ran_at: datetime | None = Field(sa_type=UtcTime)
