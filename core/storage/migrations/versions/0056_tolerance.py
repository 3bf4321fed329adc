"""Admins say how many answers may be wrong; what the base's own questions find is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_tolerance",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("wrong_per_hundred", sa.Double),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "own_finding",
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("scores", postgresql.JSONB, nullable=False),
        sa.Column("right_at", sa.SmallInteger),
        sa.Column("is_lost", sa.Boolean, nullable=False),
    )
    # The thresholds stay in force; asking the questions anew brings what they find.
    op.execute("UPDATE offer_threshold SET of_index = ''")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
