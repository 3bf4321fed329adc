"""Passages have a vector by a second encoder too."""

import sqlalchemy as sa
from alembic import op

from core.storage.tables.vector import HalfVector

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("passage", sa.Column("second_vector", HalfVector(384)))
    op.add_column("passage", sa.Column("second_model", sa.Text()))
    op.create_index("ix_passage_second_model", "passage", ["second_model"])


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
