"""What channels to platforms need: settings and health of accounts, order, letters, files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _account()
    _conversation()
    _message()
    _files_and_deliveries()
    _people()


def _account() -> None:
    op.add_column("account", _text("origin", "settings"))
    op.add_column(
        "account",
        sa.Column("settings", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("account", sa.Column("secrets", sa.LargeBinary(), nullable=True))
    op.add_column(
        "account",
        _flag("is_enabled", "true"),
    )
    revision = sa.Sequence("account_revision")
    op.execute(sa.schema.CreateSequence(revision))
    op.add_column(
        "account",
        sa.Column(
            "revision", sa.BigInteger(), server_default=revision.next_value(), nullable=False
        ),
    )
    op.add_column("account", _text("health", "connecting"))
    op.add_column("account", _text("health_reason", ""))
    op.add_column("account", _text("health_remedy", ""))
    op.add_column("account", _time("health_at", server_default=sa.text("now()"), nullable=False))
    op.create_table(
        "early_event",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(), nullable=False),
        _time("received_at", server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_early_event")),
    )
    op.create_index("ix_early_event_message", "early_event", ["account_id", "remote_id"])
    op.create_index("ix_early_event_received_at", "early_event", ["received_at"])


def _conversation() -> None:
    op.add_column("conversation", _text("last_order"))
    op.add_column("conversation", _text("address"))
    op.execute(
        "UPDATE conversation SET address = known.address FROM contact_address AS known"
        " WHERE known.contact_id = conversation.contact_id"
        " AND known.account_id = conversation.account_id"
    )
    op.add_column("conversation", _time("unreachable_since"))
    op.add_column("conversation", sa.Column("side_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_conversation_side_of"), "conversation", "conversation", ["side_of"], ["id"]
    )
    op.create_index("ix_conversation_side_of", "conversation", ["side_of"])
    op.create_index("ix_inbound_event_message_id", "inbound_event", ["message_id"])


def _message() -> None:
    op.add_column("message", sa.Column("position", sa.Float(), nullable=True))
    op.execute("UPDATE message SET position = seq")
    op.alter_column("message", "position", nullable=False)
    op.add_column("message", _text("order"))
    op.add_column("message", _text("author"))
    op.execute(
        "UPDATE message SET author = conversation.address FROM conversation"
        " WHERE conversation.id = message.conversation_id AND message.speaker = 'customer'"
    )
    op.add_column("message", sa.Column("envelope", postgresql.JSONB(), nullable=True))
    op.add_column("message", sa.Column("forwarded_from", postgresql.JSONB(), nullable=True))
    op.add_column(
        "message",
        sa.Column("reported", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("message", _text("caution"))
    op.add_column(
        "message",
        _flag("is_automatic", "false"),
    )


def _files_and_deliveries() -> None:
    op.add_column("attachment", _text("content_id"))
    op.add_column(
        "attachment",
        _flag("is_inline", "false"),
    )
    op.add_column("attachment", _text("status", "waiting"))
    op.execute("UPDATE attachment SET status = 'fetched' WHERE blob_key IS NOT NULL")
    op.add_column("attachment", _text("detail"))
    op.add_column(
        "attachment", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "attachment", _time("available_at", server_default=sa.text("now()"), nullable=False)
    )
    op.add_column("attachment", _time("removed_at"))
    op.create_index(
        "ix_attachment_due",
        "attachment",
        ["available_at"],
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        _time("created_at", server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_upload_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_created_at", "upload", ["created_at"])
    op.add_column("delivery", _text("action", "send"))
    op.add_column(
        "remote_message", sa.Column("part", sa.Integer(), server_default="0", nullable=False)
    )


def _people() -> None:
    for name in ("name", "verified_email", "bounce"):
        op.add_column("contact_address", _text(name))
    for name in ("looked_up_at", "look_up_at", "bounced_at"):
        op.add_column("contact_address", _time(name))
    op.add_column("contact_address", sa.Column("look_up_for", sa.Uuid(), nullable=True))
    op.create_index("ix_contact_address_verified_email", "contact_address", ["verified_email"])
    op.create_index(
        "ix_contact_address_due",
        "contact_address",
        ["look_up_for", "look_up_at"],
        postgresql_where=sa.text("look_up_at IS NOT NULL"),
    )
    op.add_column("agent", _text("picture_blob"))
    op.add_column("agent", _text("picture_type"))


def _flag(name: str, default: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=default is None)


def _time(
    name: str, *, nullable: bool = True, server_default: sa.TextClause | None = None
) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=server_default, nullable=nullable
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
