from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex

from core.domain.errors import StorageUnavailable
from core.domain.ids import ConversationId, ThreadKey, new_id
from core.storage.engine import open_engine, sessions_of
from core.storage.migrate import migrate, pending
from core.storage.queries.conversations.transcripts import thread_since
from core.storage.tables import Attachment, Base, NearWord
from tests.support.desk import LOOP, Rig, posted
from tests.support.migrations import upgrade

# Alembic does not read back what PostgreSQL makes of an expression with CASE in it.
_BY_RANK = ("ix_ticket_urgency", "ix_ticket_unassigned")


async def test_the_migrations_make_what_the_tables_say(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                # The job queue's tables are its own.
                "include_name": lambda name, kind, _: (
                    kind != "table" or name in Base.metadata.tables
                ),
                "include_object": lambda _, name, kind, *rest: (
                    kind != "index" or name not in _BY_RANK
                ),
                "compare_type": True,
            },
        )
        found: list[object] = compare_metadata(context, Base.metadata)
        return found

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("name", _BY_RANK)
async def test_the_migrations_make_the_indexes_by_rank(engine: AsyncEngine, name: str) -> None:
    (index,) = (one for one in Base.metadata.tables["ticket"].indexes if one.name == name)
    definition = text("SELECT indexdef FROM pg_indexes WHERE indexname = :name")
    async with engine.connect() as connection:
        made = await connection.scalar(definition, {"name": name})
        await connection.execute(text(f"DROP INDEX {name}"))
        await connection.execute(CreateIndex(index))
        assert await connection.scalar(definition, {"name": name}) == made


async def test_a_desk_of_the_first_release_goes_on_where_it_was(
    unmigrated: AsyncEngine, tmp_path: Path
) -> None:
    async with unmigrated.begin() as connection:
        await connection.run_sync(upgrade, "0001")
        for statement in _FIRST_RELEASE.split(";"):
            await connection.execute(text(statement))
    await migrate(unmigrated)
    rig = Rig(sessions_of(unmigrated), tmp_path)
    conversation = await rig.conversation()
    plan = await rig.outbox.plan(ConversationId(conversation.id))
    (accepted,) = await rig.intake.accept(posted("and now?", who="ada"))
    async with rig.sessions() as session:
        said = await thread_since(session, LOOP, ThreadKey("t1"), 0, 10)
        files = await session.scalars(select(Attachment.status).order_by(Attachment.position))
        near = await session.scalars(
            select(NearWord.word).where(NearWord.form == "contrasea").distinct()
        )
        assert near.all() == ["contrasena"]

        assert [entry.text for entry in said] == ["hello", "good day", "and now?"]
        assert files.all() == ["fetched", "waiting"]
    assert plan is not None
    assert plan.message.body.text == "good day"
    assert plan.message.requester == "ada"
    assert accepted.seq == 3
    assert (await rig.conversation()).contact_id == conversation.contact_id
    assert [message.author for message in await rig.messages()] == ["ada", None, "ada"]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (["Help", "help", "HELP (2)", "hELP"], ["Help", "help (3)", "HELP (2)", "hELP (4)"]),
        (["ΟΔΟΣ", "οδοσ"], ["ΟΔΟΣ", "οδοσ (2)"]),  # another final letter to Python
        (["Équipe (2)", "équipe"], ["Équipe (2)", "équipe"]),
    ],
)
async def test_teams_whose_names_differ_in_capitals_are_told_apart(
    unmigrated: AsyncEngine, given: list[str], left: list[str]
) -> None:
    async with unmigrated.begin() as connection:
        await connection.run_sync(upgrade, "0064")
        for name in given:
            await connection.execute(
                text("INSERT INTO team (id, name) VALUES (uuidv7(), :name)"), {"name": name}
            )
    await migrate(unmigrated)
    async with unmigrated.connect() as connection:
        names = await connection.scalars(text("SELECT name FROM team ORDER BY id"))
        assert names.all() == left
        audited = await connection.execute(
            text(
                "SELECT actor, action, old ->> 'name', new ->> 'name' FROM audit_entry ORDER BY id"
            )
        )
        assert [tuple(row) for row in audited] == [
            ("command", "team.changed", before, after)
            for before, after in zip(given, left, strict=True)
            if before != after
        ]


async def test_what_tickets_held_before_it_was_found_by_is_found(unmigrated: AsyncEngine) -> None:
    async with unmigrated.begin() as connection:
        await connection.run_sync(upgrade, "0076")
        for statement in _FILLED_TICKETS.split(";"):
            await connection.execute(text(statement))
    await migrate(unmigrated)
    held = text(
        "SELECT label, form_field.kind = ticket_field.kind, words, number FROM ticket_field"
        " JOIN form_field ON form_field.id = field_id ORDER BY label, number"
    )
    found = text(
        "SELECT count(*) FROM ticket_field WHERE document @@ plainto_tsquery('simple', :words)"
    )
    async with unmigrated.connect() as connection:
        assert [tuple(row) for row in await connection.execute(held)] == [
            ("Floor", True, "-42.5", -42.5),
            ("Floor", True, "1234567890123456789", 1234567890123456789.0),
            ("Insured", True, "yes", None),
            ("Model", True, "thick", None),
            ("Serial", True, "sn-4711 ab", None),
        ]
        for words, count in (
            ("42.5", 1),
            ("1234567890123456789", 1),
            ("4711", 1),
            ("thick", 0),
        ):
            assert await connection.scalar(found, {"words": words}) == count


async def test_numbers_that_were_kept_without_their_digits_are_found_by_them(
    unmigrated: AsyncEngine,
) -> None:
    words = text("SELECT words FROM ticket_field WHERE number IS NOT NULL ORDER BY number")
    async with unmigrated.begin() as connection:
        await connection.run_sync(upgrade, "0080")
        for statement in _FILLED_TICKETS.split(";"):
            await connection.execute(text(statement))
        assert (await connection.scalars(words)).all() == [None, None]
    await migrate(unmigrated)
    async with unmigrated.connect() as connection:
        assert (await connection.scalars(words)).all() == ["-42.5", "1234567890123456789"]


async def test_an_act_with_a_very_long_value_is_audited(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO audit_entry (actor, action, subject_kind, subject_id, subject_name,"
                " new) SELECT 'command', 'settings.changed', 'settings', '1', 'x',"
                " jsonb_build_object('value', string_agg(md5(n::text), ' '))"
                " FROM generate_series(1, 100000) n"
            )
        )


_FILLED_TICKETS = """
    INSERT INTO category (id, name) VALUES (uuidv7(), 'Laptop');
    INSERT INTO form_field (id, category_id, label, kind, choices)
    SELECT uuidv7(), category.id, label, kind, '["Thick"]'
    FROM category, (VALUES ('Serial', 'text'), ('Floor', 'number'), ('Model', 'choice'),
                           ('Insured', 'yes_no')) AS asked (label, kind);
    INSERT INTO contact (id, name) VALUES (uuidv7(), 'Ada');
    INSERT INTO account (id, channel) VALUES ('loop', 'loopback');
    INSERT INTO conversation (id, account_id, thread, contact_id, responder, language, last_seq,
                              last_message_at)
    SELECT uuidv7(), 'loop', n, id, 'queued', 'en', 0, now() FROM contact, generate_series(1, 2) n;
    INSERT INTO ticket (id, conversation_id, contact_id, category_id, status, priority, reason,
                        language, subject, fields)
    SELECT uuidv7(), conversation.id, contact_id, category.id, 'open', 'normal', 'asked', 'en',
           'x', (
        SELECT jsonb_object_agg(form_field.id, value) || '{"noted": "by the assistant"}'
        FROM form_field JOIN (VALUES
            ('1', 'Serial', '"SN-4711/AB"'), ('1', 'Floor', '1234567890123456789'),
            ('1', 'Model', '"Thick"'), ('1', 'Insured', 'true'), ('2', 'Floor', '-42.5')
        ) AS filled (thread, of, kept) ON of = label AND filled.thread = conversation.thread,
        LATERAL (SELECT CAST(kept AS jsonb) AS value) AS one)
    FROM conversation, category
"""


_FIRST_RELEASE = """
    INSERT INTO article (id, language, title, body)
    VALUES ('a', 'es', 'Cambiar la contraseña', 'En su perfil.');
    INSERT INTO account (id, channel) VALUES ('loop', 'loopback');
    INSERT INTO contact (id, name) VALUES (uuidv7(), 'Ada');
    INSERT INTO contact_address (account_id, address, contact_id)
    SELECT 'loop', 'ada', id FROM contact;
    INSERT INTO conversation (id, account_id, thread, contact_id, responder, language, last_seq,
                              last_message_at)
    SELECT uuidv7(), 'loop', 't1', id, 'queued', 'en', 2, now() FROM contact;
    INSERT INTO message (id, conversation_id, seq, speaker, text, delivery, language, at)
    SELECT uuidv7(), id, 1, 'customer', 'hello', 'not_sent', 'en', now() FROM conversation;
    INSERT INTO message (id, conversation_id, seq, speaker, text, delivery, language, at)
    SELECT uuidv7(), id, 2, 'system', 'good day', 'waiting', 'en', now() FROM conversation;
    INSERT INTO remote_message (account_id, remote_id, message_id)
    SELECT 'loop', '1', id FROM message WHERE seq = 1;
    INSERT INTO attachment (id, message_id, position, name, media_type, remote, blob_key)
    SELECT uuidv7(), id, n, 'a.png', 'image/png', 'remote', CASE n WHEN 0 THEN 'files/a' END
    FROM message, generate_series(0, 1) AS n WHERE seq = 1;
    INSERT INTO delivery (id, conversation_id, account_id, message_id)
    SELECT uuidv7(), conversation_id, 'loop', id FROM message WHERE seq = 2
"""


async def test_a_table_that_somebody_holds_is_not_waited_for_for_ever(
    unmigrated: AsyncEngine,
) -> None:
    async with unmigrated.begin() as connection:
        await connection.run_sync(upgrade, "0060")
    async with unmigrated.connect() as backup:
        await backup.execute(text("SELECT count(*) FROM survey_rule"))
        with pytest.raises(StorageUnavailable, match=r"in use for 0\.1 s: nothing was changed"):
            await migrate(unmigrated, timedelta(seconds=0.1))
    assert await pending(unmigrated)
    await migrate(unmigrated)
    assert not await pending(unmigrated)


async def test_a_program_of_an_earlier_release_saves_survey_rules(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(_SURVEY_RULES))
        asks = await connection.scalar(text("SELECT asks_of_assistant FROM survey_rule"))
    assert asks is False


_SURVEY_RULES = """
    INSERT INTO survey_rule (id, is_on, delay, lasts, quiet, low_score)
    VALUES (1, true, 0, 86400, 86400, 2)
"""


async def test_processes_that_migrate_at_once_take_turns(postgres: str) -> None:
    name = f"test_{new_id().hex}"
    url = postgres.replace("/desk?", f"/{name}?")
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        engines = [open_engine(url) for _ in range(3)]
        await asyncio.gather(*(migrate(engine) for engine in engines))
        assert not await pending(engines[0])
        for engine in engines:
            await engine.dispose()
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
