"""An incoming webhook takes so many reports a minute, and shows when it had more."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("paced_until", "limited_at"):
        op.add_column("incoming_hook", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
