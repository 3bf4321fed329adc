"""What is put aside is told by its content: one that comes again is kept once."""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.create_index(
        "uq_quarantine_open",
        "quarantine",
        ["account_id", "digest"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
