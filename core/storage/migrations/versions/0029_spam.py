"""Spam: conversations that are, and senders whose mail is."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "conversation",
        sa.Column("is_spam", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_conversation_spam",
        "conversation",
        ["last_message_at", "id"],
        postgresql_where=sa.text("is_spam"),
    )
    op.add_column(
        "contact_address", sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
