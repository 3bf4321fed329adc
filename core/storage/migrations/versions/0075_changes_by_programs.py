"""A change of a ticket says whether it came with an API token."""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ticket_event",
        sa.Column("by_program", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
