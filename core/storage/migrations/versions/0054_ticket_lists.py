"""Tickets are listed by when they were opened and when they were changed last."""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_ticket_created_at", "ticket", ["created_at", "id"])
    op.create_index("ix_ticket_updated_at", "ticket", ["updated_at", "id"])


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
