"""Knows what a question stands on: itself, the question before it, or the trouble just named.

"And on the Mac?" says too little to be searched for. Such a message is searched for twice, by
itself and together with what was asked before; the better finding counts. So a follow-up keeps
its subject, and a new subject does not drag the old one along.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from actions.knowledge import Found, Knowledge
from actions.turn import Topic, Turn
from actions.wording import refers_back, telling_words, words_of

_FEW = 2  # telling words of what cannot stand alone: "and on the Mac?"
_SOME = 4  # telling words of what may still be a follow-up, if it is understood as one
_MAX_WORDS = 10
_REPLY = 6  # telling words of an answer to "what does not work?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found, and what it was found for."""

    found: Found
    topic: Topic  # as the next follow-up needs it
    is_same_article: bool = False  # a follow-up that only the article just shown may answer


def stands_on(turn: Turn) -> Topic | None:
    """Return what the message needs to be understood, or None where it stands alone."""
    telling = len(telling_words(turn.text))
    if turn.pending == "clarify" and turn.question and telling <= _REPLY:
        return Topic(question=turn.question)
    topic = turn.topic
    if topic is None or len(words_of(turn.text)) > _MAX_WORDS:
        return None
    if turn.intent == "follow_up" and telling <= _SOME:
        return topic
    return topic if telling <= _FEW and refers_back(turn.text) else None


async def look_up(turn: Turn, knowledge: Knowledge) -> Finding:
    """Search for the message, in the light of what it stands on.

    Raises:
        KnowledgeUnavailable: see `Knowledge.search`.
    """
    before = stands_on(turn)
    if before is None:
        found = await knowledge.search(
            turn.text, language=turn.language, conversation=turn.conversation
        )
        return Finding(found=found, topic=Topic(question=turn.text))
    together = before.followed_by(turn.text)
    alone, joint = await asyncio.gather(
        knowledge.search(turn.text, language=turn.language, conversation=turn.conversation),
        knowledge.search(together.words, language=turn.language, conversation=turn.conversation),
    )
    return chosen(
        Finding(found=alone, topic=Topic(question=turn.text)),
        Finding(found=joint, topic=together),
        shown=before.article_id,
    )


def chosen(alone: Finding, together: Finding, *, shown: str | None) -> Finding:
    """Return the better of two findings; `shown` is the article the requester has before them."""
    mine, joint = alone.found, together.found
    if mine.outcome == "answer" and (joint.outcome != "answer" or mine.best >= joint.best):
        return alone
    if joint.outcome == "answer":
        if joint.articles[0]["article_id"] != shown:
            return together
        if mine.outcome == "offer":
            return alone
        return Finding(found=joint, topic=together.topic, is_same_article=True)
    if joint.outcome == "offer":
        return together if mine.outcome != "offer" or joint.best >= mine.best else alone
    return alone
