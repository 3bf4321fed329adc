"""From how much on articles are offered, as the knowledge base's own questions tell."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "offer_threshold",
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("offer_from", sa.Double, nullable=False),
        sa.Column("of_index", sa.Text, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
