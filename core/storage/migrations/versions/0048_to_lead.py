"""What waits too long goes on to the next level or to a lead, as its team sets."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "team_escalation",
        sa.Column("onward", sa.Text(), server_default="next", nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
