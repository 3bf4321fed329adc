"""Agents are told of what lets somebody in under their name."""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("mail_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_access_notice"),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agent.id"], name="fk_access_notice_agent_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_access_notice_agent", "access_notice", ["agent_id", "id"])
    op.create_index(
        "ix_access_notice_mail",
        "access_notice",
        ["mail_at"],
        postgresql_where=sa.text("mail_at IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
