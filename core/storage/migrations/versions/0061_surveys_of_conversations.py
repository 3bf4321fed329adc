"""Requesters may be asked about a conversation that the assistant finished alone."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("satisfaction", "ticket_id", nullable=True)
    op.add_column("satisfaction", sa.Column("conversation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_satisfaction_conversation_id"),
        "satisfaction",
        "conversation",
        ["conversation_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_check_constraint(
        op.f("ck_satisfaction_subject"),
        "satisfaction",
        "num_nonnulls(ticket_id, conversation_id) = 1",
    )
    op.create_index(
        "ix_satisfaction_conversation_id",
        "satisfaction",
        ["conversation_id"],
        postgresql_where=sa.text("conversation_id IS NOT NULL"),
    )
    op.create_index(
        "uq_satisfaction_open_of_assistant",
        "satisfaction",
        ["conversation_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'asked')"),
    )
    # The default stays: a program of an earlier release that still runs writes rules without it.
    op.add_column(
        "survey_rule",
        sa.Column("asks_of_assistant", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
