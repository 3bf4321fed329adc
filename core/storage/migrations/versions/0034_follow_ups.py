"""Follow-ups are found from the ticket they go on from."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_ticket_follows",
        "ticket",
        ["follows_id"],
        postgresql_where=sa.text("follows_id IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
