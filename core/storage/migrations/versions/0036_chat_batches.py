"""Notices in chat are tried again with those that they were tried with."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("notification", "chat_tried_at")
    op.add_column("notification", sa.Column("chat_batch", sa.Uuid(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
