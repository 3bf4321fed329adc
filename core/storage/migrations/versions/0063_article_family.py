"""An article's translations are found by index."""

from alembic import op
from sqlalchemy import text

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_article_family", "article", [text("coalesce(translation_of, id)")])


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
