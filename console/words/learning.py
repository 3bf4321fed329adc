"""What the assistant's turns are called; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from console.words.states import REASON, Translate
from core.domain import languages
from core.domain.knowledge import Outcome
from core.domain.learning import Deed, Upshot
from core.domain.models import ExampleState, ModelState

DEED: Mapping[str, str] = {
    Deed.ANSWERED: "Answered with an article",
    Deed.OFFERED: "Offered articles",
    Deed.UNANSWERED: "Found no answer",
    Deed.HANDED_OFF: "Handed over",
    Deed.FILED: "Filed a ticket",
    Deed.ADDED: "Added to a ticket",
    Deed.IN_FORM: "Went on with the form",
    Deed.TALKED: "Made conversation",
    Deed.FAILED: "Gave no reply",
    Deed.DROPPED: "A person was faster",
}
"""What the assistant did in a turn."""

UPSHOT: Mapping[str, str] = {
    Upshot.HELPED: "Helped",
    Upshot.NOT_HELPED: "Did not help",
    Upshot.ESCALATED: "A person took over",
    Upshot.IGNORED: "Nobody took the offer",
}
"""What came of it."""

UPSHOT_CHIP: Mapping[str, str] = {
    Upshot.HELPED: "up",
    Upshot.NOT_HELPED: "down",
    Upshot.ESCALATED: "warn",
    Upshot.IGNORED: "warn",
}

VERDICT: Mapping[str, str] = {
    Outcome.ANSWER: "sure enough to answer",
    Outcome.OFFER: "sure enough to offer",
    Outcome.HAND_OFF: "not sure enough",
}
"""What the search thought of what it found."""


def reason_in_words(reason: str | None, t: Translate) -> str:
    """Return why a turn ended as it did; what no table has is said as it was kept."""
    return t(REASON[reason]) if reason is not None and reason in REASON else (reason or "")


EXAMPLE_STATE: Mapping[str, str] = {
    ExampleState.PENDING: "Waiting for review",
    ExampleState.APPROVED: "Approved",
    ExampleState.REJECTED: "Rejected",
}

MODEL_STATE: Mapping[str, str] = {
    ModelState.QUEUED: "Waits for the assistant",
    ModelState.TRAINING: "In training",
    ModelState.PASSED: "Passed",
    ModelState.WORSE: "Did not pass",
    ModelState.BROKEN: "Training failed",
    ModelState.LIVE: "Serves",
    ModelState.RETIRED: "Served before",
}

MODEL_CHIP: Mapping[str, str] = {
    ModelState.QUEUED: "",
    ModelState.TRAINING: "warn",
    ModelState.PASSED: "up",
    ModelState.WORSE: "down",
    ModelState.BROKEN: "down",
    ModelState.LIVE: "up",
    ModelState.RETIRED: "",
}

GATE_REASON: Mapping[str, str] = {
    "alarm_missed": "It misses an alarm that the version before heard.",
    "false_alarm": "It takes something for an alarm that is none.",
    "taught": "It understands fewer of your own examples that were held back.",
}
"""Why a version did not pass."""

LEARNING_ERRORS = (
    "there is an example of these words already",
    "an example has words",
    "an example has at most 500 characters",
    "a desk has at most 10000 examples",
    "the assistant does not speak this language",
    "the assistant has no such intent",
    "the assistant has not said yet which intents it has",
    "a model is being made already",
    "the model that serves has learned all that is approved",
    "this article has as many questions as it may have",
    "this article has this question already",
    "only tickets have a problem in common",
    "this topic has a problem already",
    "wrong answers in 100 are more than 0 and less than 100",
)


def gate_reason_in_words(reason: str, t: Translate) -> str:
    """Return why a version did not pass."""
    kind, _, language = reason.partition(":")
    if kind == "language":
        name = languages.LANGUAGES.get(language, language)
        return t("It understands more than one message in a hundred less in {name}.", name=name)
    return t(GATE_REASON[reason]) if reason in GATE_REASON else reason
