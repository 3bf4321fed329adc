"""Problems, few among many tickets, are found by an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_ticket_problem",
        "ticket",
        ["created_at", "id"],
        postgresql_where=sa.text("kind = 'problem'"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
