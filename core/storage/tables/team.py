"""Teams, who is in them, and whether those are there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Team(Base):
    """People who share a queue."""

    __tablename__ = "team"
    __table_args__ = (Index("uq_team_name", text("lower(name)"), unique=True),)

    id: Mapped[Key]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    strategy: Mapped[str] = mapped_column(server_default="manual")  # or round_robin, least_loaded
    visibility: Mapped[str] = mapped_column(server_default="everybody")  # or members
    escalates_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]


class TeamMember(Base):
    """An agent's place in a team."""

    __tablename__ = "team_member"

    team_id: Mapped[UUID] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    agent_id: Mapped[UUID] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    level: Mapped[int] = mapped_column(SmallInteger, server_default="1")  # of support, 1 to 3
    is_lead: Mapped[bool] = mapped_column(server_default=text("false"))
    joined_at: Mapped[CreatedAt]
    last_given_at: Mapped[datetime | None]  # by the desk: whose turn it is, in a round robin


class TeamEscalation(Base):
    """When a team's tickets of one level go on to the next by themselves."""

    __tablename__ = "team_escalation"

    team_id: Mapped[UUID] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    untouched_minutes: Mapped[int | None]  # without a word of an agent
    unsolved_minutes: Mapped[int | None]
    onward: Mapped[str] = mapped_column(server_default="next")  # or lead


class AgentPresence(Base):
    """Whether an agent is there: what they say themselves, and when they were last heard of."""

    __tablename__ = "agent_presence"

    agent_id: Mapped[UUID] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True
    )
    chosen: Mapped[str] = mapped_column(server_default="online")  # or away, offline
    seen_at: Mapped[datetime | None]  # none: signed out
    left_at: Mapped[datetime | None]  # when they last signed out
