"""Admins connect, change, pause and remove accounts; secrets go in and never come out."""

from __future__ import annotations

import pytest

from console import ConsoleDesk
from core.domain.account import AccountState, Health
from core.domain.actor import Role
from core.domain.ids import AccountId
from core.storage.queries.accounts.accounts import write_health
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk

LIST = "/console/admin/channels"
NEW = "/console/admin/connect/pager"
DUTY = f"{LIST}/duty"
GUIDES = "/console/admin/guides/channels"


async def admin(desk: Desk, language: str = "en") -> Browser:
    return await signed_in(desk, "Root", Role.ADMIN, language)


async def connect(browser: Browser, **fields: str) -> None:
    form = {"name": "duty", "field.token": "s3cret", "field.beep": "true"}
    answer = await browser.send(NEW, form=form | {f"field.{k}": v for k, v in fields.items()})
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("path", [LIST, NEW, DUTY])
async def test_agents_do_not_see_accounts(desk: Desk, path: str) -> None:
    browser = await signed_in(desk)
    await browser.see(path, status=403)
    assert (await browser.send(f"{DUTY}/remove")).status_code == 403


async def test_an_account_is_connected_from_the_form_of_its_kind(desk: Desk) -> None:
    browser = await admin(desk)
    page = await browser.see(NEW)
    assert 'name="field.token"' in page
    assert "From the operator&#39;s page." in page
    await connect(browser, port="26", topics="fire\nwater")
    page = await browser.see(LIST)
    assert "duty" in page
    assert "Connecting" in page
    assert "Requests refused since the web server started: 3" in page
    page = await browser.see(DUTY)
    assert "http://desk.test/channels/pager/duty/page" in page
    assert "fire\nwater" in page


async def test_no_page_shows_a_secret(desk: Desk) -> None:
    browser = await admin(desk)
    await connect(browser)
    for path in (LIST, DUTY):
        assert "s3cret" not in await browser.see(path)
    wrong = await browser.send(DUTY, form={"field.port": "0", "field.token": "s3cret2"})
    assert wrong.status_code == 422
    assert "s3cret" not in wrong.text


async def test_a_wrong_setting_is_told_beside_its_field_and_the_rest_stays(desk: Desk) -> None:
    browser = await admin(desk, "es")
    await browser.see(NEW)
    answer = await browser.send(
        NEW, form={"name": "duty", "field.server": "a b", "field.topics": "fire"}
    )
    assert answer.status_code == 422
    assert "esto es necesario" in answer.text
    assert "a server&#39;s name has no spaces" in answer.text
    assert 'value="duty"' in answer.text
    assert "fire" in answer.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Not good", "An account&#39;s name is 1 to 40 small letters, digits and hyphens"),
        ("duty", "There is an account of this name already"),
        ("webchat", "There is an account of this name already"),
    ],
)
async def test_a_name_that_cannot_be_is_refused(desk: Desk, name: str, said: str) -> None:
    browser = await admin(desk)
    await connect(browser)
    answer = await browser.send(NEW, form={"name": name, "field.token": "x"})
    assert answer.status_code == 422
    assert said in answer.text


async def test_a_change_keeps_the_secret_and_takes_what_an_empty_box_says(desk: Desk) -> None:
    browser = await admin(desk)
    await connect(browser, signing_secret="wh1sper")
    answer = await browser.send(
        DUTY, form={"field.port": "27", "forget.signing_secret": "yes", "field.token": ""}
    )
    assert answer.status_code == 303
    desk_parts: ConsoleDesk = desk.app.state.console
    form = await desk_parts.accounts.form(AccountId("duty"))
    assert form.kept == {"token"}
    assert form.values == {"port": 27, "beep": False}


async def test_an_account_is_paused_and_resumed(desk: Desk) -> None:
    browser = await admin(desk)
    await connect(browser)
    await browser.send(f"{DUTY}/enabled", enabled="no")
    assert "Paused" in await browser.see(LIST)
    await browser.send(f"{DUTY}/enabled", enabled="yes")
    assert "Paused" not in await browser.see(LIST)


async def test_trouble_is_shown_with_its_remedy(desk: Desk) -> None:
    browser = await admin(desk)
    await connect(browser)
    health = Health(
        state=AccountState.BAD_CREDENTIALS, reason="the token <b>", remedy="Enter another."
    )
    async with desk.sessions.begin() as session:
        await write_health(session, AccountId("duty"), health, desk.clock())
    page = await browser.see(LIST)
    assert "Needs an admin" in page
    assert "the token &lt;b&gt;" in page
    assert "Enter another." in page


async def test_a_removed_account_is_off_the_list(desk: Desk) -> None:
    browser = await admin(desk)
    await connect(browser)
    assert (await browser.send(f"{DUTY}/remove")).status_code == 303
    assert "duty" not in await browser.see(LIST)
    await browser.see(DUTY, status=404)


async def test_a_form_from_another_page_changes_nothing(desk: Desk) -> None:
    browser = await admin(desk)
    await connect(browser)
    browser.csrf = "made up"
    assert (await browser.send(f"{DUTY}/remove")).status_code == 403
    assert "duty" in await browser.see(LIST)


async def test_kinds_and_guides_that_are_not_there_are_not_found(desk: Desk) -> None:
    browser = await admin(desk)
    await browser.see("/console/admin/connect/pigeon", status=404)
    await browser.see("/console/admin/guides/channels/pager.md", status=404)
    await browser.see("/console/admin/guides/..%2FREADME.md", status=404)


async def test_a_guide_leads_to_what_it_names(desk: Desk) -> None:
    browser = await admin(desk)
    guide = await browser.see(f"{GUIDES}/slack.md")
    assert 'href="slack-manifest.yaml"' in guide
    assert 'href="#when-something-is-wrong"' in guide
    assert 'id="when-something-is-wrong"' in guide
    assert "socket_mode_enabled: true" in await browser.see(f"{GUIDES}/slack-manifest.yaml")
    assert 'href="../settings.md#telegram"' in await browser.see(f"{GUIDES}/telegram.md")
    assert "DESK_HOME" in await browser.see("/console/admin/guides/settings.md")


async def test_a_name_with_a_character_that_no_account_has_is_not_another_accounts(
    desk: Desk,
) -> None:
    browser = await admin(desk)
    await connect(browser)
    await browser.see(DUTY)
    await browser.see(f"{LIST}/du%00ty", status=404)
    assert (await browser.send(f"{LIST}/du%00ty/remove")).status_code == 404
    await browser.see(DUTY)
