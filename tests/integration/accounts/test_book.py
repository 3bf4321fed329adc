"""What admins do to accounts is kept, and no secret ever leaves in plain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from core.domain.account import AccountState, Health, Origin
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AccountId
from core.ports import Cursor
from core.services.accounts.accounts import AnothersCredentials, DeclaredAccount
from core.services.accounts.fields import InvalidSettings
from core.storage.engine import Sessions
from tests.integration.accounts.conftest import Process
from tests.support import pager
from tests.support.desk import posted

DUTY = AccountId("duty")
Make = Callable[..., Process]


async def test_an_account_is_there_once_it_was_added(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "s3cret", "port": "26"})
    view = await desk.view("duty")
    assert (view.kind, view.origin, view.is_enabled) == ("pager", Origin.CONSOLE, True)
    assert view.health.state is AccountState.CONNECTING
    assert view.settings == {"port": 26}


async def test_no_column_holds_a_secret_in_plain(process: Make, sessions: Sessions) -> None:
    await process().book.add("duty", "pager", {"token": "s3cret", "signing_secret": "wh1sper"})
    async with sessions() as session:
        row = await session.scalar(text("SELECT account::text FROM account WHERE id = 'duty'"))
        raw = await session.scalar(text("SELECT secrets FROM account WHERE id = 'duty'"))
    assert "s3cret" not in row
    assert b"wh1sper" not in bytes(raw)


async def test_the_form_says_that_a_secret_is_kept_and_not_which(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "s3cret", "port": "26"})
    form = await desk.book.form(DUTY)
    assert form.kept == {"token"}
    assert "s3cret" not in repr(form)


async def test_a_change_keeps_secrets_that_were_left_empty(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "s3cret", "signing_secret": "wh1sper"})
    await desk.book.change(
        DUTY, {"token": "", "port": "27", "signing_secret": ""}, forget=["signing_secret"]
    )
    await desk.directory.refresh()
    settings = desk.pager("duty").settings
    assert settings.token.get_secret_value() == "s3cret"
    assert settings.signing_secret is None
    assert settings.port == 27


@pytest.mark.parametrize("name", ["", "Duty", "a_b", "a/b", "x" * 41, "ñ"])
async def test_a_name_that_fits_no_address_is_refused(process: Make, name: str) -> None:
    with pytest.raises(InvalidInput):
        await process().book.add(name, "pager", {"token": "x"})


@pytest.mark.parametrize("name", ["duty", "webchat"])
async def test_a_name_that_is_taken_is_refused(process: Make, name: str) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    with pytest.raises(Conflict):
        await desk.book.add(name, "pager", {"token": "x"})


async def test_wrong_settings_change_nothing(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    with pytest.raises(InvalidSettings):
        await desk.book.change(DUTY, {"port": "0"})
    assert (await desk.view("duty")).settings == {}


async def test_what_was_removed_is_gone_and_its_name_begins_afresh(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.intake.accept(cursor=Cursor(account=DUTY, name="events", value="900"))
    await desk.book.remove(DUTY)
    with pytest.raises(NotFound):
        await desk.book.remove(DUTY)
    await desk.book.add("duty", "pager", {"token": "y"})
    assert await desk.intake.cursor(DUTY, "events") is None


async def test_the_first_messages_of_an_account_are_none_of_a_removed_ones(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    first = posted("from the old pager", account=DUTY, key="1", thread="old")
    await desk.intake.accept(first)
    await desk.book.remove(DUTY)
    await desk.book.add("duty", "pager", {"token": "y"})
    (accepted,) = await desk.intake.accept(posted("hello", account=DUTY, key="1", thread="new"))
    assert accepted.is_new


async def test_an_account_takes_another_token_of_its_own_pager_and_none_of_another(
    process: Make,
) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "7:old"})
    await desk.book.change(DUTY, {"token": "7:new"})
    with pytest.raises(AnothersCredentials):
        await desk.book.change(DUTY, {"token": "8:s3cret"})
    await desk.directory.refresh()
    assert desk.pager("duty").settings.token.get_secret_value() == "7:new"


async def test_of_an_account_from_before_that_was_kept_the_settings_tell_whose_it_is(
    process: Make, sessions: Sessions
) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "7:old"})
    async with sessions.begin() as session:
        await session.execute(text("UPDATE account SET identity = NULL"))
    with pytest.raises(AnothersCredentials):
        await desk.book.change(DUTY, {"token": "8:s3cret"})


async def test_what_is_said_of_a_removed_accounts_messages_is_not_said_of_its_namesakes(
    process: Make,
) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "7:s3cret"})
    first = posted("from the old pager", account=DUTY, key="1")
    await desk.intake.accept(first)
    await desk.book.remove(DUTY)
    await desk.book.add("duty", "pager", {"token": "8:s3cret"})
    assert await desk.intake.threads_of(DUTY, first.remote_ids) == {}


async def test_only_a_rehearsals_account_has_a_name_whose_traces_are_erased(process: Make) -> None:
    desk = process()
    with pytest.raises(Conflict):
        await desk.book.add("rehearsal-duty", "pager", {"token": "x"})
    await desk.book.add("rehearsal-duty", "pager", {"token": "x"}, origin=Origin.REHEARSAL)


async def test_an_account_of_the_environment_is_changed_there(process: Make) -> None:
    settings = pager.PagerSettings(token=SecretStr("s3cret"))
    desk = process(DeclaredAccount(id=DUTY, kind="pager", settings=settings))
    await desk.directory.refresh()
    with pytest.raises(Conflict):
        await desk.book.change(DUTY, {"port": "26"})
    with pytest.raises(Conflict):
        await desk.book.remove(DUTY)


async def test_pausing_shows_and_resuming_begins_afresh(process: Make) -> None:
    desk = process()
    await desk.book.add("duty", "pager", {"token": "x"})
    await desk.intake.report(
        DUTY, Health(state=AccountState.BAD_CREDENTIALS, reason="no", remedy="mend")
    )
    await desk.book.set_enabled(DUTY, enabled=False)
    assert (await desk.view("duty")).health.state is AccountState.PAUSED
    await desk.book.set_enabled(DUTY, enabled=True)
    assert (await desk.view("duty")).health == Health(state=AccountState.CONNECTING)
