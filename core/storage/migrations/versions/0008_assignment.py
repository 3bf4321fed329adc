"""Presence, what agents can do, routing rules, assignment, and what tokens may be used for."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _agents()
    _teams()
    _routing()
    _tokens()


def _agents() -> None:
    for name in ("skills", "languages"):
        op.add_column("agent", _list(name))
    op.add_column("agent", sa.Column("capacity", sa.Integer(), server_default="10", nullable=False))
    op.create_table(
        "agent_presence",
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("chosen", sa.Text(), server_default="online", nullable=False),
        _time("seen_at"),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agent.id"], name=op.f("fk_agent_presence_agent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agent_presence")),
    )


def _teams() -> None:
    op.add_column("team_member", _time("last_given_at"))
    op.create_table(
        "team_escalation",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("untouched_minutes", sa.Integer(), nullable=True),
        sa.Column("unsolved_minutes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_team_escalation_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "level", name=op.f("pk_team_escalation")),
    )
    op.create_table(
        "assignment_policy",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("default_team_id", sa.Uuid(), nullable=True),
        sa.Column("offer_again_minutes", sa.Integer(), server_default="30", nullable=True),
        _flag("own_tickets_only"),
        sa.ForeignKeyConstraint(
            ["default_team_id"], ["team.id"], name=op.f("fk_assignment_policy_default_team_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_policy")),
    )
    op.execute("INSERT INTO assignment_policy (id) VALUES (1)")


def _routing() -> None:
    op.create_table(
        "routing_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        _list("skills"),
        _flag("skills_required"),
        sa.Column("language", sa.Text(), server_default="preferred", nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_routing_rule_team_id")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_routing_rule_category_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_rule")),
    )
    op.create_index("ix_routing_rule_position", "routing_rule", ["position"])
    op.create_index("ix_routing_rule_team_id", "routing_rule", ["team_id"])
    op.create_table(
        "ticket_routing",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        _flag("is_by_hand"),
        _list("skills"),
        _flag("skills_required"),
        sa.Column("language", sa.Text(), server_default="preferred", nullable=False),
        _time("wanting_since"),
        _list("passed_over"),
        _time("at_level_since"),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name=op.f("fk_ticket_routing_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["routing_rule.id"],
            name=op.f("fk_ticket_routing_rule_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_routing")),
    )
    op.create_index("ix_ticket_routing_rule_id", "ticket_routing", ["rule_id"])
    for name, column in (("wanting", "wanting_since"), ("level", "at_level_since")):
        op.create_index(
            f"ix_ticket_routing_{name}",
            "ticket_routing",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def _tokens() -> None:
    op.add_column(
        "api_token",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )
    op.create_unique_constraint(op.f("uq_api_token_id"), "api_token", ["id"])
    op.add_column("api_token", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "api_token",
        sa.Column(
            "scopes",
            postgresql.JSONB(),
            server_default=sa.text("""'["read", "tickets", "knowledge", "admin"]'"""),
            nullable=False,
        ),
    )
    for name in ("expires_at", "revoked_at"):
        op.add_column("api_token", _time(name))


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _list(name: str) -> sa.Column[list[object]]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
