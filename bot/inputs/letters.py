"""What a letter says besides how it greets and ends: only that is to be understood."""

from __future__ import annotations

import re

_GREETING = re.compile(
    r"\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings"
    r"|to whom it may concern|hola|buenos d[ií]as|buenas(?: tardes| noches)?|muy buenas"
    r"|estimad[oa]s?|querid[oa]s?|saludos)\b[^.?!:\n]{0,40}[,:.!]*\s*",
    re.IGNORECASE,
)
_GOODBYE = re.compile(
    r"\W*(?:(?:(?:many|kind|kindest|best|warm|warmest|with)\s+)*(?:regards|wishes|thanks)"
    r"|thank(?:s| you)|cheers|sincerely|yours|greetings|thx"
    r"|please (?:help|advise|assist)(?: me)?"
    r"|(?:un |muchos )?(?:cordial |afectuoso )?saludos?|atentamente|cordialmente|un abrazo"
    r"|(?:muchas |mil )?gracias)"
    r"(?:[ ,]+(?:and|in advance|again|a lot|so|very|much|truly|faithfully|sincerely|best|kind|warm"
    r"|regards|wishes|from|y|de|por|todo|antemano|adelantado|cordiales|saludos"
    r"|(?-i:[A-ZÁÉÍÓÚÑ])[\w.]*)){0,6}\s*[,.!]*\s*",
    re.IGNORECASE,
)
_MOST_WORDS = 7  # in a line that only greets or ends
_GREETS_WITHIN = 2  # lines from the top: the subject may stand first
_ENDS_WITHIN = 6  # lines from the bottom: names and titles follow


def without_courtesies(text: str) -> str:
    """Return `text` without its greeting, and without what ends it and the names below.

    Where nothing else is said, all of it stays.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    kept = [
        line
        for place, line in enumerate(lines)
        if not (place < _GREETS_WITHIN and _is_only(_GREETING, line))
    ]
    for place in range(max(1, len(kept) - _ENDS_WITHIN), len(kept)):
        if _is_only(_GOODBYE, kept[place]):
            kept = kept[:place]
            break
    return "\n".join(kept) if kept else text


def _is_only(courtesy: re.Pattern[str], line: str) -> bool:
    return len(line.split()) <= _MOST_WORDS and courtesy.fullmatch(line) is not None
