"""What the `desk` command's short errands do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from core.domain.account import AccountState
from core.domain.actor import Role
from core.domain.diagnosis import Diagnosis
from core.domain.errors import Conflict, StorageUnavailable
from core.domain.ids import AgentId
from core.domain.imports import ImportReport
from core.services.access.tokens import TokenTerms
from core.services.knowledge.evaluation import evaluate
from core.settings import Settings
from core.storage import migrate as schema
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.access.tokens import TokenView, list_tokens
from core.storage.queries.accounts.accounts import AccountView
from core.storage.queries.setbacks import count_setbacks
from core.storage.tables import Milestone
from core.wiring.parts import STARTER_KNOWLEDGE, Parts, open_parts

_ADMIN = "admin@localhost"
_FIRST_RUN = "first run"
_LOCK = 0x66_69_72_73_74  # "first": processes that prepare at the same time take turns


async def migrate(settings: Settings) -> None:
    """Bring the schema up to this version."""
    async with open_parts(settings, "desk migrate") as parts, storage_errors():
        await schema.migrate(parts.engine)


async def first_run(settings: Settings) -> str | None:
    """Make the first admin and bring in the starter articles, once in a desk's life.

    Returns a link that signs the admin in once, or None where that has been done. Interrupted,
    it is done again: the mark that it was done is committed last.
    """
    async with open_parts(settings, "desk prepare") as parts:
        await parts.directory.refresh()
        async with storage_errors(), parts.sessions.begin() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if await session.get(Milestone, _FIRST_RUN) is not None:
                return None
            if STARTER_KNOWLEDGE.is_dir():
                await parts.knowledge.import_path(STARTER_KNOWLEDGE)
            try:
                link = await _add_with_link(parts, _ADMIN, "Admin", Role.ADMIN)
            except Conflict:
                link = await _link(parts, await agent_named(session, _ADMIN))
            session.add(Milestone(name=_FIRST_RUN))
            return link


@asynccontextmanager
async def _errand(settings: Settings, name: str) -> AsyncIterator[Parts]:
    """Open the parts on a schema of this version, in a home that was never run as well."""
    async with open_parts(settings, name) as parts:
        async with storage_errors():
            await schema.migrate(parts.engine)
        yield parts


async def add_user(settings: Settings, *, email: str, name: str, role: str) -> str:
    """Add an agent and return a link that signs them in once."""
    async with _errand(settings, "desk user add") as parts:
        return await _add_with_link(parts, email, name, Role(role))


async def sign_in_link(settings: Settings, *, email: str) -> str:
    """Return a new link that signs an agent in once.

    Raises:
        NotFound: nobody has this e-mail address.
    """
    async with _errand(settings, "desk user link") as parts:
        async with storage_errors(), parts.sessions() as session:
            agent = await agent_named(session, email)
        return await _link(parts, agent)


async def create_token(
    settings: Settings, *, email: str, role: str, terms: TokenTerms | None = None
) -> str:
    """Return a new bearer token for the JSON API."""
    async with _errand(settings, "desk token create") as parts:
        return await parts.access.create_token(email, Role(role), terms)


async def all_tokens(settings: Settings) -> Sequence[TokenView]:
    """Return which tokens there are."""
    async with (
        _errand(settings, "desk token list") as parts,
        storage_errors(),
        parts.sessions() as session,
    ):
        return await list_tokens(session)


async def revoke_token(settings: Settings, token: UUID) -> None:
    """Let a token not be valid any more."""
    async with _errand(settings, "desk token revoke") as parts:
        await parts.access.tokens.revoke(token)


async def _add_with_link(parts: Parts, email: str, name: str, role: Role) -> str:
    return await _link(parts, (await parts.access.add_agent(email, name, role)).id)


async def _link(parts: Parts, agent: AgentId) -> str:
    token = await parts.access.sign_in_link(agent)
    return f"{parts.settings.base_url}/console/sign-in/{token}"


async def import_knowledge(settings: Settings, path: Path) -> ImportReport:
    """Bring in articles from a folder of Markdown or a JSONL file."""
    async with _errand(settings, "desk knowledge import") as parts:
        return await parts.knowledge.import_path(path)


async def evaluate_knowledge(
    settings: Settings, *, kb: Path, queries: Path, wrong_per_hundred: float | None
) -> dict[str, float | int]:
    """Measure retrieval on a knowledge base and queries of one's own; leaves nothing behind.

    Without `wrong_per_hundred`, by what counts in this desk.
    """
    async with open_parts(settings, "desk knowledge evaluate") as parts:
        if wrong_per_hundred is None:
            wrong_per_hundred = await parts.knowledge.tolerance.counting()
        return await evaluate(
            parts.engine,
            parts.embedder,
            kb,
            queries,
            second=parts.second,
            wrong_answers_per_hundred=wrong_per_hundred,
        )


async def diagnose(settings: Settings) -> list[Diagnosis]:
    """Check what the database holds."""
    found = []
    async with open_parts(settings, "desk doctor") as parts:
        try:
            async with storage_errors():
                behind = await schema.pending(parts.engine)
        except StorageUnavailable as error:
            return [
                Diagnosis(
                    component="database",
                    ok=False,
                    detail=str(error),
                    remedy="start it, or check DATABASE_URL",
                )
            ]
        found.append(
            Diagnosis(
                component="migrations",
                ok=not behind,
                detail="the schema is of another version" if behind else "the schema is up to date",
                remedy="run: desk migrate" if behind else "",
            )
        )
        if not behind:
            found += [_diagnosis(account) for account in await parts.account_book.list()]
            found.append(await _setbacks(parts))
    return found


async def _setbacks(parts: Parts) -> Diagnosis:
    async with storage_errors(), parts.sessions() as session:
        count = await count_setbacks(session)
    return Diagnosis(
        component="by the clock",
        ok=not count,
        detail=f"{count} could not be done and wait" if count else "everything is done",
        remedy="see Status in the console, and the log of the worker" if count else "",
    )


def _diagnosis(account: AccountView) -> Diagnosis:
    health = account.health
    said = f"{account.kind}, {health.state.replace('_', ' ')}"
    return Diagnosis(
        component=f"account {account.id}",
        ok=health.state not in {AccountState.BAD_CREDENTIALS, AccountState.DEGRADED},
        detail=f"{said}: {health.reason}" if health.reason else said,
        remedy=health.remedy,
    )
