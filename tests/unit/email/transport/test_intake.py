from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from channels.email.ids import thread_key
from channels.email.intake import Arrived, Fate, MailIntake
from channels.email.reading.read import read_mail
from channels.simulator.email import Person, write
from core.domain.errors import StorageUnavailable
from core.domain.ids import AccountId
from core.ports import Cursor
from tests.unit.email.transport.builders import DESK, MESSAGE, NOW, THREAD, reader, tokens
from tests.unit.email.transport.memory import MemoryBlobs, MemoryInbox

ANA, BOB = Person(address="ana@people.example"), Person(address="bob@people.example")
CURSOR = Cursor(account=AccountId("support"), name="imap:INBOX", value="1:1:0:0:0")


def raw(
    text: str,
    message_id: str = "<1@people.example>",
    *,
    who: Person = ANA,
    answers: Sequence[str] = (),
    copies: Sequence[str] = (),
    files: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    return write(
        who,
        DESK,
        text,
        message_id=message_id,
        at=NOW - timedelta(minutes=1),
        answers=answers,
        copies=copies,
        files=files,
    ).raw


class Door:
    """An intake and what is behind it."""

    def __init__(self) -> None:
        self.inbox = MemoryInbox()
        self.blobs = MemoryBlobs()
        self.intake = MailIntake(reader(), read_mail, self.inbox, self.blobs)

    async def take(self, *mails: bytes) -> list[Fate]:
        arrived = [Arrived(raw=mail, received_at=NOW) for mail in mails]
        return await self.intake.take(arrived, cursor=CURSOR)


async def test_mails_and_the_cursor_are_stored() -> None:
    door = Door()
    assert await door.take(raw("hello")) == [Fate.STORED]
    assert door.inbox.texts == ["hello"]
    assert door.inbox.cursors == {"imap:INBOX": "1:1:0:0:0"}


async def test_an_answer_in_the_same_batch_joins_what_it_answers() -> None:
    door = Door()
    await door.take(
        raw("one", "<1@x>", copies=[BOB.address]), raw("two", "<2@x>", who=BOB, answers=["<1@x>"])
    )
    one, two = door.inbox.posted
    assert one.thread == two.thread


async def test_an_answer_joins_what_came_before() -> None:
    door = Door()
    await door.take(raw("one", "<1@x>"))
    await door.take(raw("two", "<2@x>", who=BOB, answers=["<0@elsewhere>", "<1@x>"]))
    one, two = door.inbox.posted
    assert one.thread == two.thread


async def test_a_copy_changes_nothing() -> None:
    door = Door()
    await door.take(raw("hello"), raw("hello"))
    await door.take(raw("hello"))
    assert door.inbox.texts == ["hello"]


@pytest.mark.parametrize("together", [True, False])
async def test_another_mail_with_a_known_message_id_begins_a_thread_of_its_own(
    together: bool,
) -> None:
    door = Door()
    mails = [raw("one"), raw("two"), raw("three", who=BOB)]
    for batch in [mails] if together else [[mail] for mail in mails]:
        await door.take(*batch)
    assert door.inbox.texts == ["one", "two", "three"]
    assert len({event.thread for event in door.inbox.posted}) == 3


async def test_a_token_is_believed_before_anything_else() -> None:
    door = Door()
    ours = f"<{tokens().message_id(THREAD, MESSAGE)}>"
    await door.take(raw("one", "<1@x>"))
    await door.take(raw("two", "<2@x>", answers=["<1@x>", ours]))
    assert door.inbox.posted[1].thread == THREAD


async def test_a_mail_that_can_never_be_stored_is_put_aside_and_stops_nothing() -> None:
    door = Door()
    door.inbox.refused = {"bad"}
    fates = await door.take(raw("one", "<1@x>"), raw("bad", "<2@x>"), raw("three", "<3@x>"))
    assert fates == [Fate.STORED, Fate.ASIDE, Fate.STORED]
    assert door.inbox.texts == ["one", "three"]
    assert [mail for mail, _ in door.inbox.asides] == [raw("bad", "<2@x>")]
    assert door.inbox.cursors


async def test_a_mail_that_its_reader_trips_over_is_put_aside() -> None:
    door = Door()

    def trip(_: bytes) -> None:
        raise RecursionError

    intake = MailIntake(reader(), trip, door.inbox, door.blobs)  # type: ignore[arg-type]
    assert await intake.take([Arrived(raw=b"x", received_at=NOW)]) == [Fate.ASIDE]
    assert door.inbox.asides == [(b"x", "could not be read: RecursionError")]


async def test_while_the_database_is_away_nothing_counts_as_taken() -> None:
    door = Door()
    door.inbox.is_away = True
    with pytest.raises(StorageUnavailable):
        await door.take(raw("hello"))
    door.inbox.is_away = False
    assert await door.take(raw("hello")) == [Fate.STORED]
    assert door.inbox.texts == ["hello"]


async def test_a_mail_with_files_is_kept_for_who_fetches_them() -> None:
    door = Door()
    await door.take(raw("no file", "<1@x>"))
    assert not door.blobs.kept
    with_file = raw("a file", "<2@x>", files=[("a.bin", b"content")])
    await door.take(with_file)
    assert list(door.blobs.kept.values()) == [with_file]


async def test_an_answer_to_a_letter_that_was_split_off_goes_where_that_is() -> None:
    door = Door()
    ours = tokens().message_id(THREAD, MESSAGE)
    elsewhere = thread_key("begun", "1")
    door.inbox.moves(ours, elsewhere)
    await door.take(raw("two", "<2@x>", answers=[f"<{ours}>"]))
    assert door.inbox.posted[0].thread == elsewhere
