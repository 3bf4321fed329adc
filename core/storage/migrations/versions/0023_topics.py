"""Topics of what the assistant missed, and of tickets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.storage.tables.vector import HalfVector

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_DIMENSIONS = 384


def upgrade() -> None:
    op.create_table(
        "topic",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", JSONB(), nullable=False),
        sa.Column("vector", HalfVector(_DIMENSIONS), nullable=False),
        sa.Column("vector_model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("article_id", sa.Text(), nullable=True),
        sa.Column("problem_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["ticket.id"], name=op.f("fk_topic_problem_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["agent.id"], name=op.f("fk_topic_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
    )
    op.create_index("ix_topic_kind", "topic", ["kind", "vector_model"])
    op.create_table(
        "topic_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vector", HalfVector(_DIMENSIONS), nullable=True),
        sa.Column("vector_model", sa.Text(), nullable=True),
        sa.Column("topic_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_topic_item_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topic.id"], name=op.f("fk_topic_item_topic_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_item")),
    )
    op.create_index("ix_topic_item_conversation_id", "topic_item", ["conversation_id"])
    op.create_index("ix_topic_item_topic", "topic_item", ["topic_id", "at"])
    op.create_index("ix_topic_item_at", "topic_item", ["kind", "at"])
    op.create_index("ix_topic_item_vector_model", "topic_item", ["vector_model"])
    op.create_index(
        "ix_topic_item_loose",
        "topic_item",
        ["kind", "at"],
        postgresql_where=sa.text("topic_id IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
