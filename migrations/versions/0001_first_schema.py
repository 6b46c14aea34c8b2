"""The first schema: tenants, keys, processes, deals, the decision log, connections, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def _key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, KEY, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=nullable)


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _foreign(table: str, columns: list[str], target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        columns, [f"{target}.{column}" for column in columns], name=f"fk_{table}_{'_'.join(columns)}"
    )


def upgrade() -> None:
    _tenants_and_keys()
    _processes()
    _deals()
    _decisions()
    _connections()
    _idempotency_keys()


def _tenants_and_keys() -> None:
    op.create_table("tenants", _key("tenant_id"), _text("name"), _time("created_at"), _primary("tenants", "tenant_id"))
    op.create_table(
        "api_keys",
        _key("tenant_id"),
        _key("key_id"),
        _text("secret_hash"),
        _text("scopes"),
        _text("name"),
        _time("created_at"),
        _time("revoked_at", nullable=True),
        _primary("api_keys", "tenant_id", "key_id"),
        sa.UniqueConstraint("key_id", name="uq_api_keys_key_id"),
        _foreign("api_keys", ["tenant_id"], "tenants"),
    )


def _processes() -> None:
    op.create_table(
        "processes",
        _key("tenant_id"),
        _key("process_key"),
        _number("current_version"),
        _time("updated_at"),
        _primary("processes", "tenant_id", "process_key"),
        _foreign("processes", ["tenant_id"], "tenants"),
    )
    op.create_table(
        "process_versions",
        _key("tenant_id"),
        _key("process_key"),
        _number("version"),
        _text("digest"),
        _text("media_type"),
        _text("source"),
        _text("warnings"),
        _time("published_at"),
        _text("published_by", nullable=True),
        _primary("process_versions", "tenant_id", "process_key", "version"),
        _foreign("process_versions", ["tenant_id", "process_key"], "processes"),
    )


def _deals() -> None:
    op.create_table(
        "deals",
        _key("tenant_id"),
        _key("deal_id"),
        _key("process_key"),
        _number("process_version"),
        _key("stage"),
        _key("owner", nullable=True),
        _number("revision"),
        _text("snapshot"),
        _key("connection_id", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        _primary("deals", "tenant_id", "deal_id"),
    )
    place = ["tenant_id", "process_key", "stage", "deal_id"]
    op.create_index("ix_deals_tenant_id_process_key_stage_deal_id", "deals", place)
    op.create_table(
        "activities",
        _key("tenant_id"),
        _key("deal_id"),
        _key("activity_id"),
        _key("activity"),
        _time("at"),
        _key("status"),
        _key("outcome", nullable=True),
        _key("direction", nullable=True),
        _key("by_id", nullable=True),
        _text("contacts"),
        _text("content_digest"),
        _primary("activities", "tenant_id", "deal_id", "activity_id"),
        _foreign("activities", ["tenant_id", "deal_id"], "deals"),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        _key("tenant_id"),
        _key("decision_id"),
        _key("deal_id", nullable=True),
        _key("process_key"),
        _number("process_version"),
        _key("from_stage", nullable=True),
        _key("to_stage", nullable=True),
        _key("outcome"),
        _key("source"),
        _key("actor_id", nullable=True),
        _time("as_of"),
        _time("decided_at"),
        sa.Column("applied", sa.Boolean(), nullable=True),
        sa.Column("facts_complete", sa.Boolean(), nullable=False),
        _text("document"),
        _primary("decisions", "tenant_id", "decision_id"),
    )
    of_a_deal = ["tenant_id", "deal_id", "decision_id"]
    op.create_index("ix_decisions_tenant_id_deal_id_decision_id", "decisions", of_a_deal)


def _connections() -> None:
    op.create_table(
        "connections",
        _key("tenant_id"),
        _key("connection_id"),
        _key("kind"),
        _text("settings"),
        _text("secret_ciphertext"),
        _time("created_at"),
        _time("updated_at"),
        _primary("connections", "tenant_id", "connection_id"),
        sa.UniqueConstraint("connection_id", name="uq_connections_connection_id"),
        _foreign("connections", ["tenant_id"], "tenants"),
    )
    op.create_table(
        "deliveries",
        _key("tenant_id"),
        _key("delivery_id"),
        _key("connection_id"),
        _time("received_at"),
        _key("status"),
        _text("reason", nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _number("attempts"),
        _time("not_before"),
        _time("processed_at", nullable=True),
        _text("result", nullable=True),
        _primary("deliveries", "tenant_id", "delivery_id"),
    )
    waiting = sa.text("status = 'received'")
    oldest_first = ["received_at", "delivery_id"]
    op.create_index("ix_deliveries_waiting", "deliveries", oldest_first, sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "webhook_events",
        _key("tenant_id"),
        _key("connection_id"),
        _key("event_key"),
        _primary("webhook_events", "tenant_id", "connection_id", "event_key"),
    )


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        _key("tenant_id"),
        _key("idempotency_key"),
        _text("fingerprint"),
        _number("status"),
        _text("headers"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _time("created_at"),
        _primary("idempotency_keys", "tenant_id", "idempotency_key"),
    )
    op.create_index("ix_idempotency_keys_tenant_id_created_at", "idempotency_keys", ["tenant_id", "created_at"])


def downgrade() -> None:
    for table in (
        "idempotency_keys",
        "webhook_events",
        "deliveries",
        "connections",
        "decisions",
        "activities",
        "deals",
        "process_versions",
        "processes",
        "api_keys",
        "tenants",
    ):
        op.drop_table(table)
