"""How much of a mail is read. Beyond, it is a bomb, or of no use to anybody as text."""

from __future__ import annotations

from core.domain import content

MAX_MAIL_BYTES = 64 * 1024 * 1024
MAX_HEADER_BYTES = 256 * 1024  # of one part; the rest of its header is not read
MAX_HEADERS = 500
MAX_VALUE_BYTES = 64 * 1024  # of one header
MAX_DEPTH = 50
MAX_PARTS = 1_000  # those of enclosed mails and opened envelopes counted
MAX_SCANNED_BYTES = 400 * 1024 * 1024  # what the search for boundaries may look at, all in all
MAX_FILES = content.MAX_FILES - 1  # the text of a long mail comes along as one more
MAX_ENVELOPES = 10  # with a signature, that are opened
MAX_ADDRESSES = 1_000
MAX_REFERENCES = 200
MAX_TEXT_CHARS = 200_000  # what is longer is attached as a file, too
MAX_HTML_CHARS = 300_000
MAX_HTML_ELEMENTS = 8_000
MAX_HTML_DEPTH = 200
MAX_REPLY_LINES = 4_000  # that are looked at for quotations; what follows goes with the last one
