"""What agents are told of errors."""

from __future__ import annotations

from console.words.automation import FIELD as CONDITION_FIELD
from console.words.catalogue import CATALOGUE_ERRORS, STAGE
from console.words.links import LINK_ERRORS
from console.words.splitting import SPLIT_ERRORS
from console.words.states import STATUS, Translate, label
from core.domain.automation.conditions import WrongCondition
from core.domain.catalogue import AnswersMissing, DecidedAlready
from core.domain.classification import FieldsMissing, WrongComparison, WrongField
from core.domain.errors import (
    DeskError,
    IllegalTransition,
    NotFound,
    ScannerUnavailable,
    StorageUnavailable,
    TakenAlready,
    TooManyAttempts,
    WrongAddress,
    WrongName,
)

ERRORS = (
    "the text is empty",
    "the text may have 20,000 characters at most",
    "there is no such status",
    "a ticket cannot be set to new",
    "please sign in",
    "the e-mail address or the password is wrong",
    "much is going on just now: try again in a few seconds",
    "this link has been used or is too old",
    "the two passwords are not the same",
    "this is not your present password",
    "a password has 10 characters at least",
    "a password has 512 characters at most",
    "there is an agent with this e-mail address already",
    "this is not an e-mail address",
    "a name has 100 characters at most",
    "an agent's role is agent, lead, admin or auditor",
    "only leads and admins may do this",
    "only leads, admins and auditors may see this",
    "only admins and auditors may do this",
    "there is nothing here that you may set",
    "auditors change nothing",
    "you cannot disable your own account",
    "there is an article with this id already",
    "an article needs a title",
    "an article's validity ends before it begins",
    "an article is not a translation of itself",
    "an article's language is a code such as en or es",
    "a date is written as 2030-12-31",
    "only admins may do this",
    "this page is too old: load it again",
    "this request comes from another site",
    "this form takes no files",
    "only what agents said can be changed",
    "another agent said this",
    "somebody writes a reply or a note",
    "this reply has been sent already",
    "the ticket was closed before the reply left",
    "a reply can be taken back for 0 to 30 seconds",
    "this message was taken back already",
    "this message was taken back: it is not sent again",
    "this message reached nobody: write a new one",
    "say first whether this message arrived",
    "this channel cannot change what was sent",
    "this channel cannot take back what was sent",
    "the file is too large",
    "a picture may have 512 KB at most",
    "a picture may have 20 million pixels at most",
    "a picture is a PNG, JPEG, GIF or WebP file",
    "the file is empty",
    "the file is not what its name says",
    "programs and scripts cannot be sent",
    "the archive unpacks to far too much",
    "the archive is damaged",
    "the picture holds scripts or loads from elsewhere",
    "the picture has too many pixels",
    "the file holds a virus",
    "a file is not there any more: attach it again",
    "this channel takes no files",
    "a message has 20 files at most",
    "these are more files than the channel takes in one message",
    "a file is larger than the channel takes",
    "a letter goes to 50 addresses at most",
    "a letter needs somebody to go to",
    "a subject has 250 characters at most",
    "this channel has no letters",
    "there is no such conversation",
    "there is no such message",
    "the payload of this message was not kept",
    "this is the requester: answer them instead",
    "this call is being made just now",
    "this was changed meanwhile: load it again",
    "something went wrong on our side",
)
"""What errors say for themselves that an agent may come to see."""

_FOUND_MISSING = frozenset({*ERRORS, *CATALOGUE_ERRORS, *LINK_ERRORS, *SPLIT_ERRORS})
"""What is said as it is of something that is not there."""


def error_in_words(error: DeskError, t: Translate) -> str:
    """Return what to tell an agent about an error."""
    match error:
        case IllegalTransition(record="ticket"):
            status = label(STATUS, error.state, t)
            return t("This does not fit a ticket with the status: {status}", status=status)
        case IllegalTransition(record="model"):
            return t("This version is in another state by now. Look again.")
        case IllegalTransition():
            return t("The conversation is in another state by now. Look again.")
        case WrongCondition():
            return t(error.sentence, field=label(CONDITION_FIELD, error.field, t))
        case WrongName():
            said = t(error.sentence, name=error.name)
            return said[:1].upper() + said[1:]
        case WrongComparison():
            return t("“{field}” cannot be compared like this", field=error.spec.label)
        case WrongField():
            return t("This is no value for “{field}”.", field=error.spec.label)
        case FieldsMissing():
            names = ", ".join(spec.label for spec in error.specs)
            return t("Fill in before solving: {names}", names=names)
        case AnswersMissing():
            names = ", ".join(spec.label for spec in error.specs)
            return t("The request needs: {names}", names=names)
        case DecidedAlready():
            stage = label(STAGE, error.stage, t)
            return t("This is decided already ({who}): {stage}", who=error.who or "-", stage=stage)
        case StorageUnavailable():
            return t("The desk cannot reach its database. Try again shortly.")
        case ScannerUnavailable():
            return t("Files cannot be checked for viruses right now. Try again shortly.")
        case TakenAlready():
            return t("{name} has this ticket already.", name=error.name)
        case NotFound() if str(error) in _FOUND_MISSING:
            said = t(str(error))
            return said[:1].upper() + said[1:]
        case NotFound():
            return t("There is nothing here (any more).")
        case WrongAddress():
            return t("No letter can go to “{word}”: it is not an address.", word=error.word)
        case TooManyAttempts():
            seconds = max(1, round(error.retry_after))
            return t("Too many attempts. Try again in {seconds} s.", seconds=seconds)
        case _:
            said = t(str(error))
            return said[:1].upper() + said[1:]
