"""What a CRM has told about each of its deals: kept, so that late and doubled events end in the same state."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "crm_records",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("connection_id", KEY, nullable=False),
        sa.Column("object_id", KEY, nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "object_id", name="pk_crm_records"),
    )


def downgrade() -> None:
    op.drop_table("crm_records")
