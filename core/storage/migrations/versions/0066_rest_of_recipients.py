"""Of several recipients, those who took nothing for now are tried again by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("only_to", JSONB(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
