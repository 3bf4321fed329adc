"""The assistant's time and people's are counted apart; whether articles helped, by conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("assistant", "work"):
        op.add_column("ticket_figure", sa.Column(name, sa.Integer(), nullable=True))
    op.execute(
        "UPDATE ticket_figure f SET assistant = least(s.assistant_seconds, 2147483647),"
        " work = CASE WHEN f.solved_at IS NOT NULL THEN least(s.work_seconds, 2147483647) END"
        " FROM sla_ticket s WHERE s.ticket_id = f.ticket_id"
    )
    op.create_index("ix_article_feedback_conversation_id", "article_feedback", ["conversation_id"])
    op.create_index("ix_article_feedback_at", "article_feedback", ["at"])
    # All days are counted anew, by what "alone" and these times mean now.
    op.execute("DELETE FROM figure_sum")
    op.execute("UPDATE figure_zone SET zone = ''")


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
