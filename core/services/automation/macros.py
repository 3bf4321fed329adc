"""Prepared answers: their texts, filled in for a ticket, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.automation.actions import MAX_TEXT_CHARS, Action, ActionKind, checked_actions
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import AgentId, TicketId, new_id
from core.domain.languages import LANGUAGES
from core.services import audit
from core.services.automation.doing import Doer, perform
from core.services.automation.facts import values_of
from core.services.automation.failures import failure_in_words
from core.services.automation.forms import actions_from_json, actions_json, check_team
from core.services.automation.templates import check_template, fill_in
from core.services.case import Case
from core.services.ledger import Accounts
from core.services.revisions import check_revision
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, Macro, TeamMember, Ticket

_NOT_IN_MACROS = frozenset({ActionKind.REPLY, ActionKind.NOTE})


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroForm:
    """A macro as its author describes it."""

    name: str
    text: str
    language: str | None = None  # of `text`; none: it is for any
    translations: Mapping[str, str] = field(default_factory=dict)  # the same in other languages
    team: UUID | None = None
    actions: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= 120 or "\x00" in self.name:
            raise InvalidInput("a name has 1 to 120 characters")
        texts = [self.text, *self.translations.values()]
        if any(len(text) > MAX_TEXT_CHARS or "\x00" in text for text in texts):
            raise InvalidInput(f"a text has {MAX_TEXT_CHARS} characters at most")
        if not LANGUAGES.keys() >= self.translations.keys():
            raise InvalidInput("a macro's texts are in languages that the desk speaks")
        if self.language in self.translations:
            raise InvalidInput("a macro has one text in each language")
        if self.translations and not all(text.strip() for text in texts):
            raise InvalidInput("a macro in several languages has a text in each of them")
        if not self.text.strip() and not self.actions:
            raise InvalidInput("a macro has a text, or does something")
        if any(action.kind in _NOT_IN_MACROS for action in self.actions):
            raise InvalidInput("what a macro says is its text")
        checked_actions(self.actions)
        for text in texts:
            check_template(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyMacro:
    """A macro filled in for one ticket."""

    id: UUID
    name: str
    text: str
    language: str | None  # of `text`; none: it is for any
    actions: Sequence[Action]


class Macros:
    """The macros of the desk."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        base_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._base_url = base_url
        self._now = now

    async def save(
        self, macro: UUID | None, form: MacroForm, by: Agent, *, revision: int | None = None
    ) -> UUID:
        """Add a macro, or replace the one of that id.

        Raises:
            Outdated: it is not of revision `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await check_team(session, form.team)
            old = None
            if macro is None:
                row = Macro(id=new_id())
                session.add(row)
            else:
                row = await _locked(session, macro)
                check_revision(row, revision)
                old = _said(row)
            row.name, row.text = form.name.strip(), form.text
            row.language, row.team_id = form.language, form.team
            row.translations = dict(form.translations)
            row.actions = actions_json(form.actions)
            audit.record(
                session,
                by.actor,
                "macro.added" if old is None else "macro.changed",
                ("macro", row.id, row.name),
                old=old,
                new=_said(row),
            )
            return row.id

    async def remove(self, macro: UUID, by: Agent) -> None:
        """Delete a macro."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, macro)
            subject = ("macro", row.id, row.name)
            audit.record(session, by.actor, "macro.removed", subject, old=_said(row))
            await session.delete(row)

    async def fill_in(
        self, macro: UUID, ticket: TicketId, agent: AgentId, *, counts: bool = True
    ) -> ReadyMacro:
        """Return a macro with its text filled in for `ticket` and the agent who answers.

        Where it `counts`, the macro was chosen once more.

        Raises:
            NotFound: there is no such macro.
        """
        async with storage_errors(), self._sessions.begin() as session:
            return await filled_in(session, macro, ticket, agent, self._base_url, counts=counts)


async def filled_in(
    session: AsyncSession,
    macro: UUID,
    ticket: TicketId,
    agent: AgentId,
    base_url: str,
    *,
    counts: bool = True,
) -> ReadyMacro:
    """Do in the caller's transaction what `Macros.fill_in` does."""
    row = await session.get(Macro, macro)
    if row is None:
        raise NotFound("there is no such macro")
    if counts:
        # That it is used makes it no other: whoever is changing it goes on.
        used = {"used": Macro.used + 1, "revision": Macro.revision}
        await session.execute(update(Macro).where(Macro.id == macro).values(**used))
    who = await session.get(AgentRow, agent)
    values = await values_of(session, ticket, base_url, who)
    spoken = await session.scalar(select(Ticket.language).where(Ticket.id == ticket))
    text, language = _text_for(row, spoken)
    return ReadyMacro(
        id=row.id,
        name=row.name,
        text=fill_in(text, values),
        language=language,
        actions=actions_from_json(row.actions),
    )


def languages_of(macro: Macro) -> Sequence[str]:
    """Return the languages that a macro has a text in; none where its text is for any."""
    if macro.language is None or not macro.text.strip():
        return []
    return [macro.language, *sorted(macro.translations)]


def _text_for(macro: Macro, language: str | None) -> tuple[str, str | None]:
    """Return what a macro says to whom speaks `language`, and what language that is in."""
    if language in macro.translations:
        return macro.translations[language], language
    return macro.text, macro.language if macro.text.strip() else None


async def apply_macro(
    case: Case, macro: UUID, agent: Agent, base_url: str, *, sets_status: bool
) -> None:
    """Do in the caller's transaction what goes with a macro whose text was sent.

    What does not fit any more is noted in the ticket. Without `sets_status`, the status stays what
    the agent chose while sending.
    """
    row = await case.session.get(Macro, macro)
    if row is None:
        return  # deleted meanwhile: its text has left already
    who = await case.session.get(AgentRow, agent.id)
    values = await values_of(case.session, TicketId(case.ticket.id), base_url, who)
    actions = [
        action
        for action in actions_from_json(row.actions)
        if sets_status or action.kind is not ActionKind.SET_STATUS
    ]
    done = await perform(case, actions, values, by=Doer(actor=agent.actor, name=row.name))
    failures = [
        f"{row.name}: {failure_in_words(did.failure, agent.language)}"
        for did in done
        if did.failure is not None
    ]
    if failures:
        case.ledger.note(case.conversation, None, "\n".join(failures))


async def macros_for(
    session: AsyncSession,
    ticket: TicketId,
    agent: AgentId,
    *,
    after: UUID | None = None,
    limit: int = 100,
) -> Sequence[Macro]:
    """Return the macros that fit a ticket's language and an agent's teams, most used first.

    Those that come `after` a macro are returned where it is named.

    Raises:
        InvalidInput: that macro is not there.
    """
    language = select(Ticket.language).where(Ticket.id == ticket).scalar_subquery()
    teams = select(TeamMember.team_id).where(TeamMember.agent_id == agent)
    query = (
        select(Macro)
        .where(
            or_(
                Macro.language.is_(None),
                Macro.language == language,
                Macro.translations.has_key(language),
            ),
            or_(Macro.team_id.is_(None), Macro.team_id.in_(teams)),
        )
        .order_by(Macro.used.desc(), Macro.name, Macro.id)
        .limit(limit)
    )
    if after is not None:
        last = await session.get(Macro, after)
        if last is None:
            raise InvalidInput("the cursor is not one that a list gave")
        place = tuple_(Macro.name, Macro.id) > tuple_(literal(last.name), literal(last.id))
        query = query.where(or_(Macro.used < last.used, and_(Macro.used == last.used, place)))
    return (await session.scalars(query)).all()


async def macros_of(session: AsyncSession, agent: AgentId) -> Sequence[Macro]:
    """Return the macros that an agent may use, in any language, by name."""
    teams = select(TeamMember.team_id).where(TeamMember.agent_id == agent)
    found = await session.scalars(
        select(Macro)
        .where(or_(Macro.team_id.is_(None), Macro.team_id.in_(teams)))
        .order_by(Macro.name)
        .limit(100)
    )
    return found.all()


async def _locked(session: AsyncSession, macro: UUID) -> Macro:
    row = await session.get(Macro, macro, with_for_update=True)
    if row is None:
        raise NotFound("there is no such macro")
    return row


def _said(row: Macro) -> dict[str, Any]:
    """Return what the audit log keeps of a macro."""
    return {
        "name": row.name,
        "text": row.text,
        "language": row.language,
        "translations": row.translations,
        "team": None if row.team_id is None else str(row.team_id),
        "actions": row.actions,
    }
