"""The decision log, and what is counted from it."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from app.store.columns import Key, UtcTime
from app.store.tables.base import Base


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
    channel: str | None = Field(default=None, sa_type=Key)
    changed_by: str | None = Field(default=None, sa_type=Key)
    supersedes: str | None = Field(default=None, sa_type=Key)


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
    blocked: bool = Field(default=False, sa_column_kwargs={"server_default": text("FALSE")})


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
