"""Support plans have a table; what organisations had written in their records becomes rows of it.

Organisations whose plan is called the same and covers the same channels share one. Where a name
stands for several sets of channels, the later ones have a number behind it.
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "support_plan",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channels", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_support_plan_name", "support_plan", [sa.text("lower(name)")], unique=True)
    op.add_column("organisation", sa.Column("plan_id", sa.Uuid(), nullable=True))
    op.add_column("organisation", sa.Column("plan_from", sa.Date(), nullable=True))
    op.add_column("organisation", sa.Column("plan_until", sa.Date(), nullable=True))
    op.create_foreign_key(None, "organisation", "support_plan", ["plan_id"], ["id"])
    op.create_index("ix_organisation_plan_id", "organisation", ["plan_id"])
    _move(op.get_bind())
    op.drop_column("organisation", "plan")
    op.drop_column("organisation", "channels")


def _move(connection: sa.Connection) -> None:
    rows = connection.execute(
        sa.text(
            "SELECT id, name, plan, channels FROM organisation"
            " WHERE plan <> '' OR channels <> '[]' ORDER BY created_at, id"
        )
    ).all()
    plans: dict[tuple[str, str], object] = {}
    taken: set[str] = set()
    for row in rows:
        called = row.plan or row.name
        channels = json.dumps(sorted(row.channels))
        key = (called.lower(), channels)
        if key not in plans:
            name, number = called, 1
            while name.lower() in taken:
                number += 1
                name = f"{called} ({number})"
            taken.add(name.lower())
            plans[key] = connection.scalar(
                sa.text(
                    "INSERT INTO support_plan (name, channels)"
                    " VALUES (:name, CAST(:channels AS jsonb)) RETURNING id"
                ),
                {"name": name, "channels": channels},
            )
        connection.execute(
            sa.text("UPDATE organisation SET plan_id = :plan WHERE id = :id"),
            {"plan": plans[key], "id": row.id},
        )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
