"""Whom an account speaks for, and when it was last heard whether a requester can be reached."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("identity", sa.Text(), nullable=True))
    op.add_column(
        "conversation", sa.Column("reach_known_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("UPDATE conversation SET reach_known_at = unreachable_since")
