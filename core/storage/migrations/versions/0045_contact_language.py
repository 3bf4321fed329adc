"""From whom the language of a contact is known: what people choose or write counts for more."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_CHOSEN_BEFORE = """
    UPDATE contact SET language = chosen.language, language_source = 'choice'
    FROM (
        SELECT DISTINCT ON (contact_id) contact_id, language FROM conversation
        WHERE language_is_chosen AND language IS NOT NULL
        ORDER BY contact_id, last_message_at DESC
    ) AS chosen
    WHERE contact.id = chosen.contact_id
"""


def upgrade() -> None:
    op.add_column(
        "contact",
        sa.Column("language_source", sa.Text(), server_default="platform", nullable=False),
    )
    op.execute(_CHOSEN_BEFORE)


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
