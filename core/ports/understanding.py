"""What reads and writes words: the assistant, vectors, languages, a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.domain.assistant import TurnReply, TurnRequest
from core.domain.grounding import Passage
from core.domain.models import Lessons, ServingModel, Training


class Assistant(Protocol):
    """The chatbot."""

    async def reply(self, request: TurnRequest) -> TurnReply:
        """Return the reply to one turn; the same turn asked again gets the same reply.

        Raises:
            AssistantLoading: it is starting.
            AssistantFailed: it is away, too slow or broken.
        """

    async def is_ready(self) -> bool:
        """Say whether a turn would be answered now."""


class TeachableAssistant(Protocol):
    """A chatbot whose model can be trained and changed while it serves.

    Every method raises `AssistantError` where it is away or broken; each may be called again.
    """

    async def serving(self) -> ServingModel:
        """Return which model serves now, and which intents can be taught."""

    async def train(self, lessons: Lessons) -> Training:
        """Begin a training of these lessons, once, and return how far it is."""

    async def use(self, lessons: str) -> ServingModel | None:
        """Let the model of these lessons serve; None where it has to be trained first.

        Turns under way end with the model they began with; none is lost.
        """


class Embedder(Protocol):
    """Turns text into sentence vectors."""

    model: str  # names the model; vectors of different models do not compare
    dimensions: int

    async def embed_query(self, text: str) -> Sequence[float]:
        """Return the unit vector of a question.

        Raises:
            EmbedderUnavailable: search by words alone.
        """

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return the unit vectors of passages, in order.

        Raises:
            EmbedderUnavailable: try again later.
        """


class SecondEncoder(Embedder, Protocol):
    """An embedder that knows some languages, and is asked about those besides another one."""

    languages: frozenset[str]

    @property
    def is_missing(self) -> bool:
        """Say whether it is known that there is no such model: then one does without."""


class Composer(Protocol):
    """Puts what passages say into words that fit a question; a language model."""

    async def compose(
        self, question: str, *, language: str, passages: Sequence[Passage]
    ) -> str | None:
        """Return an answer that names its passages by number, [1] the first; None: they have none.

        Raises:
            ComposerUnavailable: show the best passage as it is.
        """


class LanguageDetector(Protocol):
    """Tells the language of a short text."""

    def detect(self, text: str) -> str | None:
        """Return a two-letter code, or None where the text does not say."""

    def detect_foreign(self, text: str) -> str | None:
        """Return the code of a language that the assistant does not speak, where it is certain.

        Names, codes and a quoted word or two do not make a text foreign.
        """
