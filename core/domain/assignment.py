"""Shares waiting tickets out among agents. Pure: the same input gives the same answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.ids import AgentId, TeamId, TicketId
from core.domain.routing import LanguageNeed, primary
from core.domain.teams import Strategy, level_that_serves


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacancy:
    """A ticket that somebody is to be found for."""

    ticket: TicketId
    team: TeamId
    level: int
    language: str
    language_need: LanguageNeed = LanguageNeed.PREFERRED
    skills: frozenset[str] = frozenset()
    skills_required: bool = False
    passed_over: frozenset[AgentId] = frozenset()  # who had it and gave it back, or is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An agent who is there."""

    id: AgentId
    room: int  # tickets they may still be given
    load: int  # open tickets they have
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A candidate's place in a team."""

    agent: AgentId
    team: TeamId
    level: int
    last_given: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRules:
    """How a team shares out, and which levels anybody has in it, whether they are there or not."""

    strategy: Strategy
    levels: frozenset[int]


@dataclass(slots=True)
class _Standing:
    """How a candidate stands while tickets are shared out."""

    candidate: Candidate
    room: int
    load: int
    given: dict[TeamId, int] = field(default_factory=dict)  # order of the last one given, by team


def share_out(
    vacancies: Iterable[Vacancy],
    candidates: Sequence[Candidate],
    places: Sequence[Place],
    teams: Mapping[TeamId, TeamRules],
) -> list[tuple[Vacancy, AgentId]]:
    """Return who gets which ticket, in the order of `vacancies`; what finds nobody is left out.

    Nobody gets more than their room. Of those who may have a ticket the ones who bring its
    language and skills come first, then the team's strategy decides.
    """
    standings = {c.id: _Standing(c, c.room, c.load) for c in candidates if c.room > 0}
    pools: dict[tuple[TeamId, int], list[_Standing]] = defaultdict(list)
    turn = 0
    for place in sorted(places, key=lambda p: (p.last_given is not None, p.last_given, p.agent)):
        standing = standings.get(place.agent)
        if standing is not None:
            turn += 1
            standing.given[place.team] = turn
            pools[place.team, place.level].append(standing)
    shared: list[tuple[Vacancy, AgentId]] = []
    for vacancy in vacancies:
        rules = teams.get(vacancy.team)
        if rules is None or rules.strategy == Strategy.MANUAL:
            continue
        level = level_that_serves(rules.levels, vacancy.level)
        pool = pools.get((vacancy.team, level or 0))
        if not pool:
            continue
        found = min(
            (standing for standing in pool if _may_have(standing, vacancy)),
            key=lambda standing: _rank(standing, vacancy, rules.strategy),
            default=None,
        )
        if found is None:
            continue
        turn += 1
        found.room -= 1
        found.load += 1
        found.given[vacancy.team] = turn
        if not found.room:
            for others in pools.values():
                if found in others:
                    others.remove(found)
        shared.append((vacancy, found.candidate.id))
    return shared


def _may_have(standing: _Standing, vacancy: Vacancy) -> bool:
    who = standing.candidate
    if who.id in vacancy.passed_over:
        return False
    if vacancy.skills_required and not vacancy.skills <= who.skills:
        return False
    needs_language = vacancy.language_need == LanguageNeed.REQUIRED
    return not needs_language or primary(vacancy.language) in who.languages


def _rank(standing: _Standing, vacancy: Vacancy, strategy: Strategy) -> tuple[int, ...]:
    who = standing.candidate
    speaks = vacancy.language_need == LanguageNeed.ANY or primary(vacancy.language) in who.languages
    lacks = len(vacancy.skills - who.skills)
    given = standing.given[vacancy.team]
    if strategy == Strategy.ROUND_ROBIN:
        return (not speaks, lacks, given, standing.load)
    return (not speaks, lacks, standing.load, given)
