"""A macro may have its text in several languages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "macro",
        sa.Column(
            "translations", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'")
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
