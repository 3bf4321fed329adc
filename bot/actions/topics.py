"""Knows where a message that asks for two things has its joints.

Only joints are found here; whether the parts are matters of their own is judged by what each is
understood as (`bot/inputs/processor.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.wording import is_question, telling_words

MOST = 3  # matters of one message
_MAX_CHARS = 600  # longer messages tell one story
_TELLING = 2  # words that a matter of its own needs

_BY_THE_WAY = (
    r"(?:also|besides|additionally|in addition|on top of that|apart from that|another thing"
    r"|one more thing|one other thing|something else|by the way|btw|secondly|separately"
    r"|adem[aá]s|tambi[eé]n|aparte(?: de eso)?|otra cosa|una cosa m[aá]s|por otro lado"
    r"|por otra parte|de paso|por cierto|en segundo lugar)\b[,:]?"
)
_ASKS_FOR = (
    r"(?:i|we|yo) (?:also |tambi[eé]n )?(?:need|want|would like|have|can(?:'t|not)?)\b"
    r"|(?:i'?d like|can (?:i|you|we)|could (?:i|you)|how (?:do|can|to)|what|where|when|who|is there"
    r"|please|my|our)\b"
    r"|(?:necesito|necesitamos|quiero|queremos|quisiera|me gustar[ií]a|quer[ií]a|no puedo|puedes"
    r"|puede|podr[ií]as?|tengo|mi|c[oó]mo|qu[eé]|d[oó]nde|cu[aá]ndo)\b"
)
_SUBJECT_ALSO = r"(?:i|we|my \w+|our \w+|it|yo|nosotros|mi \w+)? ?(?:also|tambi[eé]n)\b"
_JOINT = re.compile(r"(?P<end>[.!?;\n]+)\s*|\s*,?\s+(?:and|plus|y|e)\s+|,\s+", re.IGNORECASE)
_MARKED = re.compile(
    rf"(?:and |y |e )?(?:{_BY_THE_WAY}|{_SUBJECT_ALSO} (?:need|want|have|would|can|necesit\w*"
    r"|quier\w*|quisi\w*|teng\w*|me\b|no\b))",
    re.IGNORECASE,
)
_LEAD = re.compile(rf"^¿?(?:(?:and|y|e|plus)\s+)?(?:{_BY_THE_WAY}\s*)?", re.IGNORECASE)
_ALSO = re.compile(r"^(i|we|yo|nosotros) (?:also|tambi[eé]n) ", re.IGNORECASE)
_BEGINS = re.compile(_ASKS_FOR, re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """A message in two parts. `is_marked` where its words say that the second is another matter."""

    first: str
    second: str
    is_marked: bool


def joints(text: str) -> list[Joint]:
    """Return the places where `text` may turn to another matter, those marked by words first."""
    if len(text) > _MAX_CHARS:
        return []
    found: list[Joint] = []
    for match in _JOINT.finditer(text):
        # A question keeps its mark.
        first = text[: match.start()].strip() + (match.group("end") or "").strip(".;\n ")
        second = text[match.end() :].strip()
        is_marked = _MARKED.match(second) is not None
        ends_sentence = match.group("end") is not None
        if not is_marked and not (
            is_question(second) if ends_sentence else _BEGINS.match(second) is not None
        ):
            continue
        if not is_marked and ends_sentence and is_matter(first) and not is_question(first):
            continue
        if len(telling_words(second)) >= _TELLING and first.strip():
            second = _ALSO.sub(r"\1 ", _LEAD.sub("", second, count=1), count=1)
            # "No, something else" says that there is more, and not what.
            if second.strip():
                found.append(Joint(first=first, second=second, is_marked=is_marked))
    return sorted(found, key=lambda joint: not joint.is_marked)


def is_matter(text: str) -> bool:
    """Say whether `text` tells enough to be a matter of its own."""
    return len(telling_words(text)) >= _TELLING
