"""A conversation says whether it ever had a ticket: those without are listed by index."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "conversation",
        sa.Column("has_ticket", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.execute(
        "UPDATE conversation SET has_ticket = true"
        " WHERE EXISTS (SELECT FROM ticket WHERE ticket.conversation_id = conversation.id)"
    )
    op.create_index(
        "ix_conversation_without_ticket",
        "conversation",
        ["id"],
        postgresql_where=sa.text("NOT has_ticket"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
