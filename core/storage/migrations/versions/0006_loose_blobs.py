"""Which blobs nothing may refer to, so that they can go."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loose_blob",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_going", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_loose_blob")),
    )
    op.create_index(op.f("ix_loose_blob_since"), "loose_blob", ["since"])
    op.execute(
        "INSERT INTO loose_blob (key, since, is_going)"
        " SELECT blob_key, max(created_at), false FROM upload GROUP BY blob_key"
    )
