"""The request catalogue; fields of forms are no longer of categories alone."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def _created(name: str = "created_at") -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(
    name: str, table: str, *, to: str, nullable: bool = False, cascades: bool = False
) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.Uuid(),
        sa.ForeignKey(
            f"{to}.id", name=f"fk_{table}_{name}", ondelete="CASCADE" if cascades else None
        ),
        nullable=nullable,
    )


def _json(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.dialects.postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
    )


def upgrade() -> None:
    op.create_table(
        "approval_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("id", name="pk_approval_role"),
        sa.UniqueConstraint("name", name="uq_approval_role_name"),
    )
    op.create_table(
        "approver",
        sa.Column("id", sa.Uuid(), nullable=False),
        _key("role_id", "approver", to="approval_role", cascades=True),
        _key("agent_id", "approver", to="agent", nullable=True, cascades=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approver"),
        sa.CheckConstraint("(agent_id IS NULL) <> (email IS NULL)", name=op.f("ck_approver_who")),
        sa.UniqueConstraint("role_id", "agent_id", name="uq_approver_role_id_agent_id"),
        sa.UniqueConstraint("role_id", "email", name="uq_approver_role_id_email"),
    )
    op.create_index("ix_approver_agent_id", "approver", ["agent_id"])
    op.create_table(
        "catalogue_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _json("names"),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        _json("descriptions"),
        _json("words"),
        sa.Column("icon", sa.Text(), server_default="", nullable=False),
        _key("category_id", "catalogue_item", to="category", nullable=True),
        _key("team_id", "catalogue_item", to="team", nullable=True),
        _key("approval_role_id", "catalogue_item", to="approval_role", nullable=True),
        _json("answers"),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _created(),
        _moment("archived_at"),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_item"),
    )
    op.create_table(
        "catalogue_task",
        _key("item_id", "catalogue_task", to="catalogue_item", cascades=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _key("team_id", "catalogue_task", to="team", nullable=True),
        _key("agent_id", "catalogue_task", to="agent", nullable=True),
        sa.PrimaryKeyConstraint("item_id", "position", name="pk_catalogue_task"),
    )
    op.create_table(
        "item_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        _key("ticket_id", "item_request", to="ticket", cascades=True),
        _key("item_id", "item_request", to="catalogue_item"),
        _key("role_id", "item_request", to="approval_role", nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_name", sa.Text(), nullable=True),
        _moment("decided_at"),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("id", name="pk_item_request"),
        sa.UniqueConstraint("ticket_id", name="uq_item_request_ticket_id"),
    )
    op.create_index("ix_item_request_item_id", "item_request", ["item_id"])
    op.create_index(
        "ix_item_request_approval",
        "item_request",
        ["role_id"],
        postgresql_where=sa.text("stage = 'approval'"),
    )
    op.create_table(
        "approval_ask",
        sa.Column("id", sa.Uuid(), nullable=False),
        _key("request_id", "approval_ask", to="item_request", cascades=True),
        _key("agent_id", "approval_ask", to="agent", nullable=True, cascades=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        _created("asked_at"),
        _moment("expires_at", nullable=False),
        _moment("mail_at"),
        _moment("mailed_at"),
        _moment("chat_at"),
        _key("conversation_id", "approval_ask", to="conversation", nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approval_ask"),
    )
    op.create_index("ix_approval_ask_request_id", "approval_ask", ["request_id"])
    for name in ("mail", "chat"):
        op.create_index(
            f"ix_approval_ask_{name}",
            "approval_ask",
            [f"{name}_at"],
            postgresql_where=sa.text(f"{name}_at IS NOT NULL"),
        )
    op.create_table(
        "request_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        _key("request_id", "request_task", to="item_request", cascades=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _key("team_id", "request_task", to="team", nullable=True),
        _key("agent_id", "request_task", to="agent", nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        _moment("opened_at"),
        _moment("done_at"),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_request_task"),
        sa.UniqueConstraint("request_id", "position", name="uq_request_task_request_id_position"),
    )
    op.create_index(
        "ix_request_task_agent",
        "request_task",
        ["agent_id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    _widen_fields()


def _widen_fields() -> None:
    op.rename_table("category_field", "form_field")
    op.execute("ALTER INDEX pk_category_field RENAME TO pk_form_field")
    op.execute("ALTER INDEX ix_category_field_category_id RENAME TO ix_form_field_category_id")
    op.execute(
        "ALTER TABLE form_field RENAME CONSTRAINT fk_category_field_category_id "
        "TO fk_form_field_category_id"
    )
    op.alter_column("form_field", "category_id", nullable=True)
    op.add_column("form_field", sa.Column("item_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_form_field_item_id", "form_field", "catalogue_item", ["item_id"], ["id"]
    )
    op.create_index("ix_form_field_item_id", "form_field", ["item_id"])
    op.add_column("form_field", _json("choice_labels"))
    op.create_check_constraint(
        op.f("ck_form_field_owner"), "form_field", "(category_id IS NULL) <> (item_id IS NULL)"
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
