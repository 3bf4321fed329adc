"""How many tickets were opened and solved on the days of a period is read from an index alone."""

from __future__ import annotations

from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE figure_sum DROP CONSTRAINT pk_figure_sum, ADD CONSTRAINT pk_figure_sum"
        " PRIMARY KEY (dimension, span, first, value) INCLUDE (opened, solved)"
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
