"""The queue's orders are read by index, and conversations by who answers next."""

from alembic import op
from sqlalchemy import text

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_ticket_live",
        "ticket",
        ["created_at", "id"],
        postgresql_where=text("status IN ('new', 'open', 'pending', 'on_hold')"),
    )
    op.create_index(
        "ix_ticket_done",
        "ticket",
        ["priority", "created_at", "id"],
        postgresql_where=text("status IN ('solved', 'closed')"),
    )
    op.create_index(
        "ix_conversation_answering",
        "conversation",
        ["responder", "id"],
        postgresql_where=text("responder <> 'closed'"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
