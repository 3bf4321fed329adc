"""Examples that people teach the assistant, and its models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training_example",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        _now("added_at"),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        _agent("training_example", "added_by"),
        _agent("training_example", "reviewed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_example")),
        sa.UniqueConstraint("language", "text", name=op.f("uq_training_example_language_text")),
    )
    op.create_index("ix_training_example_state", "training_example", ["state", "id"])
    op.execute("CREATE SEQUENCE model_number START WITH 1")
    op.create_table(
        "model_version",
        sa.Column(
            "number",
            sa.BigInteger(),
            server_default=sa.text("nextval('model_number')"),
            nullable=False,
        ),
        sa.Column("lessons", sa.Text(), nullable=False),
        _list("examples"),
        _list("held_back"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("goes_live", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("report", JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _list("intents"),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        _now("asked_at"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Uuid(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=True),
        _agent("model_version", "asked_by"),
        _agent("model_version", "used_by"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_model_version")),
    )
    op.create_index(
        "uq_model_version_live",
        "model_version",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_index(
        "ix_model_version_due",
        "model_version",
        ["number"],
        postgresql_where=sa.text("state IN ('queued', 'training')"),
    )
    # The release as it comes; it has served from the beginning.
    op.execute(
        "INSERT INTO model_version (number, lessons, state, used_at)"
        " VALUES (0, 'none', 'live', now())"
    )


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _list(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB(), server_default=sa.text("'[]'"), nullable=False)


def _agent(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["agent.id"], name=op.f(f"fk_{table}_{column}"))


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
