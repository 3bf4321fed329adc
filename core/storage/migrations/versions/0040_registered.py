"""Tickets that agents register for somebody keep how they were asked."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("came_by", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
