"""Conversations that go on beside the current one of their thread, numbered together with it."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "conversation",
        sa.Column("is_beside", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("conversation", sa.Column("counted_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_conversation_counted_by",
        "conversation",
        "conversation",
        ["counted_by"],
        ["id"],
    )
    op.add_column(
        "conversation", sa.Column("talked_seq", sa.Integer(), nullable=False, server_default="0")
    )
    op.create_index(
        "ix_conversation_beside",
        "conversation",
        ["account_id", "thread"],
        postgresql_where=sa.text("is_beside"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
