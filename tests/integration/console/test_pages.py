"""The console's pages do what they show, for those who may, and say what went wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from channels.loopback.parse import posting
from core.domain.actor import Role
from core.domain.assistant import HandoffReason, Say
from core.domain.ids import AccountId, ArticleId, new_id
from core.domain.knowledge import Article, Audience
from core.domain.ticket import Priority
from core.storage.tables import Message, Organisation
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk

TRICK = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold**"


async def signed_in(
    desk: Desk, name: str = "Ana", role: Role = Role.AGENT, language: str = "en"
) -> Browser:
    agent = await desk.agent(f"{name.lower()}@example.org", name, role)
    await desk.access.set_password(agent.id, PASSWORD)
    await desk.access.set_language(agent.id, language)
    return await Browser.signed_in(desk, agent.email)


PAGES = [
    "/console/queue",
    "/console/queue?tab=all",
    "/console/queue?tab=assistant",
    "/console/queue?tab=solved",
    "/console/queue/table?tab=breaching&order=due",
    "/console/search?q=printer%00",
    "/console/search/quick?q=pr",
    "/console/views/new",
    "/console/queue/list?tab=unassigned&open=1001",
    "/console/queue/count",
    "/console/tickets/1001",
    "/console/tickets/1001?tab=all&show=1",
    "/console/tickets/1001/live",
    "/console/password",
    "/console/picture",
    "/console/knowledge",
    "/console/knowledge?q=vpn&language=es",
    "/console/knowledge/articles/vpn",
]
ADMIN_PAGES = [
    "/console/knowledge/new",
    "/console/admin/agents",
    "/console/admin/synonyms",
    "/console/admin/quarantine",
    "/console/admin/status",
]


async def some_work(desk: Desk) -> None:
    await desk.queued(TRICK, priority=Priority.URGENT, reason=HandoffReason.ANGRY)
    held = await desk.says("hello", thread="held", who="bob")
    await desk.answers(held, Say(text="Hello, I am the assistant."))
    await desk.knowledge.create(
        Article(id=ArticleId("vpn"), language="en", title="Connect to the VPN", body="Do *this*.")
    )


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_shows_in_each_language(desk: Desk, language: str) -> None:
    await some_work(desk)
    browser = await signed_in(desk, role=Role.ADMIN, language=language)
    for path in PAGES + ADMIN_PAGES:
        shown = await browser.see(path)
        assert "<script>alert" not in shown, path
        assert "<img" not in shown, path
        assert "javascript:alert" not in re.sub(r">[^<]*<", "><", shown), path
        if "<html" in shown:
            assert f'<html lang="{language}">' in shown


async def test_pages_forbid_what_they_do_not_need(desk: Desk) -> None:
    browser = await signed_in(desk)
    answer = await browser.client.get("/console/queue")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "style=" not in answer.text
    assert not re.search(r"<script(?![^>]*src=)", answer.text)
    assert not re.search(r"\son\w+=", answer.text)


async def test_who_is_not_signed_in_is_asked_to(desk: Desk) -> None:
    async with desk.client() as client:
        for path in PAGES + ADMIN_PAGES:
            answer = await client.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/console/sign-in?next=/")
        part = await client.get("/console/queue/list", headers={"HX-Request": "true"})
        assert part.status_code == 401
        assert part.headers["hx-redirect"].startswith("/console/sign-in")
        assert (await client.post("/console/tickets/1/take")).status_code == 303
        assert (await client.get("/console/events")).status_code == 401


async def test_agents_do_not_see_what_admins_do(desk: Desk) -> None:
    await some_work(desk)
    browser = await signed_in(desk)
    for path in ADMIN_PAGES:
        assert "Only admins" in await browser.see(path, 403)
    answer = await browser.send("/console/knowledge/articles/vpn/delete")
    assert answer.status_code == 403


async def test_a_wrong_password_is_said_to_be_wrong(desk: Desk) -> None:
    await signed_in(desk)
    async with desk.client() as client:
        form = {"email": "ana@example.org", "password": "wrong", "next": "/console"}
        answer = await client.post("/console/sign-in", data=form)
        assert answer.status_code == 401
        assert "The e-mail address or the password is wrong" in answer.text
        spanish = await client.post(
            "/console/sign-in", data=form, headers={"Accept-Language": "es"}
        )
        assert "El correo o la contraseña no son correctos" in spanish.text
        for _ in range(5):
            answer = await client.post("/console/sign-in", data=form)
        assert answer.status_code == 429


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/chat",
    "/console\r\nX: y",
    "",
]


async def test_signing_in_never_leads_to_another_site(
    desk: Desk, subtests: pytest.Subtests
) -> None:
    await signed_in(desk)
    for wanted in ELSEWHERE:
        with subtests.test(wanted=wanted):
            async with desk.client() as client:
                form = {"email": "ana@example.org", "password": PASSWORD, "next": wanted}
                answer = await client.post("/console/sign-in", data=form)
                assert answer.headers["location"] == "/console"


async def test_a_link_leads_to_a_password_of_ones_own(desk: Desk) -> None:
    agent = await desk.agent()
    link = await desk.access.sign_in_link(agent.id)
    browser = Browser(desk.client())
    answer = await browser.client.post(f"/console/sign-in/{link}")
    assert answer.headers["location"] == "/console/password"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    await browser.see("/console/password")
    differs = await browser.send("/console/password", password=PASSWORD, again="x" * 12)
    assert differs.status_code == 422
    assert "The two passwords are not the same" in differs.text
    short = await browser.send("/console/password", password="short", again="short")
    assert "10 characters" in short.text
    saved = await browser.send("/console/password", password=PASSWORD, again=PASSWORD)
    assert saved.status_code == 303
    await Browser.signed_in(desk, "ana@example.org")
    again = await desk.client().post(f"/console/sign-in/{link}")
    assert again.status_code == 401
    assert "This link has been used or is too old" in again.text


async def test_looking_at_a_link_does_not_use_it_up(desk: Desk) -> None:
    link = await desk.access.sign_in_link((await desk.agent()).id)
    async with desk.client() as scanner:
        for _ in range(2):
            shown = await scanner.get(f"/console/sign-in/{link}")
            assert shown.status_code == 200
            assert '<form method="post">' in shown.text
            assert "set-cookie" not in shown.headers
    async with desk.client() as client:
        assert (await client.post(f"/console/sign-in/{link}")).status_code == 303


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_another_site_cannot_follow_a_link(desk: Desk, headers: dict[str, str]) -> None:
    link = await desk.access.sign_in_link((await desk.agent()).id)
    async with desk.client() as client:
        answer = await client.post(f"/console/sign-in/{link}", headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_unsafe_requests_need_the_pages_token(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    for token in ("", "wrong", "é"):
        browser.csrf = token
        for htmx in (False, True):
            if htmx and not token.isascii():
                continue
            answer = await browser.send("/console/tickets/1001/take", htmx=htmx)
            assert answer.status_code == 403
    await browser.see("/console/queue")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = await browser.client.post(
            "/console/tickets/1001/take", data={"csrf": browser.csrf}, headers=headers
        )
        assert answer.status_code == 403
    own = await browser.client.post(
        "/console/tickets/1001/take",
        data={"csrf": browser.csrf},
        headers={"Origin": "http://desk.test", "Sec-Fetch-Site": "same-origin"},
    )
    assert own.status_code == 303


@pytest.mark.parametrize("htmx", [False, True])
async def test_an_agent_works_a_ticket(desk: Desk, htmx: bool) -> None:
    await desk.queued("The VPN is broken")
    browser = await signed_in(desk)
    path = "/console/tickets/1001"

    async def does(action: str, **fields: str) -> None:
        answer = await browser.send(f"{path}/{action}", form=fields, htmx=htmx)
        assert answer.status_code == (200 if htmx else 303), answer.text

    await does("take")
    assert "You have it" in await browser.see(path)
    await does("say", mode="reply", text="Hello,\r\nI am **Ana**.")
    await does("say", mode="note", text="It is the router.")
    shown = await browser.see(path)
    assert "Hello,<br>\nI am <strong>Ana</strong>." in shown
    assert "internal note" in shown
    assert "Ana took it" in shown
    await does("status", status="pending")
    assert "Ana set it to: Pending" in await browser.see(path)
    await does("say", mode="reply", text="Done.", then="solved")
    assert "Ana set it to: Solved" in await browser.see(path)
    await does("status", status="open")
    await does("assign", agent="")
    assert "Ana put it back in the queue" in await browser.see(path)
    await does("return")
    assert "The assistant is answering. A reply" in await browser.see(path)
    await does("status", status="closed")
    assert "This ticket is closed" in await browser.see(path)


async def test_parts_come_back_for_their_places(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    answer = await browser.send("/console/tickets/1001/say", htmx=True, mode="reply", text="Hi")
    assert answer.headers["hx-trigger"] == "said"
    for part in ("head", "messages", "details"):
        assert re.search(rf'id="{part}"[^>]*hx-swap-oob="morph"', answer.text), part
    refused = await browser.send("/console/tickets/1001/say", htmx=True, mode="reply", text=" ")
    assert refused.status_code == 422
    assert "hx-trigger" not in refused.headers
    assert "The text is empty" in refused.text


async def test_who_comes_second_is_told_who_was_first(desk: Desk) -> None:
    await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea", language="es")
    await ana.send("/console/tickets/1001/take", htmx=True)
    late = await bea.send("/console/tickets/1001/take", htmx=True)
    assert late.status_code == 409
    assert "Ana ya tiene este ticket." in late.text
    assert (await bea.send("/console/tickets/1001/take")).status_code == 409


async def test_an_agent_takes_a_conversation_over_from_the_assistant(desk: Desk) -> None:
    held = await desk.says("How do I book a room?", who="bob")
    await desk.answers(held, Say(text="In the calendar."))
    browser = await signed_in(desk)
    assert "How do I book a room?" in await browser.see("/console/queue?tab=assistant")
    assert "Take over" in await browser.see(f"/console/conversations/{held}")
    await browser.see(f"/console/conversations/{held}/live")
    taken = await browser.send(f"/console/conversations/{held}/take-over")
    assert taken.headers["location"] == "/console/tickets/1001?tab=mine"
    assert "Taken over from the assistant" in await browser.see("/console/tickets/1001")
    again = await browser.send(f"/console/conversations/{held}/take-over", htmx=True)
    assert again.status_code == 409
    assert again.headers["hx-reswap"] == "none"


async def test_earlier_tickets_and_conversations_are_linked(desk: Desk) -> None:
    await desk.queued("first thing", thread="one")
    second = await desk.queued("second thing", thread="two")
    browser = await signed_in(desk)
    shown = await browser.see("/console/tickets/1001")
    assert 'href="/console/tickets/1002"' in shown
    assert f'href="/console/conversations/{second}"' in shown


async def test_the_queue_is_sorted_by_urgency_and_wait(desk: Desk) -> None:
    for n, priority in enumerate((Priority.LOW, Priority.NORMAL, Priority.NORMAL, Priority.URGENT)):
        await desk.queued(f"n{n}", thread=f"t{n}", who=f"u{n}", priority=priority)
    browser = await signed_in(desk)
    shown = await browser.see("/console/queue/list?tab=unassigned")
    assert re.findall(r'id="row-(\d+)"', shown) == ["1004", "1002", "1003", "1001"]
    assert 'data-count="4"' in await browser.see("/console/queue/count")


async def test_all_that_the_assistant_holds_is_counted(desk: Desk) -> None:
    await desk.says("hello")
    same = "contact_id, responder, last_seq, last_message_at"
    async with desk.sessions.begin() as session:
        await session.execute(
            text(
                f"INSERT INTO conversation (id, account_id, thread, {same}) "
                f"SELECT gen_random_uuid(), account_id, 'more ' || n, {same} "
                "FROM conversation, generate_series(1, 104) n"
            )
        )
    browser = await signed_in(desk)
    shown = await browser.see("/console/queue?tab=assistant")
    assert 'Assistant</span><span class="count">105</span>' in shown
    assert len(re.findall(r'<li id="li-', shown)) == 100
    assert "Only the latest 100 are shown." in shown
    beside = await browser.see("/console/queue/list?tab=all")
    assert 'Assistant<span class="count">105</span>' in beside


async def test_admins_add_agents_and_shut_them_out(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    await browser.see("/console/admin/agents")
    added = await browser.send(
        "/console/admin/agents", name="Cy <b>", email="cy@example.org", role="agent"
    )
    link = re.search(r"http://desk.test(/console/sign-in/[\w-]+)", added.text)
    assert link is not None
    assert "Cy &lt;b&gt;" in added.text
    assert (await desk.client().post(link[1])).status_code == 303
    twice = await browser.send(
        "/console/admin/agents", name="Cy", email="cy@example.org", role="agent"
    )
    assert twice.status_code == 422
    assert "There is an agent with this e-mail address already" in twice.text
    agent = re.search(r"/console/admin/agents/([0-9a-f-]{36})/disabled", twice.text)
    assert agent is not None
    path = f"/console/admin/agents/{agent[1]}"
    assert (await browser.send(f"{path}/disabled", disabled="yes")).status_code == 303
    assert "disabled" in await browser.see("/console/admin/agents")
    assert (await browser.send(f"{path}/link")).status_code == 404
    await browser.send(f"{path}/disabled", disabled="no")
    assert "/console/sign-in/" in (await browser.send(f"{path}/link")).text


async def test_admins_read_quarantine_as_text(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    raw = b"\xff<script>x</script>"
    await desk.intake.quarantine(AccountId("webchat"), raw, "odd <b>shape</b>")
    listed = await browser.see("/console/admin/quarantine")
    assert "odd &lt;b&gt;shape" in listed
    item = re.search(r"/console/admin/quarantine/[0-9a-f-]{36}", listed)
    assert item is not None
    shown = await browser.see(item[0])
    assert r"\xff&lt;script&gt;x" in shown
    assert (await browser.send(f"{item[0]}/discard")).status_code == 303
    assert "Everything that came was understood" in await browser.see("/console/admin/quarantine")


async def test_a_quarantined_payload_is_replayed_once_it_is_understood(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    account = AccountId("loop")
    understood = posting(
        remote_id="1", thread="t", who="ann", text="Lost?", language="en", at=datetime.now(UTC)
    )
    await desk.intake.quarantine(account, understood, "a shape of tomorrow")
    await desk.intake.quarantine(account, b"{}", "no shape at all")

    async def items() -> list[str]:
        listed = await browser.see("/console/admin/quarantine")
        return re.findall(r"/console/admin/quarantine/[0-9a-f-]{36}", listed)

    bad, good = await items()
    assert "Read it again" in await browser.see(good)
    for _ in range(2):
        assert (await browser.send(f"{good}/replay")).status_code == 303
    assert (await browser.send(f"{bad}/replay")).status_code == 409
    assert await items() == [bad]
    async with desk.sessions() as session:
        said = (await session.scalars(select(Message.text))).all()
    assert said == ["Lost?"]


async def test_a_channel_without_a_parser_of_payloads_offers_no_replay(desk: Desk) -> None:
    browser = await signed_in(desk, "Boss", Role.ADMIN)
    await desk.intake.quarantine(AccountId("webchat"), b"x", "odd")
    listed = await browser.see("/console/admin/quarantine")
    item = re.search(r"/console/admin/quarantine/[0-9a-f-]{36}", listed)
    assert item is not None
    assert "Read it again" not in await browser.see(item[0])
    assert (await browser.send(f"{item[0]}/replay")).status_code == 409


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


async def test_an_agent_chooses_the_language(desk: Desk) -> None:
    browser = await signed_in(desk)
    answer = await browser.send("/console/language", language="es", next="/console/queue")
    assert answer.headers["location"] == "/console/queue"
    assert "Sin asignar" in await browser.see("/console/queue")
    assert (await browser.send("/console/language", language="xx")).status_code == 422


ODD_ADDRESSES = [
    ("/console/tickets/999", 404),
    ("/console/tickets/x%00y", 404),
    ("/console/tickets/" + "9" * 50, 404),
    ("/console/tickets/1001?show=0", 422),
    ("/console/tickets/1001?show=" + "9" * 5000, 422),
    ("/console/conversations/x", 422),
    ("/console/conversations/00000000-0000-0000-0000-000000000000", 404),
    ("/console/conversations/00000000-0000-0000-0000-000000000000?show=-" + "9" * 40, 422),
    ("/console/knowledge?cursor=x", 422),
    ("/console/knowledge/articles/none", 404),
    ("/console/nothing", 404),
    ("/console/vendor/htmx.org/package.json", 404),
    ("/console/vendor/..%2f..%2fpyproject.toml", 404),
    ("/console/static/..%2f__init__.py", 404),
]


async def test_odd_addresses_are_refused_politely(desk: Desk, subtests: pytest.Subtests) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    for path, status in ODD_ADDRESSES:
        with subtests.test(path=path[:100]):
            answer = await browser.client.get(path)
            assert answer.status_code == status


async def test_fields_that_are_not_text_are_refused(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    for fields in ({"mode": "reply", "text": "a\x00b"}, {"mode": "reply", "text": "x" * 20_001}):
        answer = await browser.send("/console/tickets/1001/say", form=fields)
        assert answer.status_code in {413, 422}
    file = {"text": ("a.txt", b"x"), "csrf": (None, browser.csrf.encode())}
    answer = await browser.client.post("/console/tickets/1001/say", files=file)
    assert answer.status_code == 422
    garbage = await browser.client.post(
        "/console/tickets/1001/say",
        content=b"\xff\xfe",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert garbage.status_code == 403
