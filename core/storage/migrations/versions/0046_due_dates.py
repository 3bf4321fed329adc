"""Due dates of open tickets: in the order of lists, and when to remind of each."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("due_remind_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE ticket SET due_remind_at = due_at - interval '1 day'"
        " WHERE due_at > now() + interval '1 day' AND status NOT IN ('solved', 'closed')"
    )
    op.create_index(
        "ix_ticket_due_remind_at",
        "ticket",
        ["due_remind_at"],
        postgresql_where=sa.text("due_remind_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_due_at", "ticket", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
