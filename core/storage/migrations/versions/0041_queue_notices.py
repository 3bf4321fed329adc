"""Agents are told of tickets that wait in their queues, and choose what they are told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ticket_routing", sa.Column("untold_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_ticket_routing_untold",
        "ticket_routing",
        ["untold_since"],
        postgresql_where=sa.text("untold_since IS NOT NULL"),
    )
    op.add_column(
        "notification_wish",
        sa.Column("kinds", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_index(
        "ix_notification_ticket",
        "notification",
        ["ticket_id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
