"""What requesters said about how they were helped, and the rules about asking them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller, ReaderCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, NamedOut, Page, Text
from console.desk import desk_of
from console.sight import sight_for
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import AgentId, CategoryId, ContactId, TeamId
from core.domain.satisfaction import SurveyRules
from core.services.revisions import content_version
from core.services.satisfaction.rules import set_survey_rules, survey_rules
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.satisfaction import AnswerFilter, AnswerView, answers
from core.storage.queries.teams.teams import team_named

router = APIRouter(route_class=PutBack, tags=["satisfaction"])

Score = Annotated[int, Query(ge=1, le=5)]
Hours = Annotated[float, Field(strict=False, ge=0, le=10_000)]


class AnswerOut(BaseModel):
    """One answer to one survey."""

    id: UUID
    ticket: int | None
    ticket_id: UUID | None
    conversation: UUID | None = Field(
        description="Which the assistant finished alone, in place of a ticket."
    )
    score: int
    comment: str
    agent: NamedOut | None = Field(description="Who solved the ticket, as it was then.")
    team: NamedOut | None
    category: NamedOut | None
    channel: str | None
    language: str | None = Field(description="Of the ticket or the conversation.")
    answered_at: datetime

    @classmethod
    def of(cls, answer: AnswerView) -> AnswerOut:
        """Return what the API tells of `answer`."""
        return cls(
            id=answer.id,
            ticket=answer.number,
            ticket_id=answer.ticket,
            conversation=answer.conversation,
            score=answer.score,
            comment=answer.comment,
            agent=NamedOut.of(answer.agent),
            team=NamedOut.of(answer.team),
            category=NamedOut.of(answer.category),
            channel=answer.channel,
            language=answer.language,
            answered_at=answer.answered_at,
        )


class SurveyRulesBody(Body):
    """Whether, when and how often requesters are asked; times in hours."""

    is_on: bool = True
    delay: Annotated[
        Hours, Field(description="From solving, or the assistant's end, to asking; 168 at most.")
    ] = 0
    remind_after: Annotated[
        Hours | None, Field(description="Until the one reminder; null: none.")
    ] = 48
    lasts: Annotated[Hours, Field(description="An answer counts that long; 2160 at most.")] = 336
    quiet: Annotated[Hours, Field(description="A person is not asked again so soon.")] = 24
    low_score: Annotated[
        int, Field(ge=1, le=5, description="Leads are told of scores up to this one.")
    ] = 2
    asks_of_assistant: Annotated[
        bool, Field(description="Also where the assistant finished a conversation alone.")
    ] = False

    def rules(self) -> SurveyRules:
        """Return the rules that are meant, or raise `InvalidInput`."""
        remind = self.remind_after
        return SurveyRules(
            is_on=self.is_on,
            delay=timedelta(hours=self.delay),
            remind_after=None if remind is None else timedelta(hours=remind),
            lasts=timedelta(hours=self.lasts),
            quiet=timedelta(hours=self.quiet),
            low_score=self.low_score,
            asks_of_assistant=self.asks_of_assistant,
        )

    @classmethod
    def of(cls, rules: SurveyRules) -> SurveyRulesBody:
        """Return what the API tells of `rules`."""
        return cls(
            is_on=rules.is_on,
            delay=_hours(rules.delay),
            remind_after=None if rules.remind_after is None else _hours(rules.remind_after),
            lasts=_hours(rules.lasts),
            quiet=_hours(rules.quiet),
            low_score=rules.low_score,
            asks_of_assistant=rules.asks_of_assistant,
        )


@router.get("/satisfaction")
async def list_answers(
    request: Request,
    _: AgentCaller,
    requester: Annotated[UUID | None, Query(description="Who answered.")] = None,
    agent: Annotated[
        Text | None, Query(max_length=254, description="Who solved it: an id or an e-mail.")
    ] = None,
    team: Annotated[Text | None, Query(max_length=100, description="Its id or name.")] = None,
    category: Annotated[UUID | None, Query(description="It, and those below it.")] = None,
    channel: Annotated[Text | None, Query(max_length=40)] = None,
    language: Annotated[Text | None, Query(max_length=12, description="Of the ticket.")] = None,
    assistant: Annotated[
        bool | None,
        Query(description="True: those about the assistant alone; false: those about tickets."),
    ] = None,
    min_score: Score = 1,
    max_score: Score = 5,
    first: Annotated[
        date | None, Query(alias="from", description="The first day of answers, UTC.")
    ] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day, UTC.")] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[AnswerOut]:
    """List what requesters answered, those asked last first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        try:
            by: AgentId | None = None if agent is None else await agent_named(session, agent)
            of: TeamId | None = None if team is None else await team_named(session, team)
        except NotFound:
            return Page(items=[], next=None)
        tree = None if category is None else await category_tree(session)
        wanted = AnswerFilter(
            min_score=min_score,
            max_score=max_score,
            requester=None if requester is None else ContactId(requester),
            agent=by,
            team=of,
            categories=None
            if tree is None or category is None
            else tree.at_or_below(CategoryId(category)),
            channel=channel,
            language=language,
            of_assistant=assistant,
            since=_midnight(first),
            until=_midnight(last, days=1),
            sight=await sight_for(request, session),
        )
        found = await answers(session, wanted, before=cursor, limit=limit + 1)
    more = str(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[AnswerOut.of(answer) for answer in found[:limit]], next=more)


@router.get("/survey-rules")
async def get_survey_rules(
    request: Request, response: Response, _: ReaderCaller
) -> SurveyRulesBody:
    """Return the rules about asking requesters."""
    return await _rules(request, response)


@router.put("/survey-rules")
async def change_survey_rules(
    request: Request,
    response: Response,
    caller: LeadCaller,
    body: SurveyRulesBody,
    revision: IfMatch,
) -> SurveyRulesBody:
    """Replace the rules about asking; surveys under way keep their times."""
    rules = body.rules()
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        await set_survey_rules(session, rules, caller, revision=revision)
    return await _rules(request, response)


async def _rules(request: Request, response: Response) -> SurveyRulesBody:
    async with storage_errors(), desk_of(request).sessions() as session:
        rules = await survey_rules(session)
    tag(response, content_version(rules))
    return SurveyRulesBody.of(rules)


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    if day is None:
        return None
    try:
        return datetime.combine(day + timedelta(days=days), time(), UTC)
    except OverflowError:
        raise InvalidInput("this day is too far away") from None
