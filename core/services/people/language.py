"""Remembers in which language a contact is answered, wherever they write next."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ContactId
from core.domain.languages import LANGUAGES
from core.storage.tables import Contact


class LanguageSource(StrEnum):
    """From whom the language of a contact is known; what comes later here counts for more."""

    PLATFORM = "platform"  # an app, a page or a profile
    WORDS = "words"  # they wrote in it
    AGENT = "agent"
    CHOICE = "choice"  # they asked for it


async def choose_language(session: AsyncSession, contact: ContactId, language: str) -> None:
    """Keep what a contact asked to be answered in: only they or an agent change it.

    The caller has no conversation locked yet: contacts come first.
    """
    await session.execute(
        update(Contact)
        .where(Contact.id == contact)
        .values(language=language, language_source=LanguageSource.CHOICE)
    )


async def learn_language(session: AsyncSession, contact: ContactId, language: str) -> None:
    """Keep in what a contact has written, where nobody said what to answer them in.

    One that the desk does not speak stays: it is what agents should know of them. The caller has
    no conversation locked yet.
    """
    await session.execute(
        update(Contact)
        .where(
            Contact.id == contact,
            Contact.language_source.in_((LanguageSource.PLATFORM, LanguageSource.WORDS)),
            or_(Contact.language.is_(None), Contact.language.in_(tuple(LANGUAGES))),
        )
        .values(language=language, language_source=LanguageSource.WORDS)
    )
