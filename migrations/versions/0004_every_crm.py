"""Every CRM, both ways: what leaves and to whom, moves made in a CRM with their verdicts, and how far each has come."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def _key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, KEY, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=nullable)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _outgoing()
    _crm()
    _columns()


def _outgoing() -> None:
    op.create_table(
        "clock_passes",
        _key("name"),
        _time("next_at"),
        _time("ran_at", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_clock_passes"),
    )
    op.create_table(
        "outbox",
        _key("tenant_id"),
        _key("item_id"),
        _key("target_id"),
        _key("order_key"),
        _key("kind"),
        _key("dedupe_key"),
        _text("payload"),
        _key("status"),
        _number("attempts"),
        _time("not_before"),
        _time("lease_until", nullable=True),
        _key("leased_by", nullable=True),
        _text("reason", nullable=True),
        _time("created_at"),
        _time("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", name="pk_outbox"),
        sa.UniqueConstraint("tenant_id", "dedupe_key", name="uq_outbox_tenant_id_dedupe_key"),
    )
    op.create_index(
        "ix_outbox_order", "outbox", ["tenant_id", "target_id", "order_key", "item_id"], **_where("status = 'waiting'")
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["tenant_id", "target_id", "not_before", "item_id"],
        **_where("status = 'waiting' AND attempts >= 0"),
    )
    op.create_index(
        "ix_outbox_leased", "outbox", ["tenant_id", "target_id", "lease_until"], **_where("lease_until IS NOT NULL")
    )
    op.create_index("ix_outbox_finished", "outbox", ["finished_at"], **_where("finished_at IS NOT NULL"))
    op.create_table(
        "outbox_targets",
        _key("tenant_id"),
        _key("target_id"),
        _number("failures"),
        _time("open_until", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "target_id", name="pk_outbox_targets"),
    )
    op.create_table(
        "endpoints",
        _key("tenant_id"),
        _key("endpoint_id"),
        _text("url"),
        _text("events"),
        sa.Column("paused", sa.Boolean(), nullable=False),
        _text("secret_ciphertext"),
        _text("previous_ciphertext", nullable=True),
        _time("previous_until", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name="fk_endpoints_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "endpoint_id", name="pk_endpoints"),
    )


def _crm() -> None:
    op.create_table(
        "connection_states",
        _key("tenant_id"),
        _key("connection_id"),
        _time("reconciled_until", nullable=True),
        _time("reconcile_at", nullable=True),
        _time("channel_expires_at", nullable=True),
        _number("gaps_filled"),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", name="pk_connection_states"),
    )
    op.create_table(
        "crm_moves",
        _key("tenant_id"),
        _key("connection_id"),
        _key("object_id"),
        _key("event_key"),
        _key("process_key"),
        _key("from_stage", nullable=True),
        _key("to_stage", nullable=True),
        _time("at"),
        _key("week"),
        _key("day"),
        _key("channel"),
        _key("author"),
        _key("verdict"),
        _key("decision_id"),
        _text("remedied", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "object_id", "event_key", name="pk_crm_moves"),
    )
    op.create_index(
        "ix_crm_moves_counted",
        "crm_moves",
        ["tenant_id", "process_key", "day", "channel", "author", "verdict", "week", "decision_id"],
    )
    op.create_table(
        "syncs",
        _key("tenant_id"),
        _key("sync_id"),
        _key("connection_id"),
        _key("object_id", nullable=True),
        _time("changed_since", nullable=True),
        sa.Column("reconciles", sa.Boolean(), nullable=False),
        _key("status"),
        _number("done"),
        _number("failed"),
        _number("total", nullable=True),
        _text("cursor", nullable=True),
        _text("reason", nullable=True),
        _time("lease_until"),
        _time("started_at"),
        _time("updated_at"),
        _time("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "sync_id", name="pk_syncs"),
    )
    op.create_index("ix_syncs_running", "syncs", ["lease_until"], **_where("status = 'running'"))


def _columns() -> None:
    op.add_column("connections", _text("previous_ciphertext", nullable=True))
    op.add_column("connections", _time("previous_until", nullable=True))
    op.add_column("connections", _text("access_ciphertext", nullable=True))
    op.add_column("crm_records", _time("judge_at", nullable=True))
    op.add_column("crm_records", sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_crm_records_settling",
        "crm_records",
        ["tenant_id", "connection_id", "judge_at"],
        **_where("judge_at IS NOT NULL"),
    )
    op.add_column("deals", _time("rots_at", nullable=True))
    op.add_column("deals", _text("missing", nullable=True))
    op.create_index("ix_deals_rotting", "deals", ["rots_at"], **_where("rots_at IS NOT NULL"))
    op.add_column(
        "decision_requirements", sa.Column("blocked", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False)
    )
    op.add_column("decisions", _key("channel", nullable=True))
    op.add_column("decisions", _key("changed_by", nullable=True))
    op.add_column("decisions", _key("supersedes", nullable=True))
    op.add_column("deliveries", _time("erase_at", nullable=True))
    op.create_index("ix_deliveries_to_erase", "deliveries", ["erase_at"], **_where("erase_at IS NOT NULL"))


def downgrade() -> None:
    for index, table in (
        ("ix_deals_rotting", "deals"),
        ("ix_crm_records_settling", "crm_records"),
        ("ix_deliveries_to_erase", "deliveries"),
    ):
        op.drop_index(index, table)
    for table, columns in {
        "connections": ("previous_ciphertext", "previous_until", "access_ciphertext"),
        "crm_records": ("judge_at", "attempts"),
        "deals": ("rots_at", "missing"),
        "decision_requirements": ("blocked",),
        "decisions": ("channel", "changed_by", "supersedes"),
        "deliveries": ("erase_at",),
    }.items():
        for column in columns:
            op.drop_column(table, column)
    for table in (
        "syncs", "crm_moves", "connection_states", "endpoints", "outbox_targets", "outbox", "clock_passes",
    ):  # fmt: skip
        op.drop_table(table)
