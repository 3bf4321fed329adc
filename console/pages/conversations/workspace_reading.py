"""Reads a workspace: a conversation, its ticket and all beside them, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from console.desk import ConsoleDesk, desk_of
from console.pages.conversations.workspace import Place, Workspace
from console.sight import sight_for
from core.domain.actor import Role
from core.domain.channel import RecipientOutcome
from core.domain.conversation import Speaker
from core.domain.errors import NotFound
from core.domain.ids import (
    AccountId,
    Address,
    ContactId,
    ConversationId,
    MessageId,
    OrganisationId,
    ThreadKey,
    TicketId,
)
from core.domain.teams import Presence
from core.ports import LinksThreads, capabilities_of
from core.services.conversations.letters import Addressing, Letters
from core.services.files.uploads import MOST_FILES
from core.storage.queries.catalogue.requests import request_of
from core.storage.queries.classification.categories import (
    category_tree,
    open_teams,
    watchers_of,
)
from core.storage.queries.classification.similar import suggestions_for
from core.storage.queries.conversations.conversations import (
    ConversationView,
    ParticipantView,
    conversation_view,
    conversations_of,
    participants_of,
    sides_of,
)
from core.storage.queries.conversations.letters import bounces_of, sourced, split_off
from core.storage.queries.conversations.messages import (
    MessageView,
    latest_messages,
    said_after_its_beginning,
    said_of,
)
from core.storage.queries.feed import FeedPosition, feed_end
from core.storage.queries.links.links import links_of
from core.storage.queries.links.merges import (
    MergedTicket,
    last_spoken_in,
    merged_into,
    merged_tickets,
    said_together,
)
from core.storage.queries.requester_records.assets import assets_of
from core.storage.queries.requester_records.requesters import (
    OrganisationView,
    RequesterView,
    organisation_view,
    requester_view,
)
from core.storage.queries.satisfaction import answer_of
from core.storage.queries.sla import promise_view
from core.storage.queries.teams.teams import CrewView, crew
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.parts import TicketParts, parts_of_ticket
from core.storage.queries.tickets.tickets import (
    TicketView,
    history,
    list_tickets,
    ticket_of_conversation,
    ticket_view,
)
from core.storage.queries.writing import held_in

_PRESENT = (Presence.ONLINE, Presence.AWAY, Presence.OFFLINE)
_CAME_BACK = (RecipientOutcome.SOFT, RecipientOutcome.HARD)


async def of_ticket(
    request: Request,
    session: AsyncSession,
    ticket: TicketId,
    shown: int,
    side: ConversationId | None = None,
) -> Workspace:
    """Return the workspace of a ticket: its own conversation, or `side`, held beside it.

    Raises:
        NotFound: there is no such ticket, or no such conversation beside its own.
    """
    position = await feed_end(session)  # first: what changes while reading is told again
    view = await ticket_view(session, ticket)
    return await _read(request, session, position, view.conversation, view, shown, side)


async def of_conversation(
    request: Request, session: AsyncSession, conversation: ConversationId, shown: int
) -> Workspace:
    """Return the workspace of a conversation, with its newest ticket if it has one.

    Raises:
        NotFound: there is no such conversation.
    """
    position = await feed_end(session)
    ticket = await ticket_of_conversation(session, conversation)
    view = None if ticket is None else await ticket_view(session, ticket)
    return await _read(request, session, position, conversation, view, shown)


async def _read(
    request: Request,
    session: AsyncSession,
    position: FeedPosition,
    conversation_id: ConversationId,
    ticket: TicketView | None,
    shown: int,
    side: ConversationId | None = None,
) -> Workspace:
    desk, sight = desk_of(request), await sight_for(request, session)
    main = await conversation_view(session, conversation_id)
    has = TicketParts.none()
    if ticket is not None:
        has = await parts_of_ticket(session, ticket.id, conversation_id)
    together = await merged_tickets(session, ticket.id) if ticket and has.merged else []
    sides: Sequence[ConversationView] = ()
    if has.sides or together or ticket is None:
        sides = await sides_of(
            session,
            [conversation_id, *(one.conversation.id for one in together if one.goes_on)],
            sight=sight,
        )
    conversation = main if side is None else _side_named(side, sides)
    merged = {one.conversation.id: one for one in together} if side is None else {}
    ends_with = ticket if has.later and side is None else None
    said = await _said(session, conversation.id, merged, ends_with, shown + 1)
    messages = said[:shown][::-1]
    requester = ContactId(main.requester.id)
    tickets = await list_tickets(session, TicketFilter(requester=requester, sight=sight), limit=11)
    participants: Sequence[ParticipantView] = ()
    if has.participants or ticket is None or conversation is not main:
        participants = await participants_of(session, conversation.id)
    addressing = _addressing(desk, conversation, participants)
    tree = await category_tree(session)
    person = await requester_view(session, ContactId(conversation.requester.id))
    people = await crew(session, datetime.now(UTC))
    own = [one for one in messages if one.conversation == conversation.id]
    new_subjects = _new_subjects(desk.letters, conversation, own)
    if ticket is not None and conversation is main:
        splits = await said_after_its_beginning(session, ticket.id, new_subjects)
        new_subjects = {name: new_subjects[name] for name in new_subjects if name in splits}
    return Workspace(
        position=position,
        conversation=conversation,
        place=_place(desk, conversation),
        participants=participants,
        messages=messages,
        held=await held_in(session, ticket.id) if ticket and has.held else (),
        has_earlier=len(said) > shown,
        shown=shown,
        ticket=ticket,
        satisfaction=await answer_of(session, ticket.id) if ticket and has.answer else None,
        promise=None if ticket is None else await promise_view(session, ticket.id),
        request=await request_of(session, ticket.id) if ticket and has.request else None,
        mails_approvers=desk.catalogue.mails,
        history=() if ticket is None else await history(session, ticket.id),
        agents=people,
        assignees=_assignees(people, ticket),
        tree=tree,
        links=await links_of(session, ticket.id, sight) if ticket and has.links else (),
        person=person,
        organisation=await _organisation_of(session, person),
        assets=await assets_of(session, ticket) if ticket and has.assets else None,
        suggestions=None
        if ticket is None
        else await suggestions_for(session, ticket.id, tree, sight),
        teams=await open_teams(session),
        watchers=await watchers_of(session, ticket.id) if ticket and has.watchers else (),
        other_tickets=[t for t in tickets if ticket is None or t.id != ticket.id][:10],
        other_conversations=await conversations_of(
            session, requester, besides=conversation_id, sight=sight
        ),
        addressing=addressing,
        bounces=await _bounces(session, conversation, messages, addressing),
        new_subjects=new_subjects,
        sourced=await sourced(session, [m.id for m in messages if m.speaker == Speaker.CUSTOMER]),
        main=main,
        sides=sides,
        split_off=await split_off(session, ticket.id) if ticket and has.split else None,
        merged=merged,
        merged_into=await merged_into(session, ticket.id) if ticket and has.merged_into else None,
        answers_in=await _answers_in(session, conversation.id, merged),
        places={
            conversation.id: _place(desk, conversation),
            **{one.conversation.id: _place(desk, one.conversation) for one in merged.values()},
        },
    )


async def _said(
    session: AsyncSession,
    conversation: ConversationId,
    merged: Mapping[ConversationId, MergedTicket],
    ends_with: TicketView | None,
    limit: int,
) -> Sequence[MessageView]:
    """Return what was said, the latest first; of the conversation itself up to a ticket's end."""
    until = None if ends_with is None else await said_of(session, ends_with.id)
    if not merged:
        return await latest_messages(session, conversation, limit=limit, until=until)
    return await said_together(
        session, conversation, list(merged.values()), limit=limit, until=until
    )


async def _answers_in(
    session: AsyncSession,
    conversation: ConversationId,
    merged: Mapping[ConversationId, MergedTicket],
) -> ConversationId:
    """Return where an answer is said unless an agent chooses: where somebody wrote last."""
    places = [conversation, *(one for one in merged if merged[one].goes_on)]
    if len(places) == 1:
        return conversation
    return await last_spoken_in(session, places) or conversation


def _side_named(side: ConversationId, sides: Sequence[ConversationView]) -> ConversationView:
    for one in sides:
        if one.id == side:
            return one
    raise NotFound("there is no such conversation")


async def _organisation_of(session: AsyncSession, person: RequesterView) -> OrganisationView | None:
    if person.organisation is None:
        return None
    return await organisation_view(session, OrganisationId(person.organisation.id))


def _assignees(people: Sequence[CrewView], ticket: TicketView | None) -> Sequence[CrewView]:
    """Return who may be given a ticket: of its team before others, who is there before others."""
    team = None if ticket is None or ticket.team is None else ticket.team.id
    return sorted(
        (person for person in people if person.role != Role.AUDITOR),
        key=lambda person: (
            team is not None and all(one.id != team for one in person.teams),
            _PRESENT.index(person.presence),
            person.name,
        ),
    )


def _addressing(
    desk: ConsoleDesk, conversation: ConversationView, participants: Sequence[ParticipantView]
) -> Addressing | None:
    return desk.letters.addressing(
        AccountId(conversation.account),
        None if conversation.address is None else Address(conversation.address),
        [Address(person.address) for person in participants if person.left_at is None],
        conversation.subject,
        conversation.language or "en",
    )


async def _bounces(
    session: AsyncSession,
    conversation: ConversationView,
    messages: Sequence[MessageView],
    addressing: Addressing | None,
) -> dict[str, RecipientOutcome]:
    """Return whose letters came back, of those that the next answer may go to.

    What was heard last of a letter in this conversation counts where the desk does not know the
    address as a person's.
    """
    if addressing is None:
        return {}
    goes_to = {*addressing.to_all.to, *addressing.to_all.cc}
    heard = {
        address: report.outcome
        for message in messages
        for address, report in message.reported.items()
        if address in goes_to
    }
    came_back = {a: outcome for a, outcome in heard.items() if outcome in _CAME_BACK}
    return came_back | await bounces_of(session, conversation.account, goes_to)


def _new_subjects(
    letters: Letters, conversation: ConversationView, messages: Sequence[MessageView]
) -> dict[MessageId, str]:
    """Return the letters whose author changed the subject, with the new one."""
    found: dict[MessageId, str] = {}
    account, about = AccountId(conversation.account), conversation.subject
    for message in messages:
        subject = None if message.envelope is None else message.envelope.subject
        if not subject or message.is_automatic:
            continue
        is_new = about is not None and not letters.is_same_subject(account, about, subject)
        if is_new and message.speaker == Speaker.CUSTOMER:
            found[message.id] = subject
        about = subject
    return found


def _place(desk: ConsoleDesk, conversation: ConversationView) -> Place:
    channel = desk.channels.get(AccountId(conversation.account))
    if channel is None:
        return Place(
            link=None,
            max_files=0,
            max_file_bytes=0,
            can_correct=False,
            can_withdraw=False,
            is_connected=False,
            is_read=False,
        )
    can = capabilities_of(channel)
    link = None
    if isinstance(channel, LinksThreads):
        link = channel.link(ThreadKey(conversation.thread))
    return Place(
        link=link if link and link.startswith(("https://", "http://", "tg://")) else None,
        max_files=min(can.max_files, MOST_FILES),
        max_file_bytes=min(can.max_file_bytes or desk.uploads.max_bytes, desk.uploads.max_bytes),
        can_correct=can.edits,
        can_withdraw=can.removes,
        is_connected=True,
        is_read=not can.unread,
    )
