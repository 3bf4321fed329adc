"""An agent is found in a workspace by their own address, and sees where notices go."""

from __future__ import annotations

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
    await desk.access.set_password(agent.id, PASSWORD)
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

        await browser.send(f"{PAGE}/chat/end")
        assert "Find me in acme" in await browser.see(PAGE)
        elsewhere = await browser.send(f"{PAGE}/chat", account="loop")
        assert elsewhere.status_code == 404
        await channel.close()
