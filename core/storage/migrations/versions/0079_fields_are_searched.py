"""The search finds tickets by the texts and numbers that their fields hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

# Numbers are found whole and by their parts: "SN-4711" also by "4711".
_FILLED = r"""
CREATE FUNCTION search_filled(words text, number double precision) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(
    search_document('', coalesce(words, number::text, ''))
    || to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(
           coalesce(words, number::text, ''), '[^[:alnum:]]+', ' ', 'g')), 'B')
"""


def upgrade() -> None:
    op.execute(sa.text(_FILLED.replace(":", r"\:")))
    op.add_column(
        "ticket_field",
        sa.Column(
            "document",
            postgresql.TSVECTOR(),
            sa.Computed(
                "CASE WHEN kind IN ('text', 'number') THEN search_filled(words, number) END",
                persisted=True,
            ),
            nullable=True,
        ),
    )
    op.create_index(
        "ix_ticket_field_document",
        "ticket_field",
        ["document"],
        postgresql_using="gin",
        postgresql_where=sa.text("document IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
