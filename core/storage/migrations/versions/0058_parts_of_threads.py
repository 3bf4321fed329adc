"""Conversations beside the current one are found where the assistant holds them, and by counter."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_conversation_held_by_assistant", "conversation")
    op.create_index(
        "ix_conversation_held_by_assistant",
        "conversation",
        ["last_message_at"],
        postgresql_where=sa.text("(is_current OR is_beside) AND responder = 'bot'"),
    )
    op.create_index(
        "ix_conversation_counted_by",
        "conversation",
        ["counted_by"],
        postgresql_where=sa.text("counted_by IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
