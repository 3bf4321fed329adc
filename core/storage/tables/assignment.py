"""How tickets find their team and their agent."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class AssignmentPolicy(Base):
    """What holds for all teams; one row."""

    __tablename__ = "assignment_policy"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    default_team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    offer_again_minutes: Mapped[int | None] = mapped_column(server_default="30")
    unfinished_minutes: Mapped[int | None] = mapped_column(server_default="4320")
    own_tickets_only: Mapped[bool] = mapped_column(server_default=text("false"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))


class RoutingRule(Base):
    """Which tickets go to which team; the first in order that fits counts."""

    __tablename__ = "routing_rule"
    __table_args__ = (Index("ix_routing_rule_position", "position"),)

    id: Mapped[Key]
    name: Mapped[str]
    position: Mapped[int]
    conditions: Mapped[dict[str, Any]]  # as `core.domain.routing` keeps them in JSON
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"), index=True)
    level: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"))  # to give
    skills: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    skills_required: Mapped[bool] = mapped_column(server_default=text("false"))
    language: Mapped[str] = mapped_column(server_default="preferred")  # or required, any
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]


class TicketRouting(Base):
    """How a ticket came to its team, and whether it waits for the desk to find an agent."""

    __tablename__ = "ticket_routing"
    __table_args__ = (
        Index(
            "ix_ticket_routing_wanting",
            "wanting_since",
            postgresql_where=text("wanting_since IS NOT NULL"),
        ),
        Index(
            "ix_ticket_routing_level",
            "at_level_since",
            postgresql_where=text("at_level_since IS NOT NULL"),
        ),
        Index(
            "ix_ticket_routing_untold",
            "untold_since",
            postgresql_where=text("untold_since IS NOT NULL"),
        ),
    )

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    rule_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("routing_rule.id", ondelete="SET NULL"), index=True
    )
    is_by_hand: Mapped[bool] = mapped_column(server_default=text("false"))  # a person chose
    skills: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    skills_required: Mapped[bool] = mapped_column(server_default=text("false"))
    language: Mapped[str] = mapped_column(server_default="preferred")
    wanting_since: Mapped[datetime | None]  # none: it has an agent, or nobody is to be found
    passed_over: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # agents
    at_level_since: Mapped[datetime | None]  # none: it goes on to no other level by itself
    untold_since: Mapped[datetime | None]  # it came to a queue then, whose agents are to be told
