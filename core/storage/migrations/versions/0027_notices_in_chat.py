"""Notices to agents in chat."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("chat_at", "chat_tried_at", "chatted_at"):
        op.add_column("notification", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_notification_chat",
        "notification",
        ["chat_at"],
        postgresql_where=sa.text("chat_at IS NOT NULL"),
    )
    op.add_column(
        "notification_wish",
        sa.Column("chat", sa.Text(), server_default="never", nullable=False),
    )
    for name in ("chat_account_id", "chat_address", "chat_name", "chat_problem"):
        op.add_column("notification_wish", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
