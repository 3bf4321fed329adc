"""Rules, macros and webhooks, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Sequence
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key, Serial

automation_revision = Sequence("automation_revision", metadata=Base.metadata)


class AutomationRule(Base):
    """A rule; `definition` is what `core.services.automation.forms` makes of it."""

    __tablename__ = "automation_rule"

    id: Mapped[Key]
    position: Mapped[int]
    name: Mapped[str]
    trigger: Mapped[str]
    is_on: Mapped[bool]
    stops: Mapped[bool] = mapped_column(server_default=sql("false"))
    conditions: Mapped[dict[str, Any]]
    actions: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(
        BigInteger,
        server_default=automation_revision.next_value(),
        onupdate=automation_revision.next_value(),
    )
    created_at: Mapped[CreatedAt]


class AutomationRun(Base):
    """That a rule applied to a ticket, why, and what it did."""

    __tablename__ = "automation_run"
    __table_args__ = (
        Index("ix_automation_run_rule", "rule_id", "id"),
        Index("ix_automation_run_ticket", "ticket_id", "rule_id", "at"),
    )

    id: Mapped[Serial]
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("automation_rule.id", ondelete="CASCADE"))
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    why: Mapped[str]  # the change it looked at
    did: Mapped[list[Any]]  # each action, and why it was left out


class Macro(Base):
    """A prepared answer, with what else is done when it is sent."""

    __tablename__ = "macro"

    id: Mapped[Key]
    name: Mapped[str]
    language: Mapped[str | None]  # of `text`, and of the requesters it is for; none: any
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    text: Mapped[str]  # a template
    translations: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))  # by language
    actions: Mapped[list[Any]]
    used: Mapped[int] = mapped_column(server_default="0")
    revision: Mapped[int] = mapped_column(
        BigInteger,
        server_default=automation_revision.next_value(),
        onupdate=automation_revision.next_value(),
    )
    created_at: Mapped[CreatedAt]


class Webhook(Base):
    """Somewhere that is told of changes."""

    __tablename__ = "webhook"

    id: Mapped[Key]
    name: Mapped[str]
    url: Mapped[str]
    secret: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # signs along until then
    old_secret_until: Mapped[datetime | None]
    events: Mapped[list[Any]]  # kinds of change it wants by itself; rules may call it too
    is_on: Mapped[bool]
    revision: Mapped[int] = mapped_column(server_default=sql("1"))
    created_at: Mapped[CreatedAt]


class WebhookDelivery(Base):
    """One call of a webhook: to be made, made, or given up.

    `status`: waiting → done | failed.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index(
            "ix_webhook_delivery_due", "available_at", postgresql_where=sql("status = 'waiting'")
        ),
        Index("ix_webhook_delivery_webhook", "webhook_id", "id"),
    )

    id: Mapped[Key]
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    event: Mapped[str]
    payload: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[CreatedAt]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]
    answer: Mapped[str | None]  # status and beginning of the last answer, or the error's own words
    problem: Mapped[str | None]  # a `CallProblem`: why it was not taken when it was last made
    taken_until: Mapped[datetime | None]  # somebody makes it just now, or died before then

    @property
    def next_at(self) -> datetime | None:
        """When it is made next, if it waits."""
        return self.available_at if self.status == "waiting" else None


class IncomingHook(Base):
    """An address of the desk that a program reports to. Only the digest of its token is kept."""

    __tablename__ = "incoming_hook"

    id: Mapped[Key]
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    format: Mapped[str]
    mapping: Mapped[dict[str, Any] | None]
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    revision: Mapped[int] = mapped_column(server_default=sql("1"))
    created_at: Mapped[CreatedAt]
    reported_at: Mapped[datetime | None]
    paced_until: Mapped[datetime | None]  # a minute ahead: it has had all that it may report now
    limited_at: Mapped[datetime | None]  # when it was last refused a report, to the minute


class IncomingAlert(Base):
    """The latest ticket about one matter that a program reports."""

    __tablename__ = "incoming_alert"

    hook_id: Mapped[UUID] = mapped_column(
        ForeignKey("incoming_hook.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    said: Mapped[str]  # what was reported last, so that a repeated report says nothing new
