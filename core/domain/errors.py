"""Errors, grouped by what the caller must do next.

DeskError
├── IllegalTransition      a command does not fit the record's state: tell the agent
├── NotFound               the record does not exist (or is not the caller's to see)
│   └── ConversationErased … any more, as after a rehearsal: there is nothing left to do
├── Conflict               somebody else was first: show who, let the caller choose again
│   ├── Outdated           … and changed what the caller has read: read it again
│   ├── TakenAlready       … and has the ticket, as `name`
│   └── AnsweredMeanwhile  … and answered: read that, then answer knowingly
├── InvalidInput           the caller's input is wrong: say what to change
│   ├── TooLarge           … because it is too big
│   ├── WrongName          … because `name` is not there, or is there twice
│   └── WrongAddress       … because nothing can be sent to `word`
├── Unauthenticated        who is asking is not known: sign in again
├── Forbidden              who is asking may not do this
│   └── NotedRefusal       … and the audit log has it already
├── TooManyAttempts        too often in too short a time: wait `retry_after` seconds
├── Busy                   more is asked for than the desk takes on: wait `retry_after` seconds
├── StorageUnavailable     the database is away: answer 503, acknowledge nothing, try later
├── NotKnownYet            whether it is the desk's cannot be found out now: the same
├── UnknownPayload         a platform sent a shape we do not know: quarantine it
├── IgnoredPayload         a platform sent what says nothing to us: acknowledge it
├── AssistantError         the assistant gave no reply
│   ├── AssistantLoading   it is starting: wait for it
│   └── AssistantFailed    it is away, too slow or broken: try once more, then a human
├── EmbedderUnavailable    no vectors now: search by words alone
├── ComposerUnavailable    no language model now: show the article as it is
├── ScannerUnavailable     no look for viruses now: nothing is taken in unseen, try later
└── DeliveryError          a send did not succeed
    ├── Rejected           the platform said no: do not retry, show the agent why
    │   └── FileTooLarge   … to giving a file: tell its sender, too
    ├── NotWanted          certainly not sent, and overtaken meanwhile: leave it
    ├── Throttled          not sent: retry after `retry_after` seconds
    ├── BadCredentials     not sent: the account waits until an admin has mended it
    ├── Moved              not sent: the thread has a new name; try there
    ├── Unavailable        not sent: retry with back-off
    │   └── NotTakenYet    … this one alone: what goes to others is not held up
    └── Uncertain          may have been sent: verify if the channel can, else by policy
        ├── SentInPart     was in part, and the rest is refused: an agent decides
        └── CannotSay      … and the platform does not say now: ask it again later
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from core.domain.ids import ThreadKey


class DeskError(Exception):
    """Base of every error the desk raises on purpose."""


class IllegalTransition(DeskError):
    """A command does not fit the record's state."""

    def __init__(self, record: str, state: str, trigger: str) -> None:
        super().__init__(f"a {record} that is {state} cannot take {trigger}")
        self.record, self.state, self.trigger = record, state, trigger


class NotFound(DeskError):
    """The record does not exist, or is not the caller's to see."""


class ConversationErased(NotFound):
    """The conversation was erased with all that belonged to it."""

    def __init__(self) -> None:
        super().__init__("the conversation is not there any more")


class Conflict(DeskError):
    """Somebody else was first."""


class Outdated(Conflict):
    """What the caller has read was changed since."""

    def __init__(self) -> None:
        super().__init__("this was changed meanwhile: load it again")


class TakenAlready(Conflict):
    """Somebody else has the ticket."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has this ticket already")
        self.name = name


class AnsweredMeanwhile(Conflict):
    """Somebody answered since the caller began to write: a colleague, or they in the same words."""

    def __init__(
        self, name: str, at: datetime | None, now_seen: int, *, is_own: bool = False
    ) -> None:
        """`at`: when they did, None where their answer is on its way; `now_seen`: read up to."""
        super().__init__(f"{name} answered meanwhile")
        self.name, self.at, self.now_seen, self.is_own = name, at, now_seen, is_own


class InvalidInput(DeskError):
    """The caller's input is wrong."""


class WrongName(InvalidInput):
    """Something is named that is not there, or twice; `sentence` leaves the `{name}` open."""

    def __init__(self, sentence: str, name: str) -> None:
        self.sentence, self.name = sentence, name[:60]
        super().__init__(sentence.format(name=self.name))


class TooLarge(InvalidInput):
    """The caller's input is too big."""


class WrongAddress(InvalidInput):
    """The caller wrote an address that nothing can be sent to."""

    def __init__(self, word: str) -> None:
        super().__init__(f"nothing can be sent to {word!r}")
        self.word = word


class Unauthenticated(DeskError):
    """Who is asking is not known."""


class Forbidden(DeskError):
    """Who is asking may not do this."""


class NotedRefusal(Forbidden):
    """Who is asking may not do this, which the audit log has already."""


class TooManyAttempts(DeskError):
    """Something was tried too often in too short a time."""

    def __init__(self, retry_after: float, why: str = "too many attempts") -> None:
        super().__init__(f"{why}: try again in {max(1, round(retry_after))} s")
        self.retry_after = retry_after


class Busy(DeskError):
    """More is asked for at once, by everybody together, than the desk takes on."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("much is going on just now: try again in a few seconds")
        self.retry_after = retry_after


class StorageUnavailable(DeskError):
    """The database is away."""


class NotKnownYet(DeskError):
    """Whether something concerns the desk cannot be found out now: it may be told again."""


class UnknownPayload(DeskError):
    """A platform sent a shape we do not know."""


class IgnoredPayload(DeskError):
    """A platform sent what says nothing to us; the message says why."""


class AssistantError(DeskError):
    """The assistant gave no reply."""


class AssistantLoading(AssistantError):
    """The assistant is starting."""


class AssistantFailed(AssistantError):
    """The assistant is away, too slow or broken."""


class EmbedderUnavailable(DeskError):
    """No sentence vectors can be had now."""


class ComposerUnavailable(DeskError):
    """No answer can be composed now."""


class ScannerUnavailable(DeskError):
    """The virus scanner is away."""


class DeliveryError(DeskError):
    """A send did not succeed."""


class Rejected(DeliveryError):
    """The platform said no; trying again would not help."""


class NotWanted(DeliveryError):
    """Certainly not sent, and not to be sent any more; the message says why."""


class FileTooLarge(Rejected):
    """The platform gives no files of this size."""


class ThrottleScope(StrEnum):
    """What a platform's rate limit holds up."""

    THREAD = "thread"
    ACCOUNT = "account"


class Throttled(DeliveryError):
    """Not sent: the platform asks to wait."""

    def __init__(self, retry_after: float, scope: ThrottleScope = ThrottleScope.ACCOUNT) -> None:
        super().__init__(f"the platform asks to wait {retry_after:g} s")
        self.retry_after, self.scope = retry_after, scope


class BadCredentials(DeliveryError):
    """Certainly not sent: the platform does not accept the account's credentials."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy  # what an admin has to do


class Moved(DeliveryError):
    """Certainly not sent: the thread has a new name."""

    def __init__(self, new_thread: ThreadKey) -> None:
        super().__init__("the thread has a new name")
        self.new_thread = new_thread


class Unavailable(DeliveryError):
    """Certainly not sent: the platform could not be reached."""


class NotTakenYet(Unavailable):
    """Certainly not sent: this recipient takes nothing now, which says nothing of others."""


class Uncertain(DeliveryError):
    """May have been sent: the connection broke after the request left."""


class SentInPart(Uncertain):
    """Was sent in part, and the platform takes no more of it: trying again would not help."""


class CannotSay(Uncertain):
    """May have been sent, or was in part: how much of it cannot be found out now."""

    def __init__(self, cause: DeliveryError) -> None:
        super().__init__(str(cause))
        self.cause = cause  # why not, and so when it may be tried
