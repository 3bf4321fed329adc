"""Sharing out: nobody above their room, no ticket twice, none left for whom there is somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.domain.assignment import Candidate, Place, TeamRules, Vacancy, share_out
from core.domain.ids import AgentId, TeamId, TicketId, new_id
from core.domain.routing import LanguageNeed
from core.domain.teams import Strategy, level_that_serves

TEAMS = [TeamId(new_id()) for _ in range(2)]
AGENTS = [AgentId(new_id()) for _ in range(5)]
SKILLS = ("vpn", "sap")
NOW = datetime(2030, 1, 1, tzinfo=UTC)

candidates = st.lists(
    st.builds(
        Candidate,
        id=st.sampled_from(AGENTS),
        room=st.integers(0, 3),
        load=st.integers(0, 5),
        languages=st.frozensets(st.sampled_from(("en", "es"))),
        skills=st.frozensets(st.sampled_from(SKILLS)),
    ),
    unique_by=lambda candidate: candidate.id,
)
places = st.lists(
    st.builds(
        Place,
        agent=st.sampled_from(AGENTS),
        team=st.sampled_from(TEAMS),
        level=st.integers(1, 3),
        last_given=st.none() | st.integers(0, 9).map(lambda n: NOW + timedelta(minutes=n)),
    ),
    unique_by=lambda place: (place.agent, place.team),
)
vacancies = st.lists(
    st.builds(
        Vacancy,
        ticket=st.builds(lambda: TicketId(new_id())),
        team=st.sampled_from(TEAMS),
        level=st.integers(1, 3),
        language=st.sampled_from(("en", "es-MX", "fr")),
        language_need=st.sampled_from(list(LanguageNeed)),
        skills=st.frozensets(st.sampled_from(SKILLS)),
        skills_required=st.booleans(),
        passed_over=st.frozensets(st.sampled_from(AGENTS), max_size=1),
    ),
    max_size=12,
)


def _suits(vacancy: Vacancy, who: Candidate, there: list[Place], levels: frozenset[int]) -> bool:
    """Say whether `who` may have the ticket: the promise in other words than the code's."""
    served = level_that_serves(levels, vacancy.level)
    in_team = any(p.agent == who.id and p.team == vacancy.team and p.level == served for p in there)
    speaks = vacancy.language.split("-")[0] in who.languages
    return (
        in_team
        and who.id not in vacancy.passed_over
        and (vacancy.language_need != LanguageNeed.REQUIRED or speaks)
        and (not vacancy.skills_required or vacancy.skills.issubset(who.skills))
    )


@given(vacancies, candidates, places, st.sampled_from(list(Strategy)))
def test_what_sharing_out_promises(
    wanting: list[Vacancy], there: list[Candidate], seats: list[Place], strategy: Strategy
) -> None:
    levels = {
        team: frozenset(place.level for place in seats if place.team == team) for team in TEAMS
    }
    teams = {team: TeamRules(strategy=strategy, levels=levels[team]) for team in TEAMS}
    shared = share_out(wanting, there, seats, teams)
    given_to = {vacancy.ticket: agent for vacancy, agent in shared}
    assert len(given_to) == len(shared)
    by_id = {who.id: who for who in there}
    room = {who.id: who.room for who in there}
    for vacancy, agent in shared:
        room[agent] -= 1
        assert _suits(vacancy, by_id[agent], seats, levels[vacancy.team])
    assert min(room.values(), default=0) >= 0
    for vacancy in wanting:
        if vacancy.ticket not in given_to and strategy != Strategy.MANUAL:
            assert not any(
                room[who.id] and _suits(vacancy, who, seats, levels[vacancy.team]) for who in there
            )
    if strategy == Strategy.MANUAL:
        assert not shared


def test_a_round_robin_goes_round_and_begins_where_it_was() -> None:
    team, (ana, ben, eva) = TEAMS[0], AGENTS[:3]
    seats = [
        Place(agent=ana, team=team, level=1, last_given=NOW),
        Place(agent=ben, team=team, level=1, last_given=NOW - timedelta(hours=1)),
        Place(agent=eva, team=team, level=1),
    ]
    there = [Candidate(id=agent, room=9, load=0) for agent in (ana, ben, eva)]
    waiting = [Vacancy(ticket=TicketId(new_id()), team=team, level=1, language="en")] * 4
    rules = {team: TeamRules(strategy=Strategy.ROUND_ROBIN, levels=frozenset({1}))}
    assert [agent for _, agent in share_out(waiting, there, seats, rules)] == [eva, ben, ana, eva]


def test_the_fewest_open_tickets_evens_out() -> None:
    team, (ana, ben) = TEAMS[0], AGENTS[:2]
    seats = [Place(agent=agent, team=team, level=1) for agent in (ana, ben)]
    there = [Candidate(id=ana, room=9, load=2), Candidate(id=ben, room=9, load=0)]
    waiting = [Vacancy(ticket=TicketId(new_id()), team=team, level=1, language="en")] * 4
    rules = {team: TeamRules(strategy=Strategy.LEAST_LOADED, levels=frozenset({1}))}
    given_to = [agent for _, agent in share_out(waiting, there, seats, rules)]
    assert (given_to.count(ana), given_to.count(ben)) == (1, 3)
