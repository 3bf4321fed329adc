"""Web addresses that stand in Markdown as bare words, for channels that render it as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

_WEB_ADDRESS = re.compile(r"""(https?://[^\s<>"']*[^\s<>"'.,;:!?)\]}*_])""")


def with_links(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens of one paragraph, with bare web addresses made into links."""
    inside_link = 0
    for token in tokens:
        inside_link += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "text" or inside_link:
            yield token
            continue
        for position, part in enumerate(_WEB_ADDRESS.split(token.content)):
            if position % 2:
                yield Token("link_open", "a", 1, attrs={"href": part})
            yield Token("text", "", 0, content=part)
            if position % 2:
                yield Token("link_close", "a", -1)
