"""The audit log: who changed what in the desk itself, when, and from where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.audited import Deed
from core.storage.tables import AuditEntry

_remote: ContextVar[str | None] = ContextVar("remote", default=None)
COMMAND = "command"
"""Who does what is done at the desk's own terminal."""

_actor: ContextVar[str] = ContextVar("actor", default=COMMAND)
_by_program: ContextVar[bool] = ContextVar("by_program", default=False)

_NOTED_AGAIN_AFTER = timedelta(hours=1)

MADE_UP_LINK = "made_up_link"
"""What an entry names as the subject where somebody used a link that the desk did not make."""

UNKNOWN_ADDRESS = "unknown_address"
"""What it names where somebody signed in with an address that no agent has."""

ASSISTANT = "assistant"
"""What it names where the assistant was spoken of."""


@contextmanager
def done_from(remote: str | None) -> Iterator[None]:
    """Let what is recorded inside the block name `remote` as the place it was done from."""
    token = _remote.set(remote)
    try:
        yield
    finally:
        _remote.reset(token)


@contextmanager
def done_by(actor: str) -> Iterator[None]:
    """Let what is recorded inside the block name `actor`, where it names nobody itself.

    Outside of such a block it is "command": somebody at the desk's own terminal.
    """
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def done_by_program() -> Iterator[None]:
    """Let what is done inside the block be known as a program's, whoever it acts for."""
    token = _by_program.set(True)
    try:
        yield
    finally:
        _by_program.reset(token)


def is_by_program() -> bool:
    """Say whether what is done now is done by a program, as `done_by_program` has it."""
    return _by_program.get()


def doer() -> tuple[str, str | None]:
    """Return who does what is done now, as `done_by` names them, and from where."""
    return _actor.get(), _remote.get()


def record(
    session: AsyncSession,
    actor: str | None,
    action: Deed,
    subject: tuple[str, object, str],
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry, which is kept if and when `session`'s transaction commits.

    `actor` is as in a ticket's history, or None for whom `done_by` names; `subject` is a kind, an
    id and a name. Of `old` and `new` only what differs is kept. They must hold no secrets: name
    those as "set" or "changed".
    """
    kind, key, name = subject
    before, after = dict(old or {}), dict(new or {})
    if old is not None and new is not None:
        same = {k for k in before if k in after and before[k] == after[k]}
        before = {k: v for k, v in before.items() if k not in same}
        after = {k: v for k, v in after.items() if k not in same}
    session.add(
        AuditEntry(
            actor=_actor.get() if actor is None else actor,
            remote=_remote.get(),
            action=action,
            subject_kind=kind,
            subject_id=str(key),
            subject_name=name,
            old=None if old is None else before,
            new=None if new is None else after,
        )
    )


async def record_refusal(
    session: AsyncSession,
    actor: str,
    action: Deed,
    subject: tuple[str, object, str],
    why: str,
    *,
    about: Mapping[str, Any] | None = None,
    each_place: bool = False,
) -> bool:
    """Add an entry about what was refused; say whether it is new.

    It is added once an hour for each subject and actor, and where `each_place`, which something
    else has to bound, for each address that it was done from. Whoever makes up links, or keeps on
    pressing one, could fill the log otherwise, and so could rules that do not end.
    """
    kind, key, _ = subject
    here = AuditEntry.remote.is_not_distinct_from(_remote.get()) if each_place else true()
    noted = exists().where(
        here,
        AuditEntry.action == action,
        AuditEntry.subject_kind == kind,
        AuditEntry.subject_id == str(key),
        AuditEntry.actor == actor,
        AuditEntry.at > func.now() - _NOTED_AGAIN_AFTER,
    )
    if await session.scalar(select(noted)):
        return False
    record(session, actor, action, subject, new={"why": why, **(about or {})})
    return True
