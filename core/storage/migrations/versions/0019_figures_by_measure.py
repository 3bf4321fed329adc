"""Counts of figures in the order in which reports read them."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("pk_figure_count", "figure_count")
    op.create_primary_key(
        "pk_figure_count", "figure_count", ["dimension", "measure", "day", "value", "bucket"]
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
