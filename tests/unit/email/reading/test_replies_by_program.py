"""What a reply says, as particular programs and people lay it out; and what must not be cut."""

from __future__ import annotations

import pytest

from channels.email.reading.read import read_visible
from channels.email.reading.replies import split_reply

CUT = {
    "a name and a time without an address": "Fine by me.\n\nOn 11-Apr-2024, at 6:54 PM, Rosa Lin wrote:\n\n>\n> Is Monday good?\n",
    "a wish below the quotation stays, the quotation goes": (
        "Fine by me.\n\nOn 04/19/2024 07:10 AM, Rosa Lin wrote:\n\n>\n> Is Monday good?\n"
    ),
    "no empty line above the introduction": "Fine by me.\nOn 04/19/2024 07:10 AM, Rosa Lin wrote:\n\n> Is Monday good?",
    "an introduction over three lines": "Fine by me.\n\nOn Tue, Apr 23, 2024 at 10:22 AM, Rosa Lin via the Shop's Desk\n<desk@shop.example\n> wrote:\n\n> Is Monday good?",
    "an introduction between dashes": "Fine by me.\n\n---- On Tue, 23 Apr 2024 10:22:36 +0530 Rosa Lin <rosa@shop.example> wrote ----\n\n> Is Monday good?",
    "Android's introduction": "Fine by me.\n\n---- Rosa Lin wrote ----\n\nIs Monday good?",
    "Samsung's line and introduction in one": "Fine by me.\n\nSent from Samsung MobileRosa Lin <rosa@shop.example> wrote:\n\n> Is Monday good?",
    "bold Outlook head": "Fine by me.\n\n*From:* Rosa Lin [mailto:\nrosa@shop.example]\n*Sent:* Wednesday, June 26, 2024 3:05 PM\n*To:* Ana\n*Subject:* Monday\n\nIs Monday good?",
    "a head that begins with a date": "Fine by me.\n\nDate: Wed, 15 May 2024 00:15:02 -0600\nTo: ana@home.example\n\nIs Monday good?",
    "a head in capitals after a rule": "Fine by me.\n\n-----Original Message-----\n\nFROM: rosa@shop.example\nSUBJECT: Monday\n\nIs Monday good?",
    "Notes": "Fine by me.\n\n\nFrom:\tRosa Lin/Shop\nTo:\tAna/Home\nDate:\t23.04.2024 10:22\nSubject:\tMonday\n\n\nIs Monday good?",
    "Windows Mail for Windows 10": "Fine by me.\n\nSent from Mail for Windows 10\n\nFrom: Rosa Lin\nSent: Tuesday, 23 April 2024 10:22\nTo: Ana\nSubject: Monday\n\nIs Monday good?",
    "Outlook for telephones": "Fine by me.\n\nGet Outlook for iOS<https://aka.ms/xyz>\n________________________________\nFrom: Rosa Lin <rosa@shop.example>\nSent: Tuesday, April 23, 2024 10:22:11 AM\nTo: Ana <ana@home.example>\nSubject: Monday\n\nIs Monday good?",
    "a desk's line": "Fine by me.\n\n##- Please type your reply above this line -##\n\nIs Monday good?",
    "Proton": "Fine by me.\n\nSent with Proton Mail secure email.\n\nOn Tuesday, April 23rd, 2024 at 10:22 AM, Rosa Lin <rosa@shop.example> wrote:\n\n> Is Monday good?",
    "Yahoo": "Fine by me.\n\n    On Tuesday, April 23, 2024 at 10:22:11 AM GMT+2, Rosa Lin <rosa@shop.example> wrote:  \n \n Is Monday good?",
    "AOL": "Fine by me.\n\n\n-----Original Message-----\nFrom: Rosa Lin <rosa@shop.example>\nTo: ana <ana@home.example>\nSent: Tue, Apr 23, 2024 10:22 am\nSubject: Monday\n\n\nIs Monday good?",
    "old Gmail without the word": "Fine by me.\n\n2013/7/20 Rosa Lin <rosa@shop.example>\n\n> Is Monday good?",
    "a signature behind dashes": "Fine by me.\n\n-- \nAna Prado\nHead of nothing\n+34 600 000 000",
    "a signature behind bare dashes": "Fine by me.\n\n--\nAna Prado",
    "a mailing list's footer": "Fine by me.\n\n_______________________________________________\nparcels mailing list\nparcels@lists.example\nhttps://lists.example/parcels",
    "small print": "Fine by me.\n\nThis e-mail and any attachments are confidential and intended solely for the addressee. If you have received it in error, notify the sender and delete it. Any unauthorised use or disclosure is prohibited.",
    "small print in Spanish": "Fine by me.\n\nEste mensaje es confidencial y está dirigido exclusivamente a su destinatario. Si lo ha recibido por error, notifíquelo al remitente. Queda prohibida su divulgación.",
    "small print in German": "Fine by me.\n\nDiese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Empfänger sind oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte den Absender und vernichten Sie sie. Unbefugtes Kopieren ist nicht gestattet.",
    "a quotation without introduction": "Fine by me.\n\n> Is Monday good?\n> Or Tuesday?",
    "quotations within quotations": "Fine by me.\n\nOn Tue, Apr 23, 2024 at 10:22, Rosa <rosa@shop.example> wrote:\n> Is Monday good?\n> On Mon, Apr 22, 2024 at 9:00, Ana <ana@home.example> wrote:\n>> When?\n>>\n>> Ana",
    "an introduction in the quotation": "Fine by me.\n\n> On Apr 23, 2024, at 10:22, Rosa Lin <rosa@shop.example> wrote:\n>\n> Is Monday good?",
    "device, then signature": "Fine by me.\n\nSent from my phone\n\n--\nAna",
    "Vietnamese": "Fine by me.\n\nVào Th 3, 23 thg 4, 2024 vào lúc 10:22 Rosa Lin <rosa@shop.example> đã viết:\n\n> Is Monday good?",
    "Turkish": "Fine by me.\n\nRosa Lin <rosa@shop.example>, 23 Nis 2024 Sal, 10:22 tarihinde şunu yazdı:\n\n> Is Monday good?",
    "Czech": "Fine by me.\n\nút 23. 4. 2024 v 10:22 odesílatel Rosa Lin <rosa@shop.example> napsal:\n\n> Is Monday good?",
    "Korean": "Fine by me.\n\n2024년 4월 23일 (화) 오전 10:22, Rosa Lin <rosa@shop.example>님이 작성:\n\n> Is Monday good?",
    "Hungarian": "Fine by me.\n\nRosa Lin <rosa@shop.example> ezt írta (időpont: 2024. ápr. 23., K, 10:22):\n\n> Is Monday good?",
    "Catalan": "Fine by me.\n\nMissatge de Rosa Lin <rosa@shop.example> del dia dt., 23 d'abr. 2024 a les 10:22:\n\n> Is Monday good?",
    "Ukrainian": "Fine by me.\n\nвт, 23 квіт. 2024 р. о 10:22 Rosa Lin <rosa@shop.example> пише:\n\n> Is Monday good?",
    "Greek": "Fine by me.\n\nΣτις Τρί 23 Απρ 2024 στις 10:22 π.μ., ο χρήστης Rosa Lin <rosa@shop.example> έγραψε:\n\n> Is Monday good?",
    "Hebrew": "Fine by me.\n\n‫בתאריך יום ג׳, 23 באפר׳ 2024 ב-10:22 מאת ‪Rosa Lin‬‏ <‪rosa@shop.example‬‏>:‬\n\n> Is Monday good?",
    "Indonesian": "Fine by me.\n\nPada tanggal Sel, 23 Apr 2024 10.22, Rosa Lin <rosa@shop.example> menulis:\n\n> Is Monday good?",
    "Romanian": "Fine by me.\n\nÎn mar., 23 apr. 2024 la 10:22, Rosa Lin <rosa@shop.example> a scris:\n\n> Is Monday good?",
}

KEPT = {
    "a journey that looks like a head": "From: Madrid\nTo: Lisbon\nDate: 3 May\n\nPlease book it.",
    "a list of dashes": "I need:\n\n- a bill\n- a stamp\n\nThanks",
    "a heading underlined": "Order\n=====\n\nTwo lamps.\n\nAddress\n-------\n\nHigh Street 1",
    "code in fences": "It says:\n\n```\n> made\n-----\n--\nOn 2024-01-01 at 10:00, x <a@b.example> wrote:\n```\n\nWhy?",
    "a sentence with wrote": "On Monday your colleague wrote that it would be free.\nIs it?",
    "a sentence that ends in a colon": "Yesterday I asked and they wrote:\nno refunds. Is that right?",
    "a quotation at the top": "> How many?\n\nThree, please.",
    "only a quotation": "> How many?",
    "best regards": "Please call me.\n\nBest regards\nAna Prado",
    "a table": "| item | price |\n| --- | --- |\n| lamp | 3 |\n\nIs that right?",
    "a complaint about confidential mail": "Your newsletter says confidential at the bottom. Why?",
    "a name after a long dash": "That is all.\n\n—Ana",
    "a time in the text": "The shop opens at 10:00 and I was there at 9:45.\nNobody came: why?",
    "sent from in a sentence": "The parcel was sent from Berlin on Monday and is not here yet, what now?",
    "a rule between long parts": "Part one.\n\n---\n\n"
    + "\n".join(f"Line {n} of part two." for n in range(20)),
    "a question about an original message": "I cannot find the original message you sent.",
    "data to paste": "Date: 3 May 2024\nTime: 10:00\nRoom: 4\n\nIs it free?",
}

BETWEEN = {
    "answers between short quotations": (
        "Hi,\n\nOn Tue, Apr 23, 2024 at 10:22, Rosa <rosa@shop.example> wrote:\n\n> Which colour?\n\nRed.\n\n> Which size?\n\nLarge.\n",
        "Hi,\n> Which colour?\n\nRed.\n\n> Which size?\n\nLarge.",
    ),
    "an answer below a long quotation": (
        "Hi,\n\nOn Tue, Apr 23, 2024 at 10:22, Rosa <rosa@shop.example> wrote:\n"
        + "> line\n" * 20
        + "\nThe answer is yes.\n",
        "Hi,\n\nThe answer is yes.",
    ),
    "a goodbye below the quotation": (
        "Yes.\n\nOn Tue, Apr 23, 2024 at 10:22, Rosa <rosa@shop.example> wrote:\n\n>\n> Sure?\n\nRegards, Ana\n",
        "Yes.\n\nRegards, Ana",
    ),
}


@pytest.mark.parametrize("mail", CUT.values(), ids=CUT.keys())
def test_only_the_authors_words_remain(mail: str) -> None:
    assert split_reply(mail).visible == "Fine by me."


@pytest.mark.parametrize("mail", KEPT.values(), ids=KEPT.keys())
def test_what_people_write_is_not_taken_for_more(mail: str) -> None:
    assert split_reply(mail).visible == mail


@pytest.mark.parametrize(("mail", "visible"), BETWEEN.values(), ids=BETWEEN.keys())
def test_answers_between_quotations_keep_what_they_answer(mail: str, visible: str) -> None:
    assert split_reply(mail).visible == visible


HTML = {
    "Thunderbird": '<p>Fine by me.</p><div class="moz-cite-prefix">Am 23.04.24 um 10:22 schrieb Rosa:<br></div><blockquote type="cite" cite="mid:x@y"><p>Is Monday good?</p></blockquote>',
    "Outlook on the web": '<div>Fine by me.</div><div id="appendonsend"></div><hr style="width:98%" tabindex="-1"><div id="divRplyFwdMsg"><b>From:</b> Rosa<br><b>Sent:</b> Tuesday</div><div>Is Monday good?</div>',
    "new Outlook": '<div>Fine by me.</div><div id="mail-editor-reference-message-container"><b>From:</b> Rosa<br>Is Monday good?</div>',
    "Yahoo": '<div>Fine by me.</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>On Tuesday, Rosa wrote:</div><div>Is Monday good?</div></div>',
    "Proton": '<div>Fine by me.</div><div class="protonmail_signature_block">Sent with Proton Mail</div><div class="protonmail_quote">On Tue, Rosa wrote:<blockquote class="protonmail_quote" type="cite">Is Monday good?</blockquote></div>',
    "Zimbra": '<div>Fine by me.</div><hr id="zwchr"><div><b>From: </b>Rosa</div><div>Is Monday good?</div>',
    "GMX": '<div>Fine by me.</div><div name="quote" style="margin:10px"><div><b>Von:</b> Rosa</div>Is Monday good?</div>',
    "Zoho": '<div>Fine by me.</div><div class="zmail_extra">---- On Tue, Rosa wrote ---- <blockquote>Is Monday good?</blockquote></div>',
    "Apple on a telephone": '<div dir="ltr">Fine by me.</div><div dir="ltr"><br><blockquote type="cite">On Apr 23, 2024, at 10:22, Rosa &lt;r@shop.example&gt; wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">Is Monday good?</div></blockquote>',
    "Yandex": '<div>Fine by me.</div><div> </div><div>23.04.2024, 10:22, "Rosa" &lt;rosa@shop.example&gt;:</div><blockquote><p>Is Monday good?</p></blockquote>',
    "Gmail's signature": '<div dir="ltr">Fine by me.<br clear="all"><div><br></div>-- <br><div dir="ltr" class="gmail_signature">Ana</div></div><br><div class="gmail_quote"><div class="gmail_attr">On Tue, Rosa wrote:</div><blockquote class="gmail_quote">Is Monday good?</blockquote></div>',
    "Outlook's copy of Gmail's mark": '<div>Fine by me.</div><div class="x_gmail_quote">Is Monday good?</div>',
}


@pytest.mark.parametrize("page", HTML.values(), ids=HTML.keys())
def test_programs_marks_are_believed(page: str) -> None:
    assert read_visible(page, is_html=True) == "Fine by me."


def test_an_answer_between_gmails_quotations_remains() -> None:
    page = (
        '<div class="gmail_quote"><div class="gmail_attr">On Tue, 23 Apr 2024 at 10:22, Rosa '
        '&lt;rosa@shop.example&gt; wrote:<br></div><blockquote class="gmail_quote">Which colour?'
        '</blockquote><div>Red.</div><blockquote class="gmail_quote">Which size?</blockquote>'
        "<div>Large.</div></div>"
    )
    visible = read_visible(page, is_html=True)
    assert "Red." in visible
    assert "Large." in visible


def test_nothing_of_a_mail_is_lost_between_its_parts() -> None:
    mail = "Yes.\n\n--\nAna\n\nOn Tue, Apr 23, 2024 at 10:22, Rosa <r@shop.example> wrote:\n> Sure?"
    reply = split_reply(mail)
    together = f"{reply.visible}{reply.quoted}{reply.signature}"
    assert sorted("".join(together.split())) == sorted("".join(mail.split()))


@pytest.mark.parametrize(
    "line",
    [
        "-" * 80 + " original message " + "-" * 80 + "x",
        " " * 390 + "x",
        "- " * 195,
        "--",
        "> x",
        "From: a@b",
    ],
)
def test_hostile_lines_take_no_time(line: str) -> None:
    assert split_reply(f"{line}\n" * 3_000) is not None
