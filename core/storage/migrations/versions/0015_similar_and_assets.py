"""What tickets are like each other by; assets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.storage.tables.vector import HalfVector

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_vector",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.Column("vector", HalfVector(384), nullable=True),
        sa.Column("vector_model", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name=op.f("fk_ticket_vector_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_vector")),
    )
    op.execute(
        "INSERT INTO ticket_vector (ticket_id, text, words)"
        " SELECT ticket.id, left(ticket.subject || E'\\n' || summary, 600),"
        " to_tsvector(CASE ticket.language WHEN 'es' THEN 'spanish'::regconfig"
        " ELSE 'english'::regconfig END,"
        " translate(lower(left(ticket.subject || E'\\n' || summary, 600)), 'áéíóúüñ', 'aeiouun'))"
        " FROM ticket JOIN conversation ON conversation.id = conversation_id"
        " JOIN account ON account.id = account_id WHERE account.origin <> 'rehearsal'"
    )
    op.create_index(
        "ix_ticket_vector_vector",
        "ticket_vector",
        ["vector"],
        postgresql_using="hnsw",
        postgresql_ops={"vector": "halfvec_cosine_ops"},
    )
    op.create_index("ix_ticket_vector_words", "ticket_vector", ["words"], postgresql_using="gin")
    op.create_index("ix_ticket_vector_model", "ticket_vector", ["vector_model"])
    _assets()


def _assets() -> None:
    op.create_table(
        "asset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("serial", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="in_use", nullable=False),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_asset_contact_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_asset_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
    )
    op.create_index("uq_asset_tag", "asset", [sa.text("lower(tag)")], unique=True)
    op.create_index("ix_asset_contact_id", "asset", ["contact_id"])
    op.create_index("ix_asset_organisation_id", "asset", ["organisation_id"])
    op.add_column("ticket", sa.Column("asset_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_ticket_asset_id"), "ticket", "asset", ["asset_id"], ["id"])
    op.create_index("ix_ticket_asset_id", "ticket", ["asset_id"])


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
