"""How long unfinished tickets wait for an absent agent, and since when one is absent."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "assignment_policy",
        sa.Column("unfinished_minutes", sa.Integer(), server_default="4320", nullable=True),
    )
    op.add_column("agent_presence", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    # Who signed out before this was kept counts as there until now.
    op.execute("UPDATE agent_presence SET left_at = now() WHERE seen_at IS NULL")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
