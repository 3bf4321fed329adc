"""A file is judged by its content: what it is, and whether it may be kept."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.files import Accepted, FileRefusal, Refused, Verdict
from core.services.files.inspection import InspectionRules, inspect
from tests.unit.files.builders import (
    LINUX_PROGRAM,
    MAC_PROGRAM,
    PAGE,
    PDF,
    WINDOWS_PROGRAM,
    archive,
    bomb,
    gif,
    jpeg,
    png,
    svg,
    two_faced_zip,
    webp,
)

RULES = InspectionRules(
    max_bytes=1_000_000,
    refused_endings=frozenset({"exe", "elf", "macho", "sh", "bat", "jar", "lnk"}),
)
ANYTHING_GOES = InspectionRules(max_bytes=1_000_000, refused_endings=frozenset())
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

Inspect = Callable[..., Verdict]


@pytest.fixture
def look(tmp_path: Path) -> Inspect:
    def look(
        content: bytes, name: str, announced: str = "", rules: InspectionRules = RULES
    ) -> Verdict:
        path = tmp_path / "file"
        path.write_bytes(content)
        return inspect(path, name=name, announced=announced, rules=rules)

    return look


def reason(verdict: Verdict) -> FileRefusal:
    assert isinstance(verdict, Refused), verdict
    return verdict.reason


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (png(), "a.png", "image/png"),
        (png(), "a.txt", "image/png"),
        (jpeg(), "photo", "image/jpeg"),
        (gif(), "a.gif", "image/gif"),
        (webp(), "a.webp", "image/webp"),
        (PDF, "a.pdf", "application/pdf"),
        (b"hello", "a.txt", "text/plain"),
        ("año, señor".encode(), "a.txt", "text/plain"),
        ("año, señor".encode("latin-1"), "a.txt", "text/plain"),
        ("año".encode("utf-16"), "a.txt", "text/plain"),
        (b"a,b\n1,2\n", "a.csv", "text/csv"),
        (b'{"a": 1}', "a.json", "application/json"),
        (b"MZ is how this sentence begins", "a.txt", "text/plain"),
        (b"a,b\n1,2\n", "a.txt", "text/plain"),
        (b"just words", "a.log", "text/plain"),
        (jpeg(), "a.png", "image/jpeg"),
        (b"a line before\n" + PDF, "a.pdf", "text/plain"),
        (b"alert(1)", "a.js", "text/plain"),
        (PAGE, "a.html", "text/html"),
        (b"<table><tr><td>1</table>", "report.xls", "text/html"),
        (b"\n<!-- a -->\n" + PAGE, "a.htm", "text/html"),
        (svg(), "a.svg", "image/svg+xml"),
        (archive({"a.txt": b"a"}), "a.zip", "application/zip"),
        (archive({"[Content_Types].xml": b"", "word/document.xml": b""}), "a.docx", WORD),
        (
            archive({"mimetype": b"application/vnd.oasis.opendocument.text", "a": b""}),
            "a.odt",
            "application/vnd.oasis.opendocument.text",
        ),
        (b"\0\1\2\3\4\5\6\7" * 9, "a.dat", "application/octet-stream"),
    ],
)
def test_the_content_tells_the_type(
    look: Inspect, content: bytes, name: str, media_type: str
) -> None:
    assert look(content, name) == Accepted(media_type=media_type)


def test_an_empty_file_is_refused(look: Inspect) -> None:
    assert reason(look(b"", "a.txt")) == FileRefusal.EMPTY


def test_a_file_over_the_limit_is_refused(look: Inspect) -> None:
    assert reason(look(b"a" * 1_000_001, "a.txt")) == FileRefusal.TOO_LARGE


@pytest.mark.parametrize("content", [WINDOWS_PROGRAM, LINUX_PROGRAM, MAC_PROGRAM, PAGE, svg()])
@pytest.mark.parametrize(
    ("name", "announced"),
    [("a.png", "image/png"), ("a.pdf", "application/pdf"), ("scan", "image/jpeg"), ("a.mp4", "")],
)
def test_what_pretends_to_be_a_picture_or_a_document_is_refused(
    look: Inspect, content: bytes, name: str, announced: str
) -> None:
    assert reason(look(content, name, announced, ANYTHING_GOES)) == FileRefusal.DISGUISED


@pytest.mark.parametrize(
    ("content", "name", "announced"),
    [
        (b"just words", "a.png", "image/png"),
        (b"just words", "photo", "image/jpeg"),
        (b"just words", "a.pdf", ""),
        (b'{"a": 1}', "a.mp3", ""),
        (PDF, "a.jpg", "image/jpeg"),
        (png(), "a.pdf", "application/pdf"),
        (archive({"a.txt": b"a"}), "a.gif", ""),
    ],
)
def test_what_is_certainly_something_else_than_its_name_says_is_refused(
    look: Inspect, content: bytes, name: str, announced: str
) -> None:
    assert reason(look(content, name, announced)) == FileRefusal.DISGUISED


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_stream_that_would_burst_is_refused(
    look: Inspect, pack: Callable[[bytes], bytes]
) -> None:
    assert reason(look(pack(b"\0" * 101 * 1024**2), "a.bin")) == FileRefusal.ARCHIVE_BOMB


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_log_is_taken_also_half_of_it(
    look: Inspect, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(b"something happened\n" * 1_000)
    assert isinstance(look(packed, "desk.log.gz"), Accepted)
    assert isinstance(look(packed[: len(packed) // 2], "desk.log.gz"), Accepted)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (WINDOWS_PROGRAM, "setup.exe"),
        (WINDOWS_PROGRAM, "no-ending"),
        (LINUX_PROGRAM, "tool"),
        (MAC_PROGRAM, "tool"),
        (b"#!/bin/sh\nrm -r /\n", "notes"),
        (b"@echo off\r\n", "run.BAT"),
        (b"anything", "invoice.pdf.exe"),
        (b"anything", "invoice.exe. "),
        (archive({"META-INF/MANIFEST.MF": b"", "A.class": b""}), "a.zip"),
    ],
)
def test_programs_are_refused(look: Inspect, content: bytes, name: str) -> None:
    assert reason(look(content, name)) == FileRefusal.EXECUTABLE


def test_programs_are_taken_where_an_admin_allows_them(look: Inspect) -> None:
    verdict = look(WINDOWS_PROGRAM, "setup.exe", rules=ANYTHING_GOES)
    assert verdict == Accepted(media_type="application/x-executable")


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        archive({f"{number}.zip": b"PK" for number in range(20)}),
        archive({str(number): b"" for number in range(10_001)}),
    ],
    ids=["size", "nesting", "entries"],
)
def test_an_archive_that_would_burst_is_refused(look: Inspect, content: bytes) -> None:
    rules = InspectionRules(max_bytes=10_000_000, refused_endings=frozenset())
    assert reason(look(content, "a.zip", rules=rules)) == FileRefusal.ARCHIVE_BOMB


def test_a_huge_directory_is_not_read_whatever_the_last_record_says(look: Inspect) -> None:
    content = two_faced_zip(5 * 1024 * 1024)
    rules = replace(RULES, max_bytes=10_000_000)
    assert reason(look(content, "a.zip", rules=rules)) == FileRefusal.ARCHIVE_BOMB


def test_an_archive_of_documents_is_no_bomb(look: Inspect) -> None:
    many = archive({f"{number}.docx": b"text " * 100 for number in range(300)})
    assert look(many, "letters.zip") == Accepted(media_type="application/zip")


def test_half_an_archive_is_refused(look: Inspect) -> None:
    half = archive({"a.txt": b"some words" * 100})[:60]
    assert reason(look(half, "a.zip")) == FileRefusal.DAMAGED_ARCHIVE


@pytest.mark.parametrize(
    "content",
    [
        svg("<script>alert(1)</script>"),
        svg(attributes="onload='alert(1)'"),
        svg("<foreignObject><p/></foreignObject>"),
        svg("<image href='https://example.org/p.png'/>"),
        svg("<use xlink:href='other.svg#a'/>"),
        svg("<a xlink:href='javascript:alert(1)'><circle r='1'/></a>"),
        svg("<a href='java&#9;script:alert(1)'><circle r='1'/></a>"),
        svg("<a href='&#10; JavaScript&#13;:alert(1)'><circle r='1'/></a>"),
        svg("<a href='data:text/html,x'><circle r='1'/></a>"),
        svg("<a><set attributeName='xlink:href' to='javascript:alert(1)'/></a>"),
        svg("<style>@import 'https://example.org/a.css';</style>"),
        svg("<rect fill='url(https://example.org/p)'/>"),
        svg("<style>rect { fill: u\\72l(//example.org) }</style>"),
        svg("<image href='data:image/svg+xml;base64,AAAA'/>"),
        b"<?xml-stylesheet href='https://example.org/a.css'?>" + svg().partition(b"?>")[2],
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><circle></svg>",
        svg("<script>alert(1)</script>").decode().encode("utf-16"),
    ],
)
def test_a_picture_that_does_more_than_show_is_refused(look: Inspect, content: bytes) -> None:
    assert reason(look(content, "a.svg", "image/svg+xml")) == FileRefusal.ACTIVE_PICTURE


@pytest.mark.parametrize(
    "inside",
    [
        "<a xlink:href='https://example.org/'><circle r='1'/></a>",
        "<a href='mailto:ana@example.org'><circle r='1'/></a>",
        "<a href='other/page?at=12:30'><circle r='1'/></a>",
        "<use xlink:href='#shape'/>",
        "<rect fill='url(#paint)' style='stroke: url( \"#other\" )'/>",
        "<style>circle { fill: red }</style>",
        "<image href='data:image/png;base64,AAAA'/>",
    ],
)
def test_a_plain_svg_is_taken(look: Inspect, inside: str) -> None:
    assert look(svg(inside), "a.svg") == Accepted(media_type="image/svg+xml")


@pytest.mark.parametrize("picture", [png, gif, jpeg, webp])
def test_a_picture_with_absurd_dimensions_is_refused(
    look: Inspect, picture: Callable[[int, int], bytes]
) -> None:
    size = 16_000
    assert reason(look(picture(size, size), "a")) == FileRefusal.HUGE_PICTURE
    assert isinstance(look(picture(4_000, 3_000), "a"), Accepted)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    begin=st.sampled_from([b"", png(), jpeg(), webp()[:20], gif()[:7], bomb(), svg(), PDF, b"#!"]),
    content=st.binary(max_size=200),
    name=st.text(max_size=20),
)
def test_whatever_the_content_there_is_a_verdict(
    look: Inspect, begin: bytes, content: bytes, name: str
) -> None:
    assert isinstance(look(begin + content, name), Accepted | Refused)
