"""What adherence and data quality are counted from: one row a requirement of a move, one a field of a deal."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, KEY, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "decision_requirements",
        *_keys("tenant_id", "decision_id", "kind", "name", "process_key", "from_stage", "to_stage"),
        *_keys("owner", "week", "day", "result"),
        sa.PrimaryKeyConstraint("tenant_id", "decision_id", "kind", "name", name="pk_decision_requirements"),
    )
    op.create_index(
        "ix_decision_requirements_counted",
        "decision_requirements",
        ["tenant_id", "process_key", "kind", "name", "from_stage", "to_stage", "owner", "week", "day", "result"],
    )
    op.create_table(
        "deal_fields",
        *_keys("tenant_id", "deal_id", "field", "process_key", "owner", "state"),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "deal_id"], ["deals.tenant_id", "deals.deal_id"], name="fk_deal_fields_tenant_id_deal_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "deal_id", "field", name="pk_deal_fields"),
    )
    op.create_index(
        "ix_deal_fields_counted", "deal_fields", ["tenant_id", "process_key", "field", "owner", "state", "score"]
    )


def downgrade() -> None:
    op.drop_table("deal_fields")
    op.drop_table("decision_requirements")
