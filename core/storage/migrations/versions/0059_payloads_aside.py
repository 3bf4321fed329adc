"""What may turn out to be meant for the desk is kept for some minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payload_aside",
        sa.Column("account_id", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
    )
    op.create_index("ix_payload_aside_subject", "payload_aside", ["account_id", "subject"])
    op.create_index("ix_payload_aside_received_at", "payload_aside", ["received_at"])


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
