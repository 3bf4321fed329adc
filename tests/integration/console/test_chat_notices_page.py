"""An agent is found in a workspace by their own address, and sees where notices go."""

from __future__ import annotations

import re
from datetime import timedelta

from channels.simulator.faults import Fault
from channels.simulator.slack import SlackPlatform
from channels.slack.channel import open_slack
from channels.slack.settings import SlackSettings
from core.domain.ids import AccountId
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.support.slack import channel_context, plain_text

PAGE = "/console/notices"
ACME = AccountId("acme")


async def test_an_agent_connects_slack_and_ends_it_again(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.access.passwords.set(agent.id, PASSWORD)
    browser = await Browser.signed_in(desk, agent.email)
    assert "No connected account can write to you." in await browser.see(PAGE)
    async with SlackPlatform() as slack:
        settings = SlackSettings.model_validate(
            {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
        )
        desk.channels[ACME] = channel = open_slack(ACME, settings, channel_context())
        assert "Find me in acme" in await browser.see(PAGE)
        nobody = await browser.send(f"{PAGE}/chat", account="acme")
        assert nobody.status_code == 422
        assert "Nobody has the address ana@example.org there." in nobody.text
        ana = slack.person("Ana Ruiz", email="ana@example.org")
        slack.faults.plan(Fault.BAD_CREDENTIALS)
        refused = await browser.send(f"{PAGE}/chat", account="acme")
        assert refused.status_code == 503
        assert "You could not be written to" in refused.text
        assert "Find me in acme" in await browser.see(PAGE)

        assert (await browser.send(f"{PAGE}/chat", account="acme")).status_code == 303
        (welcome,) = slack.sent(ana.direct)
        assert "From now on you are told here" in plain_text(welcome)
        page = await browser.see(PAGE)
        assert "You are written to in acme as Ana Ruiz." in page
        assert 'name="chat" value="unread" checked' in page
        wished = {"mail": "never", "chat": "urgent", "time_zone": "Europe/Madrid"}
        assert (await browser.send(f"{PAGE}/wishes", form=wished)).status_code == 303
        assert 'name="chat" value="urgent" checked' in await browser.see(PAGE)

        wrong = {**wished, "mail": "urgent", "quiet_from": "22:00", "kind.queued": "nowhere"}
        kept = await browser.send(f"{PAGE}/wishes", form=wrong)
        assert (kept.status_code, 'name="mail" value="urgent" checked' in kept.text) == (422, True)
        assert 'type="time" value="22:00"' in kept.text
        assert '<option value="nowhere" selected>' in kept.text

        await browser.send(f"{PAGE}/chat/end")
        assert "Find me in acme" in await browser.see(PAGE)
        await _connects_by_code(desk, browser, slack)
        elsewhere = await browser.send(f"{PAGE}/chat", account="loop")
        assert elsewhere.status_code == 404
        await channel.close()


async def _connects_by_code(desk: Desk, browser: Browser, slack: SlackPlatform) -> None:
    """Connect somebody whose address there is another than at the desk."""
    private = slack.person("Ana R.", email="ana@home.example")
    for member in ("nobody", "U999", "ana@home.example"):
        unknown = await browser.send(f"{PAGE}/chat/code", account="acme", member=member)
        assert (unknown.status_code, "Nobody has the member ID" in unknown.text) == (422, True)
        assert f'name="member" value="{member}"' in unknown.text
    asked = await browser.send(f"{PAGE}/chat/code", account="acme", member=f" {private.id} ")
    assert asked.status_code == 303
    (written,) = [plain_text(message) for message in slack.sent(private.direct)]
    assert "Ana wants to be told here" in written
    found = re.search(r"\b(\d{3}) (\d{3})\b", written)
    assert found is not None
    page = await browser.see(PAGE)
    assert "A code was written to Ana R." in page
    assert "You are written to" not in page
    other = f"{(int(found[1]) + 1) % 1000:03}{found[2]}"
    wrong = await browser.send(f"{PAGE}/chat/proof", code=other)
    assert (wrong.status_code, "no longer good" in wrong.text) == (422, True)
    right = await browser.send(f"{PAGE}/chat/proof", code=f"{found[1]} {found[2]}")
    assert right.status_code == 303
    assert "You are written to in acme as Ana R." in await browser.see(PAGE)
    again = await browser.send(f"{PAGE}/chat/proof", code=f"{found[1]}{found[2]}")
    assert again.status_code == 422  # a code is good once
    await browser.send(f"{PAGE}/chat/end")
    await browser.send(f"{PAGE}/chat/code", account="acme", member=private.id)
    code = re.search(r"\b(\d{3}) (\d{3})\b", plain_text(slack.sent(private.direct)[-1]))
    assert code is not None
    desk.clock.advance(timedelta(minutes=16))
    late = await browser.send(f"{PAGE}/chat/proof", code="".join(code.groups()))
    assert late.status_code == 422
    await browser.send(f"{PAGE}/chat/code", account="acme", member=private.id)
    for _ in range(5):
        await browser.send(f"{PAGE}/chat/proof", code="000000")
    latest = re.search(r"\b(\d{3}) (\d{3})\b", plain_text(slack.sent(private.direct)[-1]))
    assert latest is not None
    guessed = await browser.send(f"{PAGE}/chat/proof", code="".join(latest.groups()))
    assert guessed.status_code == 422
    fourth = await browser.send(f"{PAGE}/chat/code", account="acme", member=private.id)
    assert fourth.status_code == 429
    assert "Find me in acme" in await browser.see(PAGE)
