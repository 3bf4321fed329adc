"""What a mail is made of: text, files, pictures, mails in mails; and bombs."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.reading.read import read_mail
from tests.unit.email.reading.builders import multipart, part, raw, read


def names(mail: object) -> list[str]:
    return [one.name for one in mail.attachments]  # type: ignore[attr-defined]


def test_the_plain_form_is_the_text_and_the_other_the_page() -> None:
    kind, body = multipart(
        part("Two lamps, please, and a cable."),
        part("<p>Two <b>lamps</b>, please, and a cable.</p>", "text/html"),
        subtype="alternative",
    )
    mail = read(body, Content_Type=kind)
    assert mail.text == "Two lamps, please, and a cable."
    assert mail.html == "<p>Two <b>lamps</b>, please, and a cable.</p>"
    assert mail.attachments == ()


def test_text_around_a_picture_is_one_text() -> None:
    kind, body = multipart(
        part("Before"),
        part(b"\x89PNG", "image/png", Content_Disposition="inline; filename=a.png"),
        part("After"),
    )
    mail = read(body, Content_Type=kind)
    assert mail.text == "Before\n\nAfter"
    assert names(mail) == ["a.png"]
    assert mail.attachments[0].is_inline


def test_a_picture_that_the_page_shows_is_inline() -> None:
    kind, body = multipart(
        part('<p>Look: <img src="cid:p1@x" alt="lamp"></p>', "text/html"),
        part(b"GIF", "image/gif", Content_ID="<p1@x>"),
        subtype="related",
    )
    mail = read(body, Content_Type=kind)
    assert mail.attachments[0].is_inline
    assert 'src="cid:p1@x"' in (mail.html or "")
    assert mail.text == "Look: [image: lamp]"


def test_every_leaf_that_is_no_text_is_attached_and_named() -> None:
    kind, body = multipart(
        part("Hi"),
        part(b"a", "application/pdf"),
        part("BEGIN:VCALENDAR", "text/calendar"),
        part(b"s", "application/pkcs7-signature"),
        part(b"x", "image/jpeg"),
        part(b"y", "image/jpeg"),
        part("odd", "text/x-odd"),
        part(
            "notes", "text/plain", Content_Disposition='attachment; filename="../../etc/notes.txt"'
        ),
    )
    mail = read(body, Content_Type=kind)
    assert names(mail) == [
        "file.pdf",
        "invite.ics",
        "smime.p7s",
        "image.jpg",
        "image-2.jpg",
        "file.txt",
        "notes.txt",
    ]


def test_pgp_parts_are_named() -> None:
    kind, body = multipart(
        part("Version: 1", "application/pgp-encrypted"),
        part("-----BEGIN PGP MESSAGE-----", "application/octet-stream"),
        subtype="encrypted",
    )
    assert names(read(body, Content_Type=kind)) == ["pgp-version.txt", "encrypted.asc"]


def test_an_enclosed_mail_is_attached_with_its_files() -> None:
    inner_kind, inner = multipart(
        part("inside"), part(b"pdf", "application/pdf; name=bill.pdf"), boundary="inner"
    )
    kind, body = multipart(
        part("see below"),
        b"Content-Type: message/rfc822\r\n\r\n"
        + raw(inner, Subject="Bill", Content_Type=inner_kind),
    )
    mail = read(body, Content_Type=kind)
    assert names(mail) == ["Bill.eml", "bill.pdf"]
    assert mail.text == "see below"


def test_uuencoded_files_leave_the_text() -> None:
    mail = read("See:\n\nbegin 644 a.txt\n#86)C\n`\nend\n\nBye")
    assert mail.text.split() == ["See:", "Bye"]
    assert [(one.name, one.content) for one in mail.attachments] == [("a.txt", b"abc")]


def tnef(*objects: tuple[int, int, bytes]) -> bytes:
    packed = [
        struct.pack("<BHHI", level, name, 6, len(data)) + data + b"\0\0"
        for level, name, data in objects
    ]
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(packed)


def test_winmail_dat_gives_way_to_what_is_in_it() -> None:
    packed = tnef((2, 0x9002, b""), (2, 0x8010, b"bill.pdf\0"), (2, 0x800F, b"%PDF"))
    kind, body = multipart(part("Hi"), part(packed, "application/ms-tnef; name=winmail.dat"))
    mail = read(body, Content_Type=kind)
    assert [(one.name, one.content) for one in mail.attachments] == [("bill.pdf", b"%PDF")]


def test_a_winmail_dat_that_cannot_be_unpacked_stays() -> None:
    kind, body = multipart(
        part("Hi"),
        part(b"\x78\x9f\x3e\x22\0\0" + b"\xff" * 40, "application/ms-tnef; name=winmail.dat"),
    )
    mail = read(body, Content_Type=kind)
    assert names(mail) == ["winmail.dat"]
    assert mail.defects == ("winmail.dat cannot be unpacked",)


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("iso-2022-jp", "iso2022_jp", "こんにちは"),
        ("gb2312", "gb18030", "你好，世界"),
        ("koi8-r", "koi8_r", "Привет"),
        ("windows-1250", "cp1250", "Zażółć gęślą jaźń"),
        ("windows-1252", "cp1252", "“ça”"),
        ("ks_c_5601-1987", "cp949", "안녕하세요"),
        ("big5", "big5", "您好"),
        ("utf-7", "utf-7", "señor"),
        ("us-ascii", "utf-8", "señor"),
        ("iso-8859-1", "utf-8", "señor"),  # a lie
        ("x-nobody-knows", "utf-8", "señor"),
    ],
)
def test_text_is_read_in_its_charset(charset: str, codec: str, text: str) -> None:
    mail = read(
        text.encode(codec),
        Content_Type=f"text/plain; charset={charset}",
        Content_Transfer_Encoding="8bit",
    )
    assert mail.text == text


def test_codecs_that_are_no_charsets_are_not_run() -> None:
    assert read("a\\u0041", Content_Type="text/plain; charset=unicode_escape").text == "a\\u0041"


def test_soft_line_breaks_are_joined() -> None:
    mail = read("One \nline.\n-- \nAna", Content_Type="text/plain; format=flowed")
    assert (mail.text, mail.visible) == ("One line.\n-- \nAna", "One line.")


def test_text_can_be_stored() -> None:
    mail = read(b"a\0b\r\nc\x0bd", Subject="x\0y")
    assert (mail.text, mail.subject) == ("ab\nc\nd", "x y")


@pytest.mark.parametrize(
    "body",
    [
        b"--b1\r\n\r\nHello\r\n",
        b"preamble\r\n--b1\r\n\r\nHello\r\n--b1--\r\nepilogue",
        b"--b1\nContent-Type: text/plain\n\nHello\n--b1--",
        b"--b1\r\nContent-Type: nonsense\r\n\r\nHello\r\n--b1--",
    ],
)
def test_sloppy_multiparts_are_read(body: bytes) -> None:
    assert read(body, Content_Type="multipart/mixed; boundary=b1").text == "Hello"


def test_a_boundary_that_nobody_named_is_guessed() -> None:
    assert read("--zz\n\nHello\n--zz--\n", Content_Type="multipart/mixed").text == "Hello"


MIXED = "multipart/mixed; boundary=b1"
FULL = part(
    raw(multipart(*[part("", "image/png")] * 60, boundary="b2")[1], Content_Type=MIXED[:-1] + "2"),
    "message/rfc822",
)
"""A mail of 60 parts, enclosed in another."""


def bomb(name: str) -> bytes:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(5_000)
    )
    return {
        "nesting": raw("", X="1").rstrip() + b"\r\n" + deep,
        "parts": raw(
            multipart(*[part("x")] * 10_000)[1], Content_Type="multipart/mixed; boundary=b1"
        ),
        "header": b"Subject: " + b"a" * 10_000_000 + b"\r\n" + raw("x"),
        "headers": b"X-A: b\r\n" * 100_000 + raw("x"),
        "enclosed": b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
        "many enclosed": raw(multipart(*[FULL] * 20)[1], Content_Type=MIXED),
        "files": raw("begin 644 a\n#86)C\nend\n" * 1_001),
    }[name]


@pytest.mark.parametrize(
    "name", ["nesting", "parts", "header", "headers", "enclosed", "many enclosed", "files"]
)
def test_bombs_are_read_in_part_and_marked(name: str) -> None:
    content = bomb(name)
    started = time.process_time()
    mail = read_mail(content)
    assert mail.is_over_limits
    assert mail.defects
    assert time.process_time() - started < 5  # seconds; far more than it takes


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("parts", "too many parts"),
        ("enclosed", "mails enclosed in mails too deep"),
        ("many enclosed", "too much in enclosed mails"),
        ("files", "too many files"),
    ],
)
def test_what_a_bomb_has_too_much_of_is_said(name: str, reason: str) -> None:
    assert reason in read_mail(bomb(name)).defects


def test_a_large_attachment_is_read_whole() -> None:
    content = bytes(range(256)) * 20_000
    kind, body = multipart(part("Hi"), part(content, "application/zip; name=a.zip"))
    assert read(body, Content_Type=kind).attachments[0].content == content


def test_a_text_too_long_to_show_is_attached_as_well() -> None:
    mail = read("line\n" * 60_000)
    assert names(mail) == ["text.txt"]
    assert mail.attachments[0].size_bytes == 6 * 60_000


@given(st.binary(max_size=600))
def test_anything_is_a_mail(content: bytes) -> None:
    mail = read_mail(content)
    mail.text.encode()
    mail.subject.encode()


@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: multipart/mixed; boundary=b\r\n",
                b"\r\n",
                b"--b\r\n",
                b"--b--\r\n",
                b"From: a@b.example\r\n",
                b"Content-Type: message/rfc822\r\n",
                b"Content-Transfer-Encoding: base64\r\n",
                b"x\r\n",
                b"<p>\r\n",
                b"Content-Type: text/html\r\n",
            ]
        ),
        max_size=30,
    )
)
def test_any_order_of_pieces_is_a_mail(pieces: list[bytes]) -> None:
    assert read_mail(b"".join(pieces)) is not None
