"""Live tickets in the orders of the queue, so that its first page is read without the others."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_IS_LIVE = "status IN ('new', 'open', 'pending', 'on_hold')"
_RANK = (
    "(CASE priority WHEN 'low' THEN 0 WHEN 'normal' THEN 1 WHEN 'high' THEN 2"
    " WHEN 'urgent' THEN 3 ELSE 0 END) DESC"
)
_DUE = ("sla_due_at", "created_at", "id")


def upgrade() -> None:
    indexes: tuple[tuple[str, list[str | sa.TextClause], str], ...] = (
        ("ix_ticket_urgency", [sa.text(_RANK), *_DUE], _IS_LIVE),
        ("ix_ticket_unassigned", [sa.text(_RANK), *_DUE], f"{_IS_LIVE} AND assignee_id IS NULL"),
        ("ix_ticket_due", list(_DUE), "sla_due_at IS NOT NULL"),
    )
    for name, key, where in indexes:
        op.create_index(name, "ticket", key, postgresql_where=sa.text(where))
    # Nobody has a closed ticket seldom, and a new one often: the two columns tell together.
    op.execute("CREATE STATISTICS ticket_holders (mcv) ON status, assignee_id FROM ticket")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
