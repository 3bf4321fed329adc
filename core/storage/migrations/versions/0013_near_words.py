"""What mistyped words are found by."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_CONFIGURATIONS = {"en": "english", "es": "spanish"}
_AT_ONCE = 200  # articles


def upgrade() -> None:
    op.create_table(
        "near_word",
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "form", "word", name=op.f("pk_near_word")),
    )
    _learn_stored_articles()


def _learn_stored_articles() -> None:
    connection = op.get_bind()
    last = ""
    while True:
        rows = connection.execute(
            sa.text(
                "SELECT id, language, title || ' ' || questions::text || ' ' || body FROM article"
                " WHERE id > :last ORDER BY id LIMIT :limit"
            ),
            {"last": last, "limit": _AT_ONCE},
        ).all()
        if not rows:
            return
        last = rows[-1][0]
        words = {
            (_CONFIGURATIONS.get(language, "simple"), word)
            for _, language, content in rows
            for word in re.findall(r"[^\W\d_]+", _folded(content))
            if 4 <= len(word) <= 30
        }
        forms = {
            (configuration, form, word)
            for configuration, word in words
            for form in (word, *(word[:at] + word[at + 1 :] for at in range(len(word))))
        }
        if forms:
            configurations, near, spelt = zip(*sorted(forms), strict=True)
            connection.execute(
                sa.text(
                    "INSERT INTO near_word (configuration, form, word)"
                    " SELECT * FROM unnest(CAST(:configurations AS text[]),"
                    " CAST(:forms AS text[]), CAST(:words AS text[])) ON CONFLICT DO NOTHING"
                ),
                {
                    "configurations": list(configurations),
                    "forms": list(near),
                    "words": list(spelt),
                },
            )


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
