"""Requesters and agents, and what lets agents in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.domain.teams import USUAL_CAPACITY
from core.storage.tables.base import Base, CreatedAt, Key


class Contact(Base):
    """A person who asks."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_email", text("lower(email)")),
        Index("ix_contact_document", "document", postgresql_using="gin"),
    )

    id: Mapped[Key]
    name: Mapped[str | None]
    email: Mapped[str | None]
    language: Mapped[str | None]
    language_source: Mapped[str] = mapped_column(server_default="platform")
    time_zone: Mapped[str | None]  # of the IANA database
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    is_vip: Mapped[bool] = mapped_column(server_default=text("false"))
    notes: Mapped[str] = mapped_column(server_default="")
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    document: Mapped[str | None] = mapped_column(  # what they are found by
        TSVECTOR, Computed("search_person(name, email)", persisted=True), deferred=True
    )


class ContactAddress(Base):
    """Where a contact writes from: one row per account and address."""

    __tablename__ = "contact_address"
    __table_args__ = (
        Index(
            "ix_contact_address_due",
            "look_up_for",
            "look_up_at",
            postgresql_where=text("look_up_at IS NOT NULL"),
        ),
        Index("ix_contact_address_lower", text("lower(address)")),
    )

    account_id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(
        # Checked at commit: whoever wins the address makes the contact, after it.
        ForeignKey("contact.id", deferrable=True, initially="DEFERRED"),
        index=True,
    )
    name: Mapped[str | None]
    verified_email: Mapped[str | None] = mapped_column(index=True)  # in lower case
    looked_up_at: Mapped[datetime | None]  # when the platform last said who this is
    look_up_at: Mapped[datetime | None]  # when it is to be asked; none: not at all for now
    look_up_for: Mapped[UUID | None]  # the conversation in whose lane that is done
    bounce: Mapped[str | None]  # "hard" or "soft": mail to it came back
    bounced_at: Mapped[datetime | None]  # when it last did
    blocked_at: Mapped[datetime | None]  # what is written from there is spam


class AgentRow(Base):
    """A person who works in the console."""

    __tablename__ = "agent"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    name: Mapped[str]
    role: Mapped[str]
    picture_blob: Mapped[str | None]
    picture_type: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="en")
    skills: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    languages: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # they answer in
    # Open tickets they are given at most.
    capacity: Mapped[int] = mapped_column(server_default=str(USUAL_CAPACITY))
    take_back_seconds: Mapped[int | None]  # how long a reply can be; none: as the desk has it
    password_hash: Mapped[str | None]  # argon2id; none until the agent sets one
    created_at: Mapped[CreatedAt]
    disabled_at: Mapped[datetime | None]


class AgentSession(Base):
    """A signed-in browser. Only the digest of its cookie is kept."""

    __tablename__ = "agent_session"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    csrf_token: Mapped[str]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInLink(Base):
    """A link that signs an agent in once. Only the digest of its token is kept."""

    __tablename__ = "sign_in_link"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Base):
    """A bearer token for the JSON API. Only its digest is kept."""

    __tablename__ = "api_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"), unique=True)
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    role: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    scopes: Mapped[list[Any]] = mapped_column(
        server_default=text("""'["read", "tickets", "knowledge", "admin"]'""")
    )
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInFailure(Base):
    """Failed sign-ins of one e-mail address or one remote address, to slow guessing down."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (UniqueConstraint("subject"),)

    id: Mapped[Key]
    subject: Mapped[str]
    failures: Mapped[int]
    last_at: Mapped[datetime]
