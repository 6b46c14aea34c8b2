"""When an event of a CRM was seen, so that it can be forgotten; what was not done, found among all that was."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
UNDONE = sa.text("status IN ('dead', 'cancelled')")


def upgrade() -> None:
    op.add_column("webhook_events", sa.Column("seen_at", TIME, nullable=True))
    op.create_index("ix_webhook_events_seen", "webhook_events", ["seen_at"])
    op.create_index(
        "ix_outbox_undone",
        "outbox",
        ["tenant_id", "status", "item_id"],
        sqlite_where=UNDONE,
        postgresql_where=UNDONE,
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_undone", "outbox")
    op.drop_index("ix_webhook_events_seen", "webhook_events")
    op.drop_column("webhook_events", "seen_at")
