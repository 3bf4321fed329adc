"""Teams, organisations, categories, the audit log, and what the desk does about changes."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _teams()
    _organisations()
    _categories()
    _tickets()
    _audit()


def _teams() -> None:
    op.create_table(
        "team",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("strategy", sa.Text(), server_default="manual", nullable=False),
        sa.Column("escalates_to_id", sa.Uuid(), nullable=True),
        _now("created_at"),
        _time("archived_at"),
        sa.ForeignKeyConstraint(
            ["escalates_to_id"], ["team.id"], name=op.f("fk_team_escalates_to_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("is_lead", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _now("joined_at"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_team_member_team_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agent.id"], name=op.f("fk_team_member_agent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "agent_id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_agent_id", "team_member", ["agent_id"])


def _organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domains", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        _now("created_at"),
        _time("archived_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
    )
    op.add_column("contact", sa.Column("time_zone", sa.Text(), nullable=True))
    op.add_column("contact", sa.Column("organisation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_contact_organisation_id"),
        "contact",
        "organisation",
        ["organisation_id"],
        ["id"],
    )
    op.create_index("ix_contact_organisation_id", "contact", ["organisation_id"])
    op.add_column(
        "contact",
        sa.Column("is_vip", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("contact", sa.Column("notes", sa.Text(), server_default="", nullable=False))


def _categories() -> None:
    op.create_table(
        "category",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("names", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        _now("created_at"),
        _time("archived_at"),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name=op.f("fk_category_parent_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_category_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
    )
    op.create_index("ix_category_parent_id", "category", ["parent_id"])


def _tickets() -> None:
    for name, target in (
        ("team_id", "team"),
        ("organisation_id", "organisation"),
        ("category_id", "category"),
    ):
        op.add_column("ticket", sa.Column(name, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_ticket_{name}"), "ticket", target, [name], ["id"])
    op.create_index("ix_ticket_team", "ticket", ["team_id", "status"])
    op.create_index("ix_ticket_organisation_id", "ticket", ["organisation_id"])
    op.create_index("ix_ticket_category_id", "ticket", ["category_id"])
    op.add_column(
        "ticket", sa.Column("level", sa.SmallInteger(), server_default="1", nullable=False)
    )
    op.add_column("ticket", sa.Column("impact", sa.Text(), nullable=True))
    op.add_column("ticket", sa.Column("urgency", sa.Text(), nullable=True))
    op.add_column(
        "ticket",
        sa.Column("fields", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "ticket",
        sa.Column("tags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("ticket", _time("due_at"))
    op.add_column(
        "ticket_event", sa.Column("depth", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("ticket_event", _time("reacted_at"))
    op.execute("UPDATE ticket_event SET reacted_at = now()")  # what happened before is past
    op.create_index(
        "ix_ticket_event_due",
        "ticket_event",
        ["ticket_id", "id"],
        postgresql_where=sa.text("reacted_at IS NULL"),
    )
    op.create_table(
        "reaction_failure",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("reactor", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        _now("at"),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["ticket_event.id"],
            name=op.f("fk_reaction_failure_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", "reactor", name=op.f("pk_reaction_failure")),
    )


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _now("at"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=True),
        sa.Column("new", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject_kind", "subject_id"])
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
