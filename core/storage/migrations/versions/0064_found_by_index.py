"""The audit log, the latest texts with a word, and what waits are found by index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

# As `search_person`, every sign parts words. What values were written as in JSON is taken off.
_ENTRY = r"""
CREATE FUNCTION search_entry(action text, subject_name text, subject_id text, remote text,
                             old jsonb, new jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(search_folded(regexp_replace(
    action || ' ' || subject_name || ' ' || subject_id || ' ' || coalesce(remote, '')
        || ' ' || coalesce(new::text, '') || ' ' || coalesce(old::text, ''),
    '\\[\\bfnrt]', ' ', 'g')), '[^[:alnum:]]+', ' ', 'g'))
"""


def upgrade() -> None:
    op.execute(sa.text(_ENTRY.replace(":", r"\:")))
    document = "search_entry(action, subject_name, subject_id, remote, old, new)"
    op.add_column(
        "audit_entry",
        sa.Column("document", postgresql.TSVECTOR(), sa.Computed(document, persisted=True)),
    )
    op.create_index("ix_audit_entry_document", "audit_entry", ["document"], postgresql_using="gin")
    op.create_index(
        "ix_message_age",
        "message",
        ["id"],
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "64", "autosummarize": "on"},
    )
    op.create_index(
        "ix_ticket_figure_waiting",
        "ticket_figure",
        ["ticket_id"],
        postgresql_include=["channel"],
        postgresql_where=sa.text("solved_at IS NULL"),
    )
    # Tickets cannot even be read once an index of theirs is dropped: that comes last.
    op.create_index(
        "ix_ticket_live_new",
        "ticket",
        ["created_at", "id"],
        postgresql_include=["category_id", "priority", "reason"],
        postgresql_where=sa.text("status IN ('new', 'open', 'pending', 'on_hold')"),
    )
    op.drop_index("ix_ticket_live", "ticket")
    op.execute("ALTER INDEX ix_ticket_live_new RENAME TO ix_ticket_live")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
