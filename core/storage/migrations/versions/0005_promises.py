"""Business calendars, service level policies and clocks; how silent tickets end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("sla_revision")))
    _rules()
    _clocks()
    for name, kind in (
        ("sla_due_at", sa.DateTime(timezone=True)),
        ("sla_due_kind", sa.Text()),
        ("sla_breached_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("ticket", sa.Column(name, kind, nullable=True))
    # Everything unclosed is worked out as soon as a worker runs: no revision is below 1.
    op.execute(
        "INSERT INTO sla_ticket (ticket_id, asked_at, revision)"
        " SELECT id, created_at, 0 FROM ticket WHERE status <> 'closed'"
    )


def _rules() -> None:
    op.create_table(
        "business_calendar",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("week", postgresql.JSONB(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("own_days", postgresql.JSONB(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _revision(),
        _time("created_at", server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_calendar")),
    )
    op.create_index("uq_business_calendar_name", "business_calendar", ["name"], unique=True)
    op.create_index(
        "uq_business_calendar_default",
        "business_calendar",
        ["is_default"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "sla_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(), nullable=False),
        sa.Column("targets", postgresql.JSONB(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=True),
        sa.Column("warn_percent", sa.SmallInteger(), nullable=False),
        sa.Column("raises_priority", sa.Boolean(), nullable=False),
        sa.Column("tells_hours", sa.Boolean(), nullable=False),
        _revision(),
        _time("created_at", server_default=sa.text("now()"), nullable=False),
        _time("archived_at"),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["business_calendar.id"], name=op.f("fk_sla_policy_calendar_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policy")),
    )
    op.create_index("ix_sla_policy_position", "sla_policy", ["position"])
    op.create_index("ix_sla_policy_calendar_id", "sla_policy", ["calendar_id"])
    op.create_table(
        "closing_rule",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("remind_after_days", sa.Integer(), nullable=True),
        sa.Column("solve_after_days", sa.Integer(), nullable=True),
        sa.Column("close_after_days", sa.Integer(), nullable=True),
        _revision(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_rule")),
    )
    op.execute("INSERT INTO closing_rule (id) VALUES (1)")


def _clocks() -> None:
    op.create_table(
        "sla_clock",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("target_seconds", sa.Integer(), nullable=False),
        _time("started_at", nullable=False),
        sa.Column("spent_seconds", sa.BigInteger(), nullable=False),
        *map(_time, ("running_since", "warn_at", "due_at", "warned_at", "breached_at", "met_at")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_sla_clock_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "kind", "round", name=op.f("pk_sla_clock")),
    )
    for name, column, noted in (
        ("ix_sla_clock_warn", "warn_at", "warned_at"),
        ("ix_sla_clock_due", "due_at", "breached_at"),
    ):
        op.create_index(
            name,
            "sla_clock",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL AND {noted} IS NULL"),
        )
    op.create_table(
        "sla_ticket",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        _time("asked_at", nullable=False),
        sa.Column("assistant_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("work_seconds", sa.BigInteger(), server_default="0", nullable=False),
        *map(_time, ("told_hours_at", "remind_at", "reminded_at", "end_at")),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_sla_ticket_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["sla_policy.id"], name=op.f("fk_sla_ticket_policy_id")
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_sla_ticket")),
    )
    op.create_index("ix_sla_ticket_policy_id", "sla_ticket", ["policy_id"])
    for name, column in (
        ("ix_sla_ticket_revision", "revision"),
        ("ix_sla_ticket_remind", "remind_at"),
        ("ix_sla_ticket_end", "end_at"),
    ):
        op.create_index(
            name, "sla_ticket", [column], postgresql_where=sa.text(f"{column} IS NOT NULL")
        )


def _revision() -> sa.Column[int]:
    return sa.Column(
        "revision",
        sa.BigInteger(),
        server_default=sa.text("nextval('sla_revision')"),
        nullable=False,
    )


def _time(
    name: str, *, nullable: bool = True, server_default: sa.TextClause | None = None
) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=server_default, nullable=nullable
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
