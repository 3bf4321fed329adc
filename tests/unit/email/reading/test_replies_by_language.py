"""What a reply says, in fifteen languages and as several mail programs lay it out."""

from __future__ import annotations

import html

import pytest

from channels.email.reading.read import read_visible
from channels.email.reading.replies import split_reply
from tests.unit.email.reading.languages import LANGUAGES, WHO, Language

by_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
each_wording = pytest.mark.parametrize(
    ("language", "wrote"),
    [(language, wrote) for language in LANGUAGES for wrote in language.wrote],
    ids=[f"{language.code}-{at}" for language in LANGUAGES for at in range(len(language.wrote))],
)


def head(language: Language) -> str:
    values = (WHO, "2025-03-04 09:12", "ana@home.example", language.question)
    return "\n".join(f"{name}: {value}" for name, value in zip(language.head, values, strict=True))


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


@each_wording
def test_a_quotation_and_its_introduction_are_cut(language: Language, wrote: str) -> None:
    mail = f"{language.reply}\n\n{wrote}\n\n{quoted(language.question)}\n"
    assert split_reply(mail).visible == language.reply


@each_wording
def test_what_a_program_repeats_without_marks_is_cut(language: Language, wrote: str) -> None:
    mail = f"{language.reply}\n\n{wrote}\n\n{language.question}\n"
    assert split_reply(mail).visible == language.reply


@each_wording
def test_an_answer_below_the_quotation_remains(language: Language, wrote: str) -> None:
    mail = f"{wrote}\n{quoted(language.question)}\n\n{language.reply}\n"
    assert split_reply(mail).visible == language.reply


@by_language
def test_an_outlook_head_ends_the_reply(language: Language) -> None:
    mail = f"{language.reply}\n\n{head(language)}\n\n{language.question}\n"
    assert split_reply(mail).visible == language.reply


@by_language
def test_an_underlined_outlook_head_ends_the_reply(language: Language) -> None:
    mail = f"{language.reply}\n\n{'_' * 32}\n{head(language)}\n\n{language.question}\n"
    assert split_reply(mail).visible == language.reply


@by_language
def test_a_line_about_the_original_ends_the_reply(language: Language) -> None:
    mail = f"{language.reply}\n\n{language.original}\n{head(language)}\n\n{language.question}"
    assert split_reply(mail).visible == language.reply


@by_language
def test_what_it_was_sent_with_is_cut(language: Language) -> None:
    reply = split_reply(f"{language.reply}\n\n{language.device}\n")
    assert (reply.visible, reply.signature) == (language.reply, language.device)


@by_language
def test_the_device_above_a_quotation_is_cut(language: Language) -> None:
    mail = f"{language.reply}\n\n{language.device}\n\n{language.wrote[0]}\n{quoted('a')}"
    assert split_reply(mail).visible == language.reply


@by_language
def test_words_above_a_forward_are_the_reply(language: Language) -> None:
    mail = f"{language.reply}\n\n{language.forwarded}\n{head(language)}\n\n{language.question}"
    reply = split_reply(mail)
    assert reply.visible == language.reply
    assert reply.forwarded is not None


@by_language
def test_of_a_mere_forward_the_forwarded_text_is_visible(language: Language) -> None:
    mail = f"{language.forwarded}\n{head(language)}\n\n{language.question}\n"
    assert split_reply(mail).visible == language.question


@by_language
def test_gmails_wrapper_is_cut(language: Language) -> None:
    words = html.escape(language.reply).replace("\n", "<br>")
    wrote = html.escape(language.wrote[0])
    page = (
        f'<div dir="ltr">{words}</div><br><div class="gmail_quote"><div dir="ltr" '
        f'class="gmail_attr">{wrote}<br></div><blockquote class="gmail_quote" '
        f'style="margin:0 0 0 .8ex">{html.escape(language.question)}</blockquote></div>'
    )
    assert read_visible(page, is_html=True) == language.reply


@by_language
def test_outlooks_ruled_head_is_cut(language: Language) -> None:
    words = "".join(f'<p class="MsoNormal">{line}</p>' for line in language.reply.split("\n"))
    names = "<br>".join(f"<b>{line}</b>" for line in html.escape(head(language)).split("\n"))
    page = (
        f'<div class="WordSection1">{words}<p class="MsoNormal">&nbsp;</p><div><div style="border:'
        f'none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">'
        f"{names}</p></div></div><p>{html.escape(language.question)}</p></div>"
    )
    assert read_visible(page, is_html=True) == language.reply


@by_language
def test_apples_blockquote_is_cut_with_its_introduction(language: Language) -> None:
    words = "".join(f"<div>{html.escape(line)}</div>" for line in language.reply.split("\n"))
    page = (
        f"<body>{words}<div><br><blockquote type='cite'><div>{html.escape(language.wrote[1])}"
        f"</div><br><div>{html.escape(language.question)}</div></blockquote></div></body>"
    )
    assert read_visible(page, is_html=True) == language.reply
