from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.domain.ids import TicketId, new_id
from core.domain.notification import Notice
from core.domain.sla.policy import ClockKind
from core.runtime.letters import Letter, Paragraph
from core.runtime.notices import line
from core.services.notifications.reading import NoticeView

LETTER = Letter(
    language="es",
    subject="Por favor, decida",
    paragraphs=[
        Paragraph(words="Ana & <b>Bo</b>\nModelo: X"),
        Paragraph(words="Aprobar", link="http://desk.test/a?b=1&c=2", is_button=True),
        Paragraph(words="#7: algo", link="http://desk.test/7"),
    ],
    closing="Avisos",
)


def test_as_text_each_link_stands_alone_below_its_words() -> None:
    assert LETTER.text == (
        "Ana & <b>Bo</b>\nModelo: X\n\n"
        "Aprobar:\nhttp://desk.test/a?b=1&c=2\n\n"
        "#7: algo\nhttp://desk.test/7\n\n"
        "-- \nAvisos\n"
    )


def test_as_a_page_what_people_wrote_is_no_markup_and_links_are_of_their_words() -> None:
    page = LETTER.html
    assert '<html lang="es">' in page
    assert "Ana &amp; &lt;b&gt;Bo&lt;/b&gt;<br>\nModelo: X" in page
    assert 'href="http://desk.test/a?b=1&amp;c=2"' in page
    assert '<a href="http://desk.test/7">#7: algo</a>' in page


@pytest.mark.parametrize("clock", ClockKind)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_notice_of_a_promise_says_which_one(language: str, clock: ClockKind) -> None:
    notice = NoticeView(
        id=new_id(),
        notice=Notice.BROKEN,
        ticket=TicketId(new_id()),
        number=7,
        subject="VPN",
        by="timer",
        by_name=None,
        detail=clock,
        at=datetime.now(UTC),
        is_read=False,
    )
    said = {
        ClockKind.FIRST_RESPONSE: ("first response", "primera respuesta"),
        ClockKind.NEXT_RESPONSE: ("next response", "siguiente respuesta"),
        ClockKind.RESOLUTION: ("resolution", "resolución"),
    }[clock][language == "es"]
    assert f"({said}): VPN" in line(language, notice, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "#7 is due on Fri 1 Jan 2027, 00:30 (Europe/Madrid): VPN"),
        ("es", "#7 vence el vie 1 ene 2027, 00:30 (Europe/Madrid): VPN"),
    ],
)
def test_a_notice_of_a_due_date_says_when_by_the_reader_s_clock(language: str, said: str) -> None:
    notice = NoticeView(
        id=new_id(),
        notice=Notice.DUE,
        ticket=TicketId(new_id()),
        number=7,
        subject="VPN",
        by="timer",
        by_name=None,
        detail="2026-12-31T23:30:00+00:00",
        at=datetime.now(UTC),
        is_read=False,
    )
    assert line(language, notice, ZoneInfo("Europe/Madrid")) == said
