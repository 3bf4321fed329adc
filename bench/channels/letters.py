"""The mails of a measurement: from many people, of the usual forms, the same on every run."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

_SEED = 20260101
_PEOPLE = 100
_FILE_BYTES = 20_000
_TEXT = (
    "my laptop does not start any more since the update of last night and I have a talk at eleven "
    "the printer on the second floor shows an error could you please have a look thank you "
    "I cannot sign in to the portal it says that my account is locked what should I do now"
)


def letters(count: int, to: str) -> list[bytes]:
    """Return `count` different mails to `to`.

    Of ten, four are plain text, four have an HTML form beside it, one answers an earlier one and
    quotes it, and one brings a file of 20 kB.
    """
    chance = random.Random(_SEED)
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=count)
    return [
        _letter(number, count, to, begun + timedelta(seconds=number), chance)
        for number in range(count)
    ]


def _letter(number: int, count: int, to: str, at: datetime, chance: random.Random) -> bytes:
    person = number % _PEOPLE
    words = " ".join(chance.choices(_TEXT.split(), k=chance.randint(30, 120)))
    text = f"Hello,\n\n{words}.\n\nKind regards\nPerson {person}\n"
    form = number % 10
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Person {person} <person{person}@people.example>"
    mail["To"] = to
    mail["Subject"] = f"Question {number} of {count}"
    mail["Date"] = at
    mail["Message-ID"] = _id(number)
    if form == 8 and number >= _PEOPLE:
        mail["In-Reply-To"] = mail["References"] = _id(number - _PEOPLE)
        text += f"\nOn {at:%a, %d %b %Y} Support <{to}> wrote:\n> {words}\n"
    mail.set_content(text)
    if form in range(4, 8):
        mail.add_alternative(
            f"<html><body><p>Hello,</p><p>{words}.</p><p>Kind regards<br>Person {person}</p>"
            "</body></html>",
            subtype="html",
        )
    if form == 9:
        mail.add_attachment(
            chance.randbytes(_FILE_BYTES),
            maintype="application",
            subtype="pdf",
            filename=f"form-{number}.pdf",
        )
    return mail.as_bytes()


def _id(number: int) -> str:
    return f"<{number}.bench@people.example>"
