"""Moments that nobody asks for are not kept: the audit log and the log of the worker have them."""

from __future__ import annotations

from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("training_example", "reviewed_at")
    op.drop_column("notification", "chatted_at")
    op.drop_column("setback", "began_at")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
