"""Why a letter that asks for an approval could not be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("approval_ask", sa.Column("mail_problem", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
