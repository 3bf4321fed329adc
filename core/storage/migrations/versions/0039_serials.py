"""Assets are found by their serial number as by their tag; a merge no longer says what is known.

Which conversation a kept ticket is talked about in stands with the ticket.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_asset_serial", "asset", [sa.text("lower(serial)")])
    op.drop_column("ticket_merge", "into_id")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
