"""The JSON that the API speaks: bodies it takes and documents it gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.domain.channel import RecipientOutcome
from core.domain.content import MAX_TEXT_CHARS, Caution, Envelope
from core.domain.files import FileState, plain_name
from core.domain.ids import Address as MailAddress
from core.domain.ids import ArticleId, OrganisationId, SynonymsId
from core.domain.knowledge import Article, Audience, Outcome, Synonyms
from core.domain.ticket import ClosedAs, Priority, TicketStatus
from core.services.letters import MAX_SUBJECT_CHARS, MOST_ADDRESSES
from core.storage.queries.conversations import MessageView
from core.storage.queries.files import FileView
from core.storage.queries.tickets import Named, Person, TicketView

T = TypeVar("T")

MAX_PAGE = 100


def _storable(words: str) -> str:
    if "\x00" in words:
        raise ValueError("must not hold NUL characters")
    try:
        words.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return words


Text = Annotated[str, AfterValidator(_storable)]
"""Words that the database can keep."""

Address = Annotated[Text, Field(max_length=320)]


class Body(BaseModel):
    """Base of what callers send: a field that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """An empty object."""


class Reply(Body):
    """What to say or to note, and files that were handed in before; one of the two at least."""

    text: Annotated[Text, Field(max_length=MAX_TEXT_CHARS)] = ""
    files: Annotated[list[Annotated[UUID, Field(strict=False)]], Field(max_length=20)] = Field(
        default_factory=list
    )


class EnvelopeBody(Body):
    """Between whom a letter goes; a subject that is null is the usual one."""

    to: Annotated[list[Address], Field(max_length=MOST_ADDRESSES)] = Field(default_factory=list)
    cc: Annotated[list[Address], Field(max_length=MOST_ADDRESSES)] = Field(default_factory=list)
    bcc: Annotated[list[Address], Field(max_length=MOST_ADDRESSES)] = Field(default_factory=list)
    subject: Annotated[Text, Field(max_length=MAX_SUBJECT_CHARS)] | None = None

    def envelope(self) -> Envelope:
        """Return it as the desk knows it, unchecked."""
        return Envelope(
            to=tuple(MailAddress(address) for address in self.to),
            cc=tuple(MailAddress(address) for address in self.cc),
            bcc=tuple(MailAddress(address) for address in self.bcc),
            subject=self.subject,
        )


class Letter(Reply):
    """An answer; where letters go, `envelope` says between whom, else the account's rule does."""

    envelope: EnvelopeBody | None = None
    conversations: Annotated[
        list[Annotated[UUID, Field(strict=False)]],
        Field(max_length=50, description="Where to say it, if others were merged into the ticket."),
    ] = Field(default_factory=list)


class NewStatus(Body):
    """The status to set."""

    status: Literal["open", "pending", "on_hold", "solved", "closed"]


class Escalation(Body):
    """Where a ticket goes on to, and why: `next`, `lead`, or a team's id or name."""

    to: Annotated[Text, Field(max_length=100)] = "next"
    reason: Annotated[Text, Field(max_length=1_000)]


class NewAssignee(Body):
    """Who gets a ticket: an agent's id or e-mail address, or null to put it back in the queue."""

    agent: Annotated[Text, Field(max_length=254)] | None


class ArticleBody(Body):
    """An article as an admin writes it."""

    model_config = ConfigDict(extra="forbid", strict=False)

    title: Text
    body: Text
    language: Text = "en"
    questions: list[Text] = Field(default_factory=list)
    tags: list[Text] = Field(default_factory=list)
    audience: Audience = Audience.PUBLIC
    translation_of: Text | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    organisations: list[UUID] | None = None  # none in the list: for all; null: as it was

    def article(self, article_id: str) -> Article:
        """Return the article under its id."""
        return Article(
            id=ArticleId(article_id),
            language=self.language,
            title=self.title,
            body=self.body,
            questions=tuple(self.questions),
            tags=tuple(self.tags),
            audience=self.audience,
            translation_of=None if self.translation_of is None else ArticleId(self.translation_of),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            organisations=tuple(OrganisationId(one) for one in self.organisations or ()),
        )


class NewArticle(ArticleBody):
    """A new article; without an id, one is made from the title."""

    id: Text | None = None


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = Field(default_factory=list)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
    for status, description in (
        (401, "The token is missing or not valid"),
        (403, "The token's role may not do this"),
        (422, "The request is not as described"),
        ("default", "Something else went wrong"),
    )
}


class Page(BaseModel, Generic[T]):
    """A part of a list, newest first."""

    items: list[T]
    next: str | None  # give it as `cursor` for the part after this


class PersonOut(BaseModel):
    """A requester or an agent."""

    id: UUID
    name: str | None
    email: str | None

    @classmethod
    def of(cls, person: Person) -> PersonOut:
        """Return what the API tells of `person`."""
        return cls(id=person.id, name=person.name, email=person.email)


class NamedOut(BaseModel):
    """A team, a category or an organisation."""

    id: UUID
    name: str

    @classmethod
    def of(cls, named: Named | None) -> NamedOut | None:
        """Return what the API tells of `named`."""
        return None if named is None else cls(id=named.id, name=named.name)


class TicketOut(BaseModel):
    """A ticket."""

    id: UUID
    number: int
    kind: str
    status: TicketStatus
    subject: str
    priority: Priority
    reason: str
    assignee: PersonOut | None
    requester: PersonOut
    conversation_id: UUID
    created_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    closed_as: ClosedAs | None  # what it is besides closed
    summary: str
    language: str
    confidence: float | None
    follows: int | None  # the number of the closed ticket this one goes on from
    followed_by: list[int]  # numbers of those that go on from this one, once it is closed
    team: NamedOut | None
    level: int  # of support, 1 to 3
    category: NamedOut | None
    organisation: NamedOut | None
    impact: str | None
    urgency: str | None
    priority_is_set: bool  # by hand; impact and urgency leave it alone
    fields: dict[str, Any]  # by key; what the category asks for
    tags: list[str]
    due_at: datetime | None  # set by hand
    asset: UUID | None  # that it is about
    sla_due_at: datetime | None  # of the running clock that is due first
    sla_due_kind: str | None
    sla_breached_at: datetime | None  # of the first of its running clocks that ran out

    @classmethod
    def of(cls, ticket: TicketView) -> TicketOut:
        """Return what the API tells of `ticket`."""
        return cls(
            id=ticket.id,
            number=ticket.number,
            kind=ticket.kind,
            status=ticket.status,
            subject=ticket.subject,
            priority=ticket.priority,
            reason=ticket.reason,
            assignee=None if ticket.assignee is None else PersonOut.of(ticket.assignee),
            requester=PersonOut.of(ticket.requester),
            conversation_id=ticket.conversation,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
            first_response_at=ticket.first_response_at,
            solved_at=ticket.solved_at,
            closed_at=ticket.closed_at,
            closed_as=ticket.closed_as,
            summary=ticket.summary,
            language=ticket.language,
            confidence=ticket.confidence,
            follows=ticket.follows,
            followed_by=list(ticket.followed_by),
            team=NamedOut.of(ticket.team),
            level=ticket.level,
            category=NamedOut.of(ticket.category),
            organisation=NamedOut.of(ticket.organisation),
            impact=ticket.impact,
            urgency=ticket.urgency,
            priority_is_set=ticket.is_priority_set,
            fields=dict(ticket.fields),
            tags=list(ticket.tags),
            due_at=ticket.due_at,
            asset=ticket.asset,
            sla_due_at=ticket.sla_due_at,
            sla_due_kind=ticket.sla_due_kind,
            sla_breached_at=ticket.sla_breached_at,
        )


class ChoiceOut(BaseModel):
    """A button under a message."""

    id: UUID
    label: str
    pressed: bool


class UploadOut(BaseModel):
    """A file that was handed in; its id goes into a reply, within a day."""

    id: UUID
    name: str
    media_type: str  # as its content shows
    size_bytes: int


class FileOut(BaseModel):
    """A file of a message."""

    id: UUID
    name: str
    media_type: str  # as its content shows, once it is fetched
    size_bytes: int | None
    state: FileState
    detail: str | None  # why it waits, was refused or failed

    @classmethod
    def of(cls, file: FileView) -> FileOut:
        """Return what the API tells of `file`."""
        return cls(
            id=file.id,
            name=plain_name(file.name),
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            state=file.state,
            detail=file.detail,
        )


class EnvelopeOut(BaseModel):
    """Between whom a letter went."""

    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str | None

    @classmethod
    def of(cls, envelope: Envelope) -> EnvelopeOut:
        """Return what the API tells of `envelope`."""
        return cls(
            to=list(envelope.to),
            cc=list(envelope.cc),
            bcc=list(envelope.bcc),
            subject=envelope.subject,
        )


class RecipientOut(BaseModel):
    """What was heard of a letter for one of those it went to."""

    address: str
    outcome: RecipientOutcome
    detail: str


class RevisionOut(BaseModel):
    """What a message said before an edit."""

    text: str
    replaced_at: datetime


class MessageOut(BaseModel):
    """Something said in a conversation."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: UUID
    conversation: UUID
    seq: int
    speaker: Literal["customer", "bot", "agent", "system"] = Field(alias="from")
    agent: PersonOut | None
    internal: bool  # a note that the requester never sees
    text: str
    quoted: str | None  # what an e-mail repeats of earlier ones
    signature: str | None
    choices: list[ChoiceOut]
    files: list[FileOut]
    unsupported: list[str]  # kinds of content without a text form, such as a poll
    reactions: dict[str, int]  # how many people reacted with what
    revisions: list[RevisionOut]  # oldest first
    envelope: EnvelopeOut | None
    recipients: list[RecipientOut]  # those of whom something was heard
    caution: Caution | None
    automatic: bool  # from a machine
    delivery: str
    delivery_detail: str | None
    at: datetime
    edited_at: datetime | None
    removed_at: datetime | None

    @classmethod
    def of(cls, message: MessageView) -> MessageOut:
        """Return what the API tells of `message`; the words of a removed one are kept back."""
        return cls(
            id=message.id,
            conversation=message.conversation,
            seq=message.seq,
            speaker=message.speaker.value,
            agent=None if message.agent is None else PersonOut.of(message.agent),
            internal=message.is_internal,
            text="" if message.removed_at else message.text,
            choices=[
                ChoiceOut(id=choice.id, label=choice.label, pressed=choice.is_pressed)
                for choice in message.choices
            ],
            quoted=None if message.removed_at else message.quoted,
            signature=None if message.removed_at else message.signature,
            files=[FileOut.of(file) for file in message.files],
            unsupported=list(message.unsupported),
            reactions=dict(message.reactions),
            revisions=[
                RevisionOut(text=revision.text, replaced_at=revision.replaced_at)
                for revision in (() if message.removed_at else message.revisions)
            ],
            envelope=None if message.envelope is None else EnvelopeOut.of(message.envelope),
            recipients=[
                RecipientOut(address=address, outcome=report.outcome, detail=report.detail)
                for address, report in message.reported.items()
            ],
            caution=message.caution,
            automatic=message.is_automatic,
            delivery=message.delivery,
            delivery_detail=message.delivery_detail,
            at=message.at,
            edited_at=message.edited_at,
            removed_at=message.removed_at,
        )


class ArticleOut(BaseModel):
    """An article."""

    id: str
    language: str
    title: str
    body: str
    questions: list[str]
    tags: list[str]
    audience: Audience
    translation_of: str | None
    valid_from: date | None
    valid_until: date | None
    organisations: list[UUID]  # whose requesters may read it; none: all

    @classmethod
    def of(cls, article: Article) -> ArticleOut:
        """Return what the API tells of `article`."""
        return cls(
            id=article.id,
            language=article.language,
            title=article.title,
            body=article.body,
            questions=list(article.questions),
            tags=list(article.tags),
            audience=article.audience,
            translation_of=article.translation_of,
            valid_from=article.valid_from,
            valid_until=article.valid_until,
            organisations=list(article.organisations),
        )


class SynonymsBody(Body):
    """Words that mean the same: in an organisation, or everywhere."""

    terms: Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=100)]
    organisation: Annotated[UUID, Field(strict=False)] | None = None

    def synonyms(self, key: UUID) -> Synonyms:
        """Return them under their id."""
        return Synonyms(
            id=SynonymsId(key),
            terms=tuple(self.terms),
            organisation=None if self.organisation is None else OrganisationId(self.organisation),
        )


class SynonymsOut(BaseModel):
    """Words that mean the same."""

    id: UUID
    terms: list[str]
    organisation: UUID | None

    @classmethod
    def of(cls, synonyms: Synonyms) -> SynonymsOut:
        """Return what the API tells of `synonyms`."""
        return cls(id=synonyms.id, terms=list(synonyms.terms), organisation=synonyms.organisation)


class HitOut(BaseModel):
    """An article that a search found."""

    article_id: str
    title: str
    score: float  # the probability that it answers the question
    outcome: Outcome  # what the whole search is good for; the same in every row
