"""Figures by day are kept in one row for each value, and summed by month."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("figure_count")
    op.create_table(
        "figure_sum",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("solved", sa.Integer(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "span", "first", "value", name=op.f("pk_figure_sum")),
    )
    # Days are counted anew where the zone they were counted by is not known.
    op.execute("DELETE FROM figure_zone")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
