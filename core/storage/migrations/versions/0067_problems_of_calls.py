"""A call of a webhook says by a code why it was not taken, and who has it in hand until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhook_delivery", sa.Column("problem", sa.Text(), nullable=True))
    op.add_column(
        "webhook_delivery", sa.Column("taken_until", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
