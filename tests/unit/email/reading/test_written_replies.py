"""Replies of some eighty mail programs and many languages: what the author wrote this time."""

from __future__ import annotations

import pytest

from channels.email.reading.read import read_visible
from tests.support.replies import WrittenReply, written_replies

REPLIES = list(written_replies())


@pytest.mark.parametrize("reply", REPLIES, ids=[reply.name for reply in REPLIES])
def test_what_the_author_wrote_is_found(reply: WrittenReply) -> None:
    visible = read_visible(reply.content, is_html=reply.is_html)
    assert visible.split() == reply.visible.split()


def test_names_of_replies_are_distinct() -> None:
    assert len({reply.name for reply in REPLIES}) == len(REPLIES)
