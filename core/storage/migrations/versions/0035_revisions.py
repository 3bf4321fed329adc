"""Changes of teams, routing and webhooks are counted, for conditional requests."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("team", "routing_rule", "assignment_policy", "webhook"):
        op.add_column(
            table,
            sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
