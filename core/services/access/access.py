"""Who may come in: agents, their sessions, one-time links and API tokens."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.access import AccessChange
from core.domain.actor import Agent, Role, Scope
from core.domain.audited import Deed
from core.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from core.domain.ids import AgentId, new_id
from core.domain.languages import CONSOLE_LANGUAGES
from core.services import audit
from core.services.access.backoff import GuessingGuard
from core.services.access.hashing import Hashes
from core.services.access.passwords import Passwords
from core.services.access.sessions import SESSION_IDLE, SESSION_LIFETIME, open_session
from core.services.access.sign_in_log import Way, note_dead_link, note_failure, note_sign_in
from core.services.access.telling import AccessNotices, tell
from core.services.access.tokens import Principal, Tokens, TokenTerms, digest_of
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import AgentRow, AgentSession, SignInLink

LINK_LIFETIME = timedelta(hours=24)
_RENEW_AFTER = timedelta(minutes=5)
_MAX_EMAIL_CHARS = 254
_MAX_NAME_CHARS = 100
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser's session: who it is, and what its unsafe requests must show."""

    agent: Agent
    csrf_token: str

    @property
    def may_audit(self) -> bool:
        """Whether they may read the audit log."""
        return self.agent.role in {Role.ADMIN, Role.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Who came by a one-time link, and the cookie of the session that was opened."""

    agent: Agent
    cookie: str


class Access:
    """Lets agents, programs and the assistant in, and nobody else."""

    def __init__(
        self,
        sessions: Sessions,
        key: bytes,
        bot_token: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._sessions = sessions
        self.tokens = Tokens(sessions, now)
        self.notices = AccessNotices(sessions, now)
        self._bot_token = bot_token.encode()
        self._now = now
        self._guard = GuessingGuard(sessions, key, now)
        self._hashes = Hashes(hasher)
        self.passwords = Passwords(sessions, self._hashes, self._guard, now)

    async def add_agent(self, email: str, name: str, role: Role) -> Agent:
        """Add a person who works in the console.

        Raises:
            Conflict: somebody has this e-mail address already.
        """
        row = AgentRow(
            id=new_id(),
            email=clean_email(email),
            name=clean_name(name) or email.partition("@")[0],
            role=Role(role),
            language="en",
        )
        if row.role == Role.ASSISTANT:
            raise InvalidInput("an agent's role is agent, lead, admin or auditor")
        try:
            async with storage_errors(), self._sessions.begin() as session:
                session.add(row)
                audit.record(
                    session,
                    None,
                    "agent.added",
                    ("agent", row.id, row.name),
                    new={"email": row.email, "role": row.role},
                )
        except IntegrityError:
            raise Conflict("there is an agent with this e-mail address already") from None
        return agent_of(row)

    async def sign_in_link(self, agent: AgentId) -> str:
        """Return a token that signs `agent` in once, within a day; only its digest is kept.

        Raises:
            NotFound: there is no such agent.
            Conflict: they are disabled.
        """
        token = secrets.token_urlsafe(32)
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(AgentRow, agent)
            if row is None:
                raise NotFound("there is no such agent")
            if row.disabled_at is not None:
                raise Conflict("this agent is disabled")
            now = self._now()
            audit.record(session, None, "agent.link_made", ("agent", agent, row.name))
            await tell(session, row, AccessChange.LINK)
            session.add(
                SignInLink(
                    digest=digest_of(token),
                    agent_id=agent,
                    created_at=now,
                    expires_at=now + LINK_LIFETIME,
                )
            )
        return token

    async def redeem_link(
        self, token: str, language: str | None = None, *, instead_of: str | None = None
    ) -> Arrived:
        """Use up a one-time link, and open a session in place of the one of cookie `instead_of`.

        Who has no password yet comes for the first time, and reads the console in `language`. The
        audit log has it, or that not.

        Raises:
            Unauthenticated: the link is unknown, used or too old.
        """
        async with storage_errors(), self._sessions.begin() as session:
            now = self._now()
            agent = await session.scalar(
                update(SignInLink)
                .where(
                    SignInLink.digest == digest_of(token),
                    SignInLink.used_at.is_(None),
                    SignInLink.expires_at > now,
                )
                .values(used_at=now)
                .returning(SignInLink.agent_id)
            )
            row = None if agent is None else await session.get(AgentRow, agent)
            if row is not None and row.disabled_at is None:
                is_new = row.password_hash is None
                if is_new and language is not None and language in CONSOLE_LANGUAGES:
                    row.language = language
                note_sign_in(session, row, Way.LINK)
                # All or nothing: a link that was used up without a session would let nobody in.
                await _end(session, instead_of)
                return Arrived(
                    agent=agent_of(row), cookie=open_session(session, AgentId(row.id), now)
                )
            await note_dead_link(session, digest_of(token))
        raise Unauthenticated("this link has been used or is too old")

    def known_browser(self, email: str) -> str:
        """Return what a browser in which `email` has signed in shows at the next `sign_in`."""
        return self._guard.known_browser(_as_asked(email))

    async def sign_in(
        self, email: str, password: str, remote: str, browser: str | None = None
    ) -> str:
        """Return a session's cookie for an e-mail address and a password.

        Takes as long for an address that nobody has. Failures of one address, or from one
        `remote`, make further attempts wait; a `browser` known for the address waits for its
        own alone. The audit log has who signed in, and that somebody could not.

        Raises:
            Unauthenticated: they do not belong together.
            TooManyAttempts: wait before trying again.
            Busy: so many sign in just now, from everywhere, that this one has to wait.
        """
        address = _as_asked(email)
        place, is_known = self._guard.place(address, remote, browser)
        with self._hashes.attempt(place, is_known=is_known):
            # Counted before the password is looked at, so that guesses at once are not free.
            await self._guard.count(address, remote, browser)
            async with storage_errors(), self._sessions() as session:
                row = await session.scalar(select(AgentRow).where(AgentRow.email == address))
            known = row.password_hash if row is not None and row.disabled_at is None else None
            matches = await self._hashes.matches(known, password, place)
            if row is None or known is None or not matches:
                with audit.done_from(remote):
                    async with storage_errors(), self._sessions.begin() as session:
                        await note_failure(session, row)
                raise Unauthenticated("the e-mail address or the password is wrong")
            await self._guard.forget(address, remote, browser)
            with audit.done_from(remote):
                return await self._let_in(AgentId(row.id), known, password, place)

    async def _let_in(self, agent: AgentId, known: str, password: str, place: str) -> str:
        """Return a session's cookie for `agent`, of whose password `known` is the hash."""
        while True:
            rehashed = await self._hashes.renewed(known, password, place)
            async with storage_errors(), self._sessions.begin() as session:
                # Locked, as where a password is set: the sessions that ends are all that were
                # opened.
                row = await session.get(AgentRow, agent, with_for_update=True)
                kept = None if row is None or row.disabled_at is not None else row.password_hash
                if row is not None and kept == known:
                    row.password_hash = rehashed or known
                    note_sign_in(session, row, Way.PASSWORD)
                    return open_session(session, agent, self._now())
            # It was set meanwhile, or the same one was hashed anew by a sign-in beside this one.
            if kept is None or not await self._hashes.matches(kept, password, place):
                raise Unauthenticated("the e-mail address or the password is wrong")
            known = kept

    async def session(self, cookie: str | None) -> SignedIn:
        """Return whose session `cookie` is; every use puts its end off.

        Raises:
            Unauthenticated: it has ended, or never was.
        """
        async with storage_errors(), self._sessions.begin() as session:
            found = await self._session_row(session, cookie)
            now = self._now()
            latest = found.created_at + SESSION_LIFETIME
            if found.expires_at - now < SESSION_IDLE - _RENEW_AFTER and found.expires_at < latest:
                found.expires_at = min(now + SESSION_IDLE, latest)
            return await _signed_in(session, found)

    async def still_signed_in(self, cookie: str | None) -> bool:
        """Say whether `cookie`'s session goes on, without putting its end off."""
        try:
            async with storage_errors(), self._sessions() as session:
                await _signed_in(session, await self._session_row(session, cookie))
        except Unauthenticated:
            return False
        return True

    async def sign_out(self, cookie: str | None) -> None:
        """End a session; one that has ended is no error."""
        async with storage_errors(), self._sessions.begin() as session:
            await _end(session, cookie)

    async def create_token(self, email: str, role: Role, terms: TokenTerms | None = None) -> str:
        """Return a new API token of the agent `email`, who is added if unknown."""
        role = Role(role)
        if role == Role.ASSISTANT:
            raise InvalidInput("a token's role is agent, lead, admin or auditor")
        wanted = (terms or TokenTerms()).checked()
        address = clean_email(email)
        agent = await self._agent_by_email(address)
        if agent is None:
            try:
                agent = (await self.add_agent(address, "", role)).id
            except Conflict:
                agent = await self._agent_by_email(address)
        if agent is None:
            raise NotFound("there is no such agent")
        _, token = await self.tokens.issue(agent, role, wanted)
        return token

    async def bearer(self, token: str) -> Principal:
        """Return who a token speaks for: an agent's, or the assistant's own.

        Raises:
            Unauthenticated: nobody.
        """
        if hmac.compare_digest(token.encode(errors="replace"), self._bot_token):
            reads = frozenset({Scope.READ})
            return Principal(role=Role.ASSISTANT, agent=None, scopes=reads)
        return await self.tokens.bearer(token)

    async def set_language(self, agent: AgentId, language: str) -> None:
        """Let `agent` read the console in `language`."""
        if language not in CONSOLE_LANGUAGES:
            raise InvalidInput("the console does not speak this language")
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(AgentRow).where(AgentRow.id == agent).values(language=language)
            )

    async def set_disabled(self, agent: AgentId, *, disabled: bool, by: Agent) -> None:
        """Shut an agent out at once, or let them in again.

        Raises:
            Conflict: admins cannot shut themselves out.
        """
        if disabled and agent == by.id:
            raise Conflict("you cannot disable your own account")
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(AgentRow, agent, with_for_update=True)
            if row is None:
                raise NotFound("there is no such agent")
            if (row.disabled_at is not None) != disabled:
                action: Deed = "agent.disabled" if disabled else "agent.enabled"
                audit.record(session, by.actor, action, ("agent", agent, row.name))
            row.disabled_at = (row.disabled_at or self._now()) if disabled else None
            if disabled:
                await session.execute(delete(AgentSession).where(AgentSession.agent_id == agent))
                await session.execute(delete(SignInLink).where(SignInLink.agent_id == agent))

    async def forget_expired(self) -> None:
        """Delete sessions, links and failures that count no more."""
        async with storage_errors(), self._sessions.begin() as session:
            now = self._now()
            await session.execute(delete(AgentSession).where(AgentSession.expires_at < now))
            await session.execute(delete(SignInLink).where(SignInLink.expires_at < now))
        await self._guard.forget_old()

    async def _agent_by_email(self, email: str) -> AgentId | None:
        async with storage_errors(), self._sessions() as session:
            found = await session.scalar(select(AgentRow.id).where(AgentRow.email == email))
            return None if found is None else AgentId(found)

    async def _session_row(self, session: AsyncSession, cookie: str | None) -> AgentSession:
        found = await session.get(AgentSession, digest_of(cookie or ""))
        if found is None or found.expires_at <= self._now():
            raise Unauthenticated("please sign in")
        return found


async def _end(session: AsyncSession, cookie: str | None) -> None:
    ended = AgentSession.digest == digest_of(cookie or "")
    await session.execute(delete(AgentSession).where(ended))


def _as_asked(email: str) -> str:
    return email.strip().lower()[:_MAX_EMAIL_CHARS].replace("\x00", "")


def clean_email(email: str) -> str:
    """Return `email` as agents are known by it, or raise `InvalidInput`."""
    address = email.strip().lower()
    if (
        len(address) > _MAX_EMAIL_CHARS
        or not _EMAIL.fullmatch(address)
        or not address.isprintable()  # which lone surrogates are not
    ):
        raise InvalidInput("this is not an e-mail address")
    return address


def agent_of(row: AgentRow) -> Agent:
    """Return the agent that `row` keeps."""
    return Agent(
        id=AgentId(row.id),
        email=row.email,
        name=row.name,
        role=Role(row.role),
        language=row.language,
    )


async def _signed_in(session: AsyncSession, found: AgentSession) -> SignedIn:
    row = await session.get(AgentRow, found.agent_id)
    if row is None or row.disabled_at is not None:
        raise Unauthenticated("please sign in")
    return SignedIn(agent=agent_of(row), csrf_token=found.csrf_token)


def clean_name(name: str) -> str:
    """Return `name` in one line, or raise `InvalidInput` where it is too long."""
    words = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if len(words) > _MAX_NAME_CHARS:
        raise InvalidInput(f"a name has {_MAX_NAME_CHARS} characters at most")
    return words
