"""Articles of each language are counted from an index alone."""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_article_language", "article", ["language"])


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
