"""Articles are written in the console and read by those whom they are for."""

from __future__ import annotations

import re

from core.domain.actor import Role
from core.domain.ids import ArticleId, new_id
from core.domain.knowledge import Article, Audience
from core.storage.tables import Organisation
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

TRICK = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold**"


async def test_admins_write_articles_in_the_console(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    await browser.see("/console/knowledge/new")
    fields = {
        "title": "Reset a password",
        "body": "Open the **portal**.\r\n\r\n- one\r\n- two",
        "language": "en",
        "questions": "forgot it\r\n\r\nlost it",
        "tags": "accounts, password",
        "audience": "public",
    }
    saved = await browser.send("/console/knowledge/new", form=fields)
    assert saved.headers["location"] == "/console/knowledge/articles/reset-a-password?saved=1"
    stored = await desk.knowledge.get(ArticleId("reset-a-password"))
    assert stored.body == "Open the **portal**.\n\n- one\n- two"
    assert stored.questions == ("forgot it", "lost it")
    assert stored.tags == ("accounts", "password")
    path = "/console/knowledge/articles/reset-a-password"
    assert "Saved." in await browser.see(f"{path}?saved=1")
    await browser.send(path, form=fields | {"title": "New title"})
    assert (await desk.knowledge.get(stored.id)).title == "New title"
    wrong = await browser.send(path, form=fields | {"valid_from": "tomorrow"})
    assert wrong.status_code == 422
    assert "2030-12-31" in wrong.text
    taken = await browser.send("/console/knowledge/new", form=fields, id="reset-a-password")
    assert "There is an article with this id already" in taken.text
    preview = await browser.send("/console/knowledge/preview", htmx=True, body=TRICK)
    assert "<strong>bold</strong>" in preview.text
    assert "<script>" not in preview.text
    await browser.send(f"{path}/delete")
    await browser.see(path, 404)


async def test_admins_say_for_which_organisation_an_article_is_and_what_means_the_same(
    desk: Desk,
) -> None:
    acme = new_id()
    async with desk.sessions.begin() as session:
        session.add(Organisation(id=acme, name="Acme"))
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    assert "Acme" in await browser.see("/console/knowledge/new")
    fields = {"title": "For Acme", "body": "x", "language": "en", "audience": "public"}
    await browser.send("/console/knowledge/new", form=fields | {"organisations": str(acme)})
    assert (await desk.knowledge.get(ArticleId("for-acme"))).organisations == (acme,)
    async with desk.client() as client:
        assert (await client.get("/help/for-acme")).status_code == 404
    page = await browser.see("/console/knowledge/articles/for-acme")
    assert "selected>Acme" in page
    assert "/help/for-acme" not in page

    path = "/console/admin/synonyms"
    await browser.send(path, form={"terms": "VPN = AnyConnect\ntúnel", "organisation": str(acme)})
    wrong = await browser.send(path, form={"terms": "VPN", "organisation": ""})
    assert wrong.status_code == 422
    assert "two terms or more" in wrong.text
    page = await browser.see(path)
    assert "VPN = AnyConnect = túnel" in page
    (group,) = re.findall(rf"{path}/([0-9a-f-]{{36}})\"", page)
    await browser.send(f"{path}/{group}", form={"terms": "VPN = tunnel", "organisation": ""})
    assert "VPN = tunnel" in await browser.see(path)
    await browser.send(f"{path}/{group}/delete")
    assert "There are no synonyms yet." in await browser.see(path)


async def test_public_articles_are_for_everybody_and_others_are_not(desk: Desk) -> None:
    def article(name: str, **more: object) -> Article:
        return Article(id=ArticleId(name), language="es", title="Título", body="**Texto**", **more)  # type: ignore[arg-type]

    await desk.knowledge.create(article("open"))
    await desk.knowledge.create(article("closed", audience=Audience.INTERNAL))
    async with desk.client() as client:
        shown = await client.get("/help/open")
        assert shown.status_code == 200
        assert '<html lang="es">' in shown.text
        assert "<strong>Texto</strong>" in shown.text
        assert "¿No le sirvió?" in shown.text
        for name in ("closed", "none", "%00", "x" * 500):
            assert (await client.get(f"/help/{name}")).status_code == 404, name
        assert (await client.get("/")).headers["location"] == "/chat"
