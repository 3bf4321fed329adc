"""Merged tickets, and what a closed ticket is besides closed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("closed_as", sa.Text(), nullable=True))
    op.add_column("conversation", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_conversation_merged_into"),
        "conversation",
        "conversation",
        ["merged_into"],
        ["id"],
    )
    op.create_index(
        "ix_conversation_merged_into",
        "conversation",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "ticket_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("merged_id", sa.Uuid(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("was", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=True),
        _reference("kept_id", "ticket", "CASCADE"),
        _reference("merged_id", "ticket", "CASCADE"),
        _reference("into_id", "conversation", None),
        _reference("conversation_id", "conversation", None),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_merge")),
    )
    op.create_index(
        "uq_ticket_merge_open",
        "ticket_merge",
        ["merged_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.add_column(
        "held_reply",
        sa.Column("places", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.create_index("ix_ticket_merge_kept", "ticket_merge", ["kept_id"])
    op.create_index("ix_ticket_merge_conversation", "ticket_merge", ["conversation_id"])


def _reference(column: str, table: str, ondelete: str | None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{table}.id"], name=op.f(f"fk_ticket_merge_{column}"), ondelete=ondelete
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
