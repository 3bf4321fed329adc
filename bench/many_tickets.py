"""Fills a database with very many tickets and what was said in them, drawn by the server itself.

A year of tickets by a fifth as many requesters, on five accounts; 20 teams, 200 agents, 50
categories with three fields each, which half of the tickets have filled in; one ticket in twenty is
open. Words are as frequent as in a language: the n-th is seen
about 1/n as often as the first. Each message names a number that occurs in its ticket alone.
Beside them a fifth as many of each: conversations that the assistant answered alone, entries of the
audit log, and calls of webhooks.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg

AGENTS, TEAMS, CATEGORIES = 200, 20, 50
SEED = 0.25
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu"

_FILLED = (
    "contact",
    "contact_address",
    "conversation",
    "ticket",
    "ticket_event",
    "ticket_vector",
    "ticket_field",
    "ticket_figure",
    "message",
    "webhook_delivery",
)

# Indexes that are made afterwards, in one go, take a fraction of the time.
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid
    WHERE indrelid = ANY(%(filled)s::regclass[]) AND conindid IS NULL
"""

_FILL = (
    "SELECT setseed(%(seed)s)",
    """
    INSERT INTO account (id, channel)
    SELECT 'a' || n, (ARRAY['email', 'webchat', 'slack', 'telegram', 'email'])[n]
    FROM generate_series(1, 5) n
    """,
    """
    INSERT INTO team (id, name)
    SELECT md5('team' || n)::uuid, 'Team ' || n FROM generate_series(0, %(teams)s - 1) n
    """,
    """
    INSERT INTO agent (id, email, name, role)
    SELECT md5('agent' || n)::uuid, 'agent' || n || '@example.org', 'Agent ' || n,
           CASE n WHEN 0 THEN 'admin' ELSE 'agent' END
    FROM generate_series(0, %(agents)s - 1) n
    """,
    """
    INSERT INTO team_member (team_id, agent_id)
    SELECT md5('team' || mod(n, %(teams)s))::uuid, md5('agent' || n)::uuid
    FROM generate_series(0, %(agents)s - 1) n
    """,
    """
    INSERT INTO category (id, name)
    SELECT md5('category' || n)::uuid, 'Category ' || n
    FROM generate_series(0, %(categories)s - 1) n
    """,
    """
    INSERT INTO form_field (id, category_id, label, kind, choices)
    SELECT md5(label || n)::uuid, md5('category' || n)::uuid, label, kind, choices
    FROM generate_series(0, %(categories)s - 1) n, (VALUES
        ('Serial number', 'text', '[]'::jsonb),
        ('Floor', 'number', '[]'),
        ('Device', 'choice', '["Laptop", "Dockstation", "Telephone", "Screen"]'))
        AS field (label, kind, choices)
    """,
    # Words of three syllables, and sentences of ten words drawn from them.
    """
    CREATE TEMPORARY TABLE word AS
    SELECT n, s[1 + mod(n, 20)] || s[1 + mod(n / 20, 20)] || s[1 + mod(n / 400, 20)] || 'n'
           AS word
    FROM generate_series(0, 4999) n,
         (SELECT string_to_array(%(syllables)s, ' ') AS s) syllables
    """,
    "CREATE INDEX ON word (n)",
    """
    CREATE TEMPORARY TABLE sentence AS
    SELECT drawn.n, string_agg(word.word, ' ' ORDER BY drawn.place) AS words
    FROM (SELECT n, place, floor(exp(random() * ln(5000)))::int - 1 AS rank
          FROM generate_series(0, 9999) n, generate_series(1, 10) place) drawn
    JOIN word ON word.n = drawn.rank
    GROUP BY drawn.n
    """,
    "CREATE INDEX ON sentence (n)",
    """
    CREATE TEMPORARY TABLE drawn AS
    SELECT n, uuidv7(- age) AS conversation, uuidv7(- age) AS ticket, now() - age AS opened,
           1 + (random() * 4)::int AS account, (random() * (%(agents)s - 1))::int AS agent,
           (random() * (%(categories)s - 1))::int AS category, random() < 0.05 AS is_open,
           (random() * ((%(people)s - 1)))::int AS contact,
           (random() * 9999)::int AS sentence, random() < 0.4 AS is_spanish, random() AS luck
    FROM generate_series(1, %(tickets)s) n,
         LATERAL (SELECT (%(tickets)s - n) * (interval '365 days' / %(tickets)s) AS age) ages
    """,
    """
    CREATE TEMPORARY TABLE person AS
    SELECT n, uuidv7() AS id FROM generate_series(0, %(people)s - 1) n
    """,
    "ANALYZE word, sentence, drawn, person",
    """
    INSERT INTO contact (id, name, email)
    SELECT person.id, initcap(first.word) || ' ' || initcap(last.word),
           first.word || '.' || last.word || person.n || '@example.org'
    FROM person JOIN word AS first ON first.n = mod(person.n, 700)
    JOIN word AS last ON last.n = mod(person.n / 700 + person.n * 13, 5000)
    """,
    """
    INSERT INTO contact_address (account_id, address, contact_id)
    SELECT 'a1', 'person' || n || '@example.org', id FROM person
    """,
    """
    INSERT INTO conversation (id, account_id, thread, contact_id, responder, language, last_seq,
                              last_message_at, created_at, has_ticket)
    SELECT conversation, 'a' || account, drawn.n::text, person.id,
           CASE WHEN NOT is_open THEN 'closed' WHEN luck < 0.2 THEN 'queued' ELSE 'human' END,
           CASE WHEN is_spanish THEN 'es' ELSE 'en' END, %(messages)s, opened, opened, true
    FROM drawn JOIN person ON person.n = drawn.contact ORDER BY drawn.n
    """,
    """
    INSERT INTO ticket (id, conversation_id, contact_id, status, priority, reason, subject, summary,
                        language, team_id, assignee_id, category_id, fields, tags, sla_due_at,
                        sla_due_kind, created_at, updated_at, solved_at, closed_at)
    SELECT ticket, conversation, person.id,
           CASE WHEN NOT is_open THEN 'closed' WHEN luck < 0.2 THEN 'new'
                WHEN luck < 0.7 THEN 'open' WHEN luck < 0.9 THEN 'pending' ELSE 'on_hold' END,
           CASE WHEN luck < 0.1 THEN 'low' WHEN luck < 0.8 THEN 'normal' WHEN luck < 0.95
                THEN 'high' ELSE 'urgent' END,
           'problem_reported', sentence.words, sentence.words || ' ' || drawn.n || 'x',
           CASE WHEN is_spanish THEN 'es' ELSE 'en' END,
           md5('team' || mod(agent, %(teams)s))::uuid,
           CASE WHEN NOT is_open OR luck > 0.3 THEN md5('agent' || agent)::uuid END,
           md5('category' || category)::uuid,
           CASE WHEN luck < 0.5 THEN jsonb_build_object(
                md5('Serial number' || category)::uuid, 'SN-' || drawn.n || '-QX',
                md5('Floor' || category)::uuid, mod(drawn.n, 12),
                md5('Device' || category)::uuid,
                (ARRAY['Laptop', 'Dockstation', 'Telephone', 'Screen'])[1 + mod(drawn.n, 4)])
                ELSE '{}' END,
           CASE WHEN luck < 0.3 THEN jsonb_build_array('tag' || mod(drawn.n, 40)) ELSE '[]' END,
           CASE WHEN is_open AND luck < 0.8 THEN now() + luck * interval '2 days'
                - interval '12 hours' END,
           CASE WHEN is_open AND luck < 0.8 THEN 'resolution' END, opened, opened,
           CASE WHEN NOT is_open THEN opened + interval '1 day' END,
           CASE WHEN NOT is_open THEN opened + interval '3 days' END
    FROM drawn JOIN person ON person.n = drawn.contact JOIN sentence ON sentence.n = drawn.sentence
    ORDER BY drawn.n
    """,
    """
    INSERT INTO ticket_field (ticket_id, field_id, kind, words, number)
    SELECT ticket.id, filled.* FROM ticket, filled_fields(ticket.fields) AS filled
    WHERE ticket.fields <> '{}'
    """,
    """
    INSERT INTO message (id, conversation_id, seq, position, speaker, agent_id, text, delivery,
                         language, at, created_at)
    SELECT uuidv7(opened - now() + seq * interval '10 minutes'), conversation, seq, seq,
           CASE mod(seq, 2) WHEN 1 THEN 'customer' ELSE 'agent' END,
           CASE mod(seq, 2) WHEN 0 THEN md5('agent' || agent)::uuid END,
           one.words || '. ' || other.words || ' ' || drawn.n || 'x', 'sent',
           CASE WHEN is_spanish THEN 'es' ELSE 'en' END, opened,
           opened + seq * interval '10 minutes'
    FROM drawn CROSS JOIN generate_series(1, %(messages)s) seq
    JOIN sentence AS one ON one.n = mod(drawn.sentence + seq * 17, 10000)
    JOIN sentence AS other ON other.n = mod(drawn.n * 7 + seq, 10000)
    ORDER BY drawn.n, seq
    """,
    # What changed: it was taken, given to somebody, and most were solved and closed.
    """
    INSERT INTO ticket_event (ticket_id, field, old, new, actor, at, reacted_at)
    SELECT ticket, change.field, change.old, coalesce(change.new, 'agent ' || agent),
           'agent:' || md5('agent' || agent)::uuid, opened + change.after, now()
    FROM drawn CROSS JOIN (VALUES
        ('assignee', NULL, NULL, interval '10 minutes'),
        ('status', 'new', 'open', interval '10 minutes'),
        ('status', 'open', 'solved', interval '1 day'),
        ('status', 'solved', 'closed', interval '3 days')) AS change (field, old, new, after)
    WHERE NOT is_open OR change.after < interval '1 day'
    ORDER BY drawn.n, change.after
    """,
    # By words: that is what tickets are alike by where no sentence vectors are at hand.
    """
    INSERT INTO ticket_vector (ticket_id, text, words)
    SELECT id, subject || E'\\n' || summary,
           to_tsvector(CASE language WHEN 'es' THEN 'spanish'::regconfig
                       ELSE 'english'::regconfig END,
                       search_folded(subject || E'\\n' || summary))
    FROM ticket ORDER BY id
    """,
    # What is known of words after so many texts, counted in a part of them.
    """
    INSERT INTO search_word (word, forms, uses)
    SELECT word, search_forms(word),
           greatest(1, %(tickets)s::bigint * %(messages)s * 2 / (n + 1))
    FROM word
    ON CONFLICT DO NOTHING
    """,
    "UPDATE search_progress SET last_id = 'ffffffff-ffff-7fff-bfff-ffffffffffff'",
    "DROP TABLE drawn, person, sentence, word",
)

# What can be told from what is there already.
_BESIDE = (
    """
    CREATE TEMPORARY TABLE alone AS
    SELECT every.n, uuidv7(- age) AS conversation, now() - age AS opened,
           contact.id AS contact, ticket.subject, ticket.language
    FROM generate_series(1, %(tickets)s / 5) every (n)
    CROSS JOIN LATERAL (SELECT (%(tickets)s / 5 - every.n)
                        * (interval '365 days' / (%(tickets)s / 5)) AS age) ages
    JOIN (SELECT id, row_number() OVER () AS n FROM contact) contact
      ON contact.n = 1 + mod(every.n * 7, %(people)s)
    JOIN (SELECT subject, language, row_number() OVER () AS n FROM ticket LIMIT 5000) ticket
      ON ticket.n = 1 + mod(every.n, 5000)
    """,
    """
    INSERT INTO conversation (id, account_id, thread, contact_id, responder, language, last_seq,
                              last_message_at, created_at)
    SELECT conversation, 'a' || 1 + mod(n, 5), 'alone' || n, contact,
           CASE WHEN opened < now() - interval '1 day' THEN 'closed' ELSE 'bot' END, language, 2,
           opened, opened
    FROM alone ORDER BY n
    """,
    """
    INSERT INTO message (id, conversation_id, seq, position, speaker, text, delivery, language, at,
                         created_at)
    SELECT uuidv7(opened - now() + seq * interval '1 second'), conversation, seq, seq,
           CASE seq WHEN 1 THEN 'customer' ELSE 'bot' END, subject, 'sent', language, opened,
           opened + seq * interval '1 second'
    FROM alone CROSS JOIN generate_series(1, 2) seq ORDER BY n, seq
    """,
    "DROP TABLE alone",
    # Times as in a desk: some are very long.
    """
    INSERT INTO ticket_figure (ticket_id, opened_at, solved_at, channel, team_id, agent_id,
        category_id, priority, reason, times_reopened, first_response, first_response_business,
        next_response, next_response_business, resolution, resolution_business, kept, broken)
    SELECT ticket.id, ticket.created_at, ticket.solved_at, account.channel, ticket.team_id,
           ticket.assignee_id, ticket.category_id, ticket.priority,
           (ARRAY['asked_for_human', 'problem_reported', 'not_helped'])[1 + mod(number, 3)],
           (random() < 0.05)::int, first, first / 3, first, first / 3,
           CASE WHEN ticket.solved_at IS NOT NULL THEN whole END,
           CASE WHEN ticket.solved_at IS NOT NULL THEN whole / 3 END, 2, 0
    FROM ticket JOIN conversation ON conversation.id = conversation_id
    JOIN account ON account.id = account_id
    CROSS JOIN LATERAL (SELECT sqrt(-2 * ln(1 - random())) * cos(6.2832 * random()) AS a,
        sqrt(-2 * ln(1 - random())) * cos(6.2832 * random()) AS b, number AS of_each) drawn
    CROSS JOIN LATERAL (SELECT exp(8 + 1.2 * a)::int AS first, exp(11 + 1.2 * b)::int AS whole)
        times
    ORDER BY ticket.created_at
    """,
    """
    INSERT INTO audit_entry (at, actor, remote, action, subject_kind, subject_id, subject_name, new)
    SELECT now() - (%(tickets)s / 5 - n) * (interval '365 days' / (%(tickets)s / 5)),
           'agent:' || md5('agent' || mod(n * 7, %(agents)s))::uuid, '192.0.2.' || mod(n, 200),
           (ARRAY['team', 'agent', 'rule', 'macro', 'article', 'report', 'view'])[1 + mod(n, 7)]
           || (ARRAY['.added', '.changed', '.removed', '.exported'])[1 + mod(n, 4)],
           (ARRAY['team', 'agent', 'rule', 'macro', 'article', 'report', 'view'])[1 + mod(n, 7)],
           md5('subject' || mod(n, 3000))::uuid, 'Subject ' || mod(n, 3000),
           jsonb_build_object('name', 'Subject ' || mod(n, 3000), 'revision', n)
    FROM generate_series(1, %(tickets)s / 5) n
    """,
    """
    INSERT INTO webhook (id, name, url, secret, events, is_on)
    SELECT md5('webhook' || n)::uuid, 'Webhook ' || n, 'https://example.org/' || n, '', '[]', false
    FROM generate_series(1, 5) n
    """,
    """
    INSERT INTO webhook_delivery (id, webhook_id, event, payload, status, attempts, available_at,
                                  created_at, finished_at, answer)
    SELECT uuidv7(at - now()), md5('webhook' || 1 + mod(n, 5))::uuid, 'ticket.changed',
           jsonb_build_object('event', 'ticket.changed', 'ticket', n, 'changes',
                              jsonb_build_array(repeat('status ', 20))),
           CASE WHEN mod(n, 50) = 0 THEN 'failed' ELSE 'done' END, 1, at, at, at, '204'
    FROM generate_series(1, %(tickets)s / 5) n, LATERAL (SELECT now() - (%(tickets)s / 5 - n)
         * (interval '365 days' / (%(tickets)s / 5)) AS at) times
    ORDER BY n
    """,
)


def word(place: int) -> str:
    """Return the word that is the `place`-th in frequency, from 0, in the database's texts."""
    syllables = _SYLLABLES.split()
    parts = (syllables[place // 20**n % 20] for n in range(3))
    return "".join(parts) + "n"


async def fill(
    connection: psycopg.AsyncConnection,
    *,
    tickets: int,
    messages: int,
    people: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Fill an empty desk with `tickets`, with so many `messages` in each; a fifth as many people.

    `tickets` is 5 at least, some hundreds where one of each kind has to be there.

    References are taken on trust, and a table made anew is not written to the server's log as
    well: both save most of the time.
    """
    values = {
        "tickets": tickets,
        "messages": messages,
        "people": people or tickets // 5,
        "agents": AGENTS,
        "teams": TEAMS,
        "categories": CATEGORIES,
        "seed": SEED,
        "syllables": _SYLLABLES,
    }
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
        await connection.execute("SET LOCAL work_mem = '256MB'")
        await connection.execute(f"TRUNCATE {', '.join(_FILLED)} CASCADE")
        rows = await connection.execute(_INDEXES, {"filled": list(_FILLED)})
        indexes = await rows.fetchall()
        for name, _ in indexes:
            await connection.execute(f"DROP INDEX {name}")
        for statement in [*_FILL, *_BESIDE, *(definition for _, definition in indexes)]:
            say(" ".join(statement.split()[:3]))
            await connection.execute(statement, values if "%(" in statement else None)
