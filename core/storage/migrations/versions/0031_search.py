"""What messages, tickets and people are found by, and the vocabulary that slips are judged by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# Bodies in the standard's form are read once, here: what they call does not depend on the search
# path of whoever writes a row. Marks above letters go, as do characters that cannot be seen. A text
# is cut before and after it is taken apart, so that its words always fit into one index entry.
_FOLDED = r"""
CREATE FUNCTION search_folded(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(translate(CASE
    WHEN octet_length(words) = length(words) THEN left(words, 50000)
    ELSE regexp_replace(
        left(normalize(left(words, 50000), NFKD), 50000),
        '[\u0300-\u036F\u00AD\u200B-\u200F\u2060\uFEFF]', '', 'g')
END, '/\', '  '))
"""

# What is written in neither English nor Spanish, or in nobody knows what, is found by either's
# stems.
_DOCUMENT = """
CREATE FUNCTION search_document(language text, words text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE language
    WHEN 'en' THEN to_tsvector('pg_catalog.english'::regconfig, search_folded(words))
    WHEN 'es' THEN to_tsvector('pg_catalog.spanish'::regconfig, search_folded(words))
    ELSE to_tsvector('pg_catalog.english'::regconfig, search_folded(words))
         || to_tsvector('pg_catalog.spanish'::regconfig, search_folded(words))
END
"""

_PERSON = """
CREATE FUNCTION search_person(name text, email text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.simple'::regconfig, search_folded(
    coalesce(name, '') || ' ' || translate(coalesce(email, ''), '@.-_+', '     ')))
"""

# A word that is too common to be looked for in one of the languages makes no query.
_QUERY = """
CREATE FUNCTION search_query(word text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN numnode(plainto_tsquery('pg_catalog.english'::regconfig, search_folded(word))) = 0
      OR numnode(plainto_tsquery('pg_catalog.spanish'::regconfig, search_folded(word))) = 0
    THEN ''::tsquery
    ELSE plainto_tsquery('pg_catalog.english'::regconfig, search_folded(word))
         || plainto_tsquery('pg_catalog.spanish'::regconfig, search_folded(word))
END
"""

# Names are found by how they begin, but for single letters.
_BEGINNINGS = r"""
CREATE FUNCTION search_beginnings(word text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT coalesce(string_agg(
            '''' || part || '''' || CASE WHEN length(part) > 1 THEN ':*' ELSE '' END, ' & '), '')
        FROM regexp_split_to_table(search_folded(word), '[^[:alnum:]]+') AS part
        WHERE part <> '')::tsquery
"""

# A word and what it is with one letter left out: words that are one slip apart share one of these.
_FORMS = """
CREATE FUNCTION search_forms(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT word UNION SELECT overlay(word PLACING '' FROM place FOR 1)
             FROM generate_series(1, length(word)) AS place)
"""

_TICKET = (
    "setweight(search_document(language, subject), 'A')"
    " || setweight(search_document(language, summary), 'B')"
)


def upgrade() -> None:
    for function in (_FOLDED, _DOCUMENT, _PERSON, _QUERY, _BEGINNINGS, _FORMS):
        op.execute(sa.text(function.replace(":", r"\:")))
    for table, document in (
        ("message", "search_document(language, text)"),
        (
            "ticket",
            _TICKET,
        ),
        ("contact", "search_person(name, email)"),
    ):
        op.add_column(
            table,
            sa.Column("document", postgresql.TSVECTOR(), sa.Computed(document, persisted=True)),
        )
        op.create_index(
            f"ix_{table}_document", table, ["document"], postgresql_using="gin", unique=False
        )
    op.create_index(
        "ix_contact_address_lower", "contact_address", [sa.text("lower(address)")], unique=False
    )
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("forms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_index("ix_search_word_forms", "search_word", ["forms"], postgresql_using="gin")
    op.create_table(
        "search_progress",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_search_progress")),
    )
    op.execute(
        "INSERT INTO search_progress (source, last_id)"
        " SELECT unnest(ARRAY['contact', 'message', 'ticket']),"
        " '00000000-0000-0000-0000-000000000000'"
    )


def downgrade() -> None:
    raise NotImplementedError("a desk goes forward only; restore a backup to go back")
