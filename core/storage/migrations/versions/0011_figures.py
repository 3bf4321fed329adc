"""Figures about tickets, and counts of them by day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_conversation_created_at", "conversation", ["created_at"])
    op.create_table(
        "ticket_figure",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("times_reopened", sa.SmallInteger(), nullable=False),
        *(
            sa.Column(f"{name}{ending}", sa.Integer(), nullable=True)
            for name in ("first_response", "next_response", "resolution")
            for ending in ("", "_business")
        ),
        sa.Column("kept", sa.SmallInteger(), nullable=False),
        sa.Column("broken", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name=op.f("fk_ticket_figure_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_figure")),
    )
    for column in ("opened_at", "solved_at"):
        op.create_index(f"ix_ticket_figure_{column}", "ticket_figure", [column])
    op.create_table(
        "figure_count",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "dimension", "day", "value", "measure", "bucket", name=op.f("pk_figure_count")
        ),
    )
    op.create_index("ix_figure_count_day", "figure_count", ["day"])
    op.create_table(
        "figure_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_change")),
    )
    op.create_table(
        "figure_zone",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_zone")),
    )
    # What is known of tickets so far; business time was not counted then.
    op.execute(
        "INSERT INTO ticket_figure (ticket_id, opened_at, solved_at, channel, team_id, agent_id,"
        " category_id, priority, reason, times_reopened, first_response, resolution, kept, broken)"
        " SELECT t.id, t.created_at, t.solved_at, a.channel, t.team_id, t.assignee_id,"
        " t.category_id, t.priority, t.reason, 0,"
        " extract(epoch FROM t.first_response_at - t.created_at)::int,"
        " extract(epoch FROM t.solved_at - t.created_at)::int, 0, 0"
        " FROM ticket t JOIN conversation c ON c.id = t.conversation_id"
        " LEFT JOIN account a ON a.id = c.account_id"
        " WHERE coalesce(a.origin, '') <> 'rehearsal'"
    )
    op.execute(
        "INSERT INTO figure_change (at) SELECT DISTINCT date_trunc('hour', at) FROM ("
        " SELECT opened_at AS at FROM ticket_figure UNION ALL"
        " SELECT solved_at FROM ticket_figure WHERE solved_at IS NOT NULL UNION ALL"
        " SELECT created_at FROM conversation) moments"
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
