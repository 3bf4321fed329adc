"""The JSON API keeps its contract: shapes, roles, actions and errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from core.domain.actor import Role
from core.domain.assistant import HandoffReason, Say
from core.domain.ids import ArticleId, OrganisationId, new_id
from core.domain.knowledge import Article
from core.domain.ticket import Priority
from core.storage.tables import ArticleFeedback, Contact, Conversation, Message, Organisation
from tests.integration.console.test_pages import signed_in
from tests.integration.console.world import BOT_TOKEN, Desk

Api = Callable[..., Awaitable[httpx.AsyncClient]]


async def one_ticket(client: httpx.AsyncClient) -> dict[str, Any]:
    (ticket,) = (await client.get("/api/v1/tickets")).json()["items"]
    return dict(ticket)


def assert_problem(response: httpx.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]


async def test_the_assistant_finds_what_the_requester_of_a_conversation_may_read(
    desk: Desk, api: Api
) -> None:
    acme = OrganisationId(new_id())
    async with desk.sessions.begin() as session:
        session.add(Organisation(id=acme, name="Acme"))
    article = {"id": "garage", "title": "Park in the garage", "body": "Gate three.",
               "questions": ["Where do I park?"], "organisations": [str(acme)]}  # fmt: skip
    admin = await api(Role.ADMIN, "boss@example.org")
    created = await admin.post("/api/v1/knowledge/articles", json=article)
    assert created.json()["organisations"] == [str(acme)]
    insider = await desk.says("hello", thread="in", who="ada")
    outsider = await desk.says("hello", thread="out", who="bob")
    async with desk.sessions.begin() as session:
        conversation = await session.get_one(Conversation, insider)
        contact = await session.get_one(Contact, conversation.contact_id)
        contact.organisation_id = acme

    async with desk.client(Authorization=f"Bearer {BOT_TOKEN}") as assistant:

        async def found(**params: str) -> list[str]:
            asked = {"q": "Where do I park?", "lang": "en", **params}
            hits = await assistant.get("/api/v1/knowledge/search", params=asked)
            return [hit["article_id"] for hit in hits.json()]

        assert await found(conversation=str(insider)) == ["garage"]
        assert await found(conversation=str(outsider)) == []
        assert await found() == []
    # A program that does not know of organisations does not open the article.
    del article["organisations"], article["id"]
    changed = await admin.put("/api/v1/knowledge/articles/garage", json=article)
    assert changed.json()["organisations"] == [str(acme)]
    # Whatever the assistant says, nobody is shown what is not for them.
    for who in (insider, outsider):
        await desk.shown_article(who, ArticleId("garage"))
    async with desk.sessions() as session:
        said = await session.scalars(
            select(Message.conversation_id).where(Message.text.contains("Gate three."))
        )
        assert said.all() == [insider]


async def test_synonyms_have_an_api(desk: Desk, api: Api) -> None:
    path = "/api/v1/knowledge/synonyms"
    agent, admin = await api(), await api(Role.ADMIN, "boss@example.org")
    terms = {"terms": ["VPN", "AnyConnect"]}
    assert_problem(await agent.post(path, json=terms), 403)
    assert_problem(await admin.post(path, json={"terms": ["VPN"]}), 422)
    made = (await admin.post(path, json=terms)).json()
    assert made["organisation"] is None
    assert (await agent.get(path)).json()["items"] == [made]
    terms["terms"].append("túnel")
    changed = (await admin.put(f"{path}/{made['id']}", json=terms)).json()
    assert changed["terms"] == ["VPN", "AnyConnect", "túnel"]
    assert (await admin.delete(f"{path}/{made['id']}")).status_code == 204
    assert_problem(await admin.delete(f"{path}/{made['id']}"), 404)


async def test_a_handed_off_conversation_is_a_ticket(desk: Desk, api: Api) -> None:
    conversation = await desk.queued("The VPN is broken", priority=Priority.HIGH)
    client = await api()
    ticket = await one_ticket(client)
    assert ticket["number"] == 1001
    assert ticket["status"] == "new"
    assert ticket["subject"] == "The VPN is broken"
    assert ticket["priority"] == "high"
    assert ticket["reason"] == "asked_for_human"
    assert ticket["assignee"] is None
    assert ticket["conversation_id"] == str(conversation)
    assert ticket["requester"]["name"] == "Ada"
    assert ticket["confidence"] == pytest.approx(0.83)
    assert ticket["summary"] == "ada says: The VPN is broken"
    assert (await client.get(f"/api/v1/tickets/{ticket['id']}")).json() == ticket
    assert (await client.get("/api/v1/tickets/1001")).json() == ticket


async def test_lists_are_newest_first_in_pages(desk: Desk, api: Api) -> None:
    for n in range(5):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    client = await api()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/tickets", params=params)).json()
        seen += [ticket["subject"] for ticket in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"number {n}" for n in (4, 3, 2, 1, 0)]


async def test_tickets_are_found_by_status_assignee_and_words(desk: Desk, api: Api) -> None:
    await desk.queued("printer on fire", thread="a", who="ada")
    await desk.queued("100% of mail_boxes gone", thread="b", who="bob")
    client = await api()

    async def found(**params: str) -> list[int]:
        page = (await client.get("/api/v1/tickets", params=params)).json()
        return [ticket["number"] for ticket in page["items"]]

    await client.post("/api/v1/tickets/1001/take", json={})
    assert await found(status="open") == [1001]
    assert await found(assignee="me") == [1001]
    assert await found(assignee="ana@example.org") == [1001]
    assert await found(assignee="none") == [1002]
    assert await found(assignee="nobody@example.org") == []
    assert await found(q="1002") == [1002]
    assert await found(q="#1001") == [1001]
    assert await found(q="PRINTER fire") == [1001]
    assert await found(q="printer gone") == []
    assert await found(q="100%") == [1002]
    assert await found(q="mail_boxes") == [1002]
    assert await found(q="bob@example") == [1002]
    assert await found(q="I will get somebody") == [1002, 1001]


async def test_an_agent_works_a_ticket_from_take_to_solved(desk: Desk, api: Api) -> None:
    conversation = await desk.queued()
    client = await api()
    ticket = await one_ticket(client)
    path = f"/api/v1/tickets/{ticket['id']}"

    taken = await client.post(f"{path}/take", json={})
    assert taken.status_code == 200
    assert taken.json()["status"] == "open"
    assert taken.json()["assignee"]["email"] == "ana@example.org"

    said = await client.post(f"{path}/replies", json={"text": "Hello, I am Ana."})
    assert said.status_code == 201
    assert said.json()["from"] == "agent"
    assert said.json()["agent"]["email"] == "ana@example.org"
    noted = await client.post(f"{path}/notes", json={"text": "Seems to be the proxy."})
    assert noted.status_code == 201
    assert noted.json()["internal"] is True

    for status in ("pending", "on_hold", "open", "solved"):
        answer = await client.post(f"{path}/status", json={"status": status})
        assert answer.status_code == 200
        assert answer.json()["status"] == status
    assert (await client.get(path)).json()["solved_at"] is not None

    page = (await client.get(f"/api/v1/conversations/{conversation}/messages")).json()
    assert [m["from"] for m in page["items"]] == [
        "system", "agent", "agent", "system", "bot", "customer",
    ]  # fmt: skip
    assert page["next"] is None


async def test_a_ticket_goes_to_a_colleague_and_back(desk: Desk, api: Api) -> None:
    await desk.queued()
    bea = await desk.agent("bea@example.org", "Bea")
    client = await api()
    for name in (str(bea.id), "BEA@example.org"):
        given = await client.post("/api/v1/tickets/1001/assign", json={"agent": name})
        assert given.json()["assignee"]["name"] == "Bea"
    refused = await client.post("/api/v1/tickets/1001/take", json={})
    assert_problem(refused, 409)
    assert "Bea" in refused.json()["detail"]
    back = await client.post("/api/v1/tickets/1001/assign", json={"agent": None})
    assert back.json()["assignee"] is None
    unknown = await client.post("/api/v1/tickets/1001/assign", json={"agent": "x@example.org"})
    assert_problem(unknown, 422)


async def test_a_conversation_goes_back_to_the_assistant(desk: Desk, api: Api) -> None:
    conversation = await desk.queued()
    client = await api()
    await client.post("/api/v1/tickets/1001/take", json={})
    back = await client.post("/api/v1/tickets/1001/return-to-bot", json={})
    assert back.status_code == 200
    assert back.json()["status"] == "solved"
    assert_problem(await client.post("/api/v1/tickets/1001/return-to-bot", json={}), 409)
    await desk.says("hello again")
    await desk.answers(conversation, Say(text="Hello!"))


async def test_a_follow_up_names_the_ticket_before_it(desk: Desk, api: Api) -> None:
    conversation = await desk.queued()
    client = await api()
    await client.post("/api/v1/tickets/1001/status", json={"status": "closed"})
    assert_problem(await client.post("/api/v1/tickets/1001/replies", json={"text": "x"}), 409)
    assert await desk.queued("and again", reason=HandoffReason.NOT_HELPED) == conversation
    second = (await client.get("/api/v1/tickets/1002")).json()
    assert second["follows"] == 1001
    assert (await client.get("/api/v1/tickets/1001")).json()["followed_by"] == [1002]
    eva = await signed_in(desk, "Eva")
    assert "Followed by" in await eva.see("/console/tickets/1001")
    assert "Follows" in await eva.see("/console/tickets/1002")


async def test_messages_come_in_pages_newest_first(desk: Desk, api: Api) -> None:
    for n in range(5):
        conversation = await desk.says(f"m{n}")
    client = await api()
    path = f"/api/v1/conversations/{conversation}/messages"
    first = (await client.get(path, params={"limit": 3})).json()
    second = (await client.get(path, params={"limit": 3, "cursor": first["next"]})).json()
    assert [m["text"] for m in first["items"] + second["items"]] == ["m4", "m3", "m2", "m1", "m0"]
    assert second["next"] is None


async def test_nobody_comes_in_without_a_valid_token(desk: Desk) -> None:
    await desk.queued()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        async with desk.client(**headers) as client:
            response = await client.get("/api/v1/tickets")
            assert_problem(response, 401)
            assert response.headers["www-authenticate"].startswith("Bearer")


async def test_the_assistant_may_search_and_nothing_else(desk: Desk) -> None:
    async with desk.client(Authorization=f"Bearer {BOT_TOKEN}") as client:
        found = await client.get("/api/v1/knowledge/search", params={"q": "hello"})
        assert found.status_code == 200
        assert found.json() == []
        assert_problem(await client.get("/api/v1/tickets"), 403)
        assert_problem(await client.get("/api/v1/knowledge/articles"), 403)
        assert_problem(await client.delete("/api/v1/knowledge/articles/x"), 403)


async def test_a_disabled_agents_token_is_worth_nothing(desk: Desk, api: Api) -> None:
    ana = await desk.agent()
    boss = await desk.agent("boss@example.org", "Boss", Role.ADMIN)
    client = await api()
    assert (await client.get("/api/v1/tickets")).status_code == 200
    await desk.access.set_disabled(ana.id, disabled=True, by=boss)
    assert_problem(await client.get("/api/v1/tickets"), 401)


async def test_admins_write_articles_and_agents_read_them(desk: Desk, api: Api) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    agent = await api()
    article = {
        "id": "reset-password",
        "title": "Reset a forgotten password",
        "body": "Open the portal and choose *Forgotten password*.",
        "language": "en",
        "questions": ["I forgot my password"],
        "tags": ["accounts"],
    }
    assert_problem(await agent.post("/api/v1/knowledge/articles", json=article), 403)
    created = await admin.post("/api/v1/knowledge/articles", json=article)
    assert created.status_code == 201
    assert created.json()["questions"] == ["I forgot my password"]
    assert_problem(await admin.post("/api/v1/knowledge/articles", json=article), 409)
    assert (await agent.get("/api/v1/knowledge/articles/reset-password")).json() == created.json()
    listed = (await agent.get("/api/v1/knowledge/articles")).json()
    assert [a["id"] for a in listed["items"]] == ["reset-password"]

    (hit,) = (
        await agent.get(
            "/api/v1/knowledge/search", params={"q": "I forgot my password", "lang": "en"}
        )
    ).json()
    assert hit.keys() == {"article_id", "title", "score", "outcome"}
    assert hit["article_id"] == "reset-password"
    assert hit["outcome"] in {"answer", "offer", "hand_off"}

    changed = {key: article[key] for key in ("body", "language")} | {"title": "New password"}
    put = await admin.put("/api/v1/knowledge/articles/reset-password", json=changed)
    assert put.json()["title"] == "New password"
    assert_problem(await admin.put("/api/v1/knowledge/articles/none", json=changed), 404)
    assert (await admin.delete("/api/v1/knowledge/articles/reset-password")).status_code == 204
    assert_problem(await agent.get("/api/v1/knowledge/articles/reset-password"), 404)
    assert_problem(await admin.delete("/api/v1/knowledge/articles/reset-password"), 404)


async def test_an_article_without_an_id_gets_one_from_its_title(desk: Desk, api: Api) -> None:
    admin = await api(Role.ADMIN)
    new = {"title": "¿Olvidó la contraseña?", "body": "…", "language": "es"}
    first = (await admin.post("/api/v1/knowledge/articles", json=new)).json()["id"]
    second = (await admin.post("/api/v1/knowledge/articles", json=new)).json()["id"]
    assert first == "olvido-la-contrasena"
    assert second.startswith("olvido-la-contrasena-")


async def test_the_assistant_does_not_find_internal_articles(desk: Desk, api: Api) -> None:
    admin = await api(Role.ADMIN)
    internal = {"title": "Safe code", "body": "It is in the vault.", "audience": "internal"}
    await admin.post("/api/v1/knowledge/articles", json=internal)
    params = {"q": "safe code", "lang": "en"}
    assert len((await admin.get("/api/v1/knowledge/search", params=params)).json()) == 1
    async with desk.client(Authorization=f"Bearer {BOT_TOKEN}") as bot:
        assert (await bot.get("/api/v1/knowledge/search", params=params)).json() == []


BAD_BODIES: list[tuple[str, bytes, int]] = [
    ("replies", b"{", 400),
    ("replies", b"\xff\xfe", 400),
    ("replies", b"[]", 422),
    ("replies", b"null", 422),
    ("replies", b"", 422),
    ("replies", b'{"text": ""}', 422),
    ("replies", b'{"text": "   "}', 422),
    ("replies", b'{"text": 1}', 422),
    ("replies", b'{"text": "x", "more": 1}', 422),
    ("replies", b'{"text": "a\\u0000b"}', 422),
    ("replies", b'{"text": "\\ud800"}', 422),
    ("replies", json.dumps({"text": "x" * 20_001}).encode(), 422),
    ("replies", b'{"text": "' + b"x" * (1 << 20) + b'"}', 413),
    ("replies", b"[" * 100_000, 400),
    ("notes", b'{"text": null}', 422),
    ("status", b'{"status": "new"}', 422),
    ("status", b'{"status": "gone"}', 422),
    ("status", b'{"status": 1e999}', 422),
    ("assign", b"{}", 422),
    ("assign", b'{"agent": "\\u0000"}', 422),
    ("assign", b'{"agent": 7}', 422),
    ("take", b'{"x": 1}', 422),
    ("take", b"[1]", 422),
]


@pytest.mark.parametrize(("action", "body", "status"), BAD_BODIES)
async def test_a_bad_body_is_a_problem(
    desk: Desk, api: Api, action: str, body: bytes, status: int
) -> None:
    await desk.queued()
    client = await api()
    response = await client.post(
        f"/api/v1/tickets/1001/{action}",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert_problem(response, status)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/tickets?limit=0", 422),
        ("/api/v1/tickets?limit=" + "9" * 5000, 422),
        ("/api/v1/tickets?limit=x", 422),
        ("/api/v1/tickets?cursor=x", 422),
        ("/api/v1/tickets?status=x", 422),
        ("/api/v1/tickets?q=%00", 422),
        ("/api/v1/tickets?q=%ff", 200),
        ("/api/v1/tickets?q=" + "9" * 400, 200),
        ("/api/v1/tickets?q=" + "a%20" * 3000, 200),
        ("/api/v1/tickets?assignee=%00", 422),
        ("/api/v1/tickets/x", 404),
        ("/api/v1/tickets/%00", 422),
        ("/api/v1/tickets/" + "9" * 99, 404),
        ("/api/v1/tickets/00000000-0000-0000-0000-000000000000", 404),
        ("/api/v1/conversations/x/messages", 422),
        ("/api/v1/conversations/00000000-0000-0000-0000-000000000000/messages", 404),
        ("/api/v1/knowledge/search", 422),
        ("/api/v1/knowledge/search?q=", 200),
        ("/api/v1/knowledge/search?q=%00", 422),
        ("/api/v1/knowledge/search?q=x&lang=%00", 422),
        ("/api/v1/knowledge/search?q=x&limit=-1", 422),
        ("/api/v1/knowledge/articles?cursor=x", 422),
        ("/api/v1/knowledge/articles?q=%25", 200),
        ("/api/v1/knowledge/articles/%00", 422),
        ("/api/v1/nothing", 404),
    ],
)
async def test_odd_requests_get_the_right_answer(
    desk: Desk, api: Api, path: str, status: int
) -> None:
    client = await api()
    response = await client.get(path)
    if status == 200:
        assert response.status_code == 200
    else:
        assert_problem(response, status)


async def test_a_method_that_is_not_there_is_a_problem(desk: Desk, api: Api) -> None:
    client = await api()
    assert_problem(await client.patch("/api/v1/tickets"), 405)


async def test_a_body_that_hides_its_length_is_refused_too(desk: Desk, api: Api) -> None:
    client = await api()

    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    response = await client.post("/api/v1/tickets/1001/notes", content=chunks())
    assert_problem(response, 413)


async def test_every_promised_path_is_there_and_no_other_and_every_operation_described(
    desk: Desk,
) -> None:
    async with desk.client() as client:
        paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert set(paths) == {
        "/api/v1/agents",
        "/api/v1/agents/{agent}",
        "/api/v1/agents/{agent}/disable",
        "/api/v1/agents/{agent}/enable",
        "/api/v1/agents/{agent}/presence",
        "/api/v1/agents/{agent}/sign-in-link",
        "/api/v1/approval-roles",
        "/api/v1/approval-roles/{role}",
        "/api/v1/approvals",
        "/api/v1/assets",
        "/api/v1/assets/export.csv",
        "/api/v1/assets/import",
        "/api/v1/assets/{asset}",
        "/api/v1/assistant/examples",
        "/api/v1/assistant/examples/counts",
        "/api/v1/assistant/examples/{example}",
        "/api/v1/assistant/intents",
        "/api/v1/assistant/tolerance",
        "/api/v1/assistant/tolerance/outlook",
        "/api/v1/assistant/topics",
        "/api/v1/assistant/topics/{topic}",
        "/api/v1/assistant/topics/{topic}/articles",
        "/api/v1/assistant/topics/{topic}/dismiss",
        "/api/v1/assistant/topics/{topic}/examples",
        "/api/v1/assistant/topics/{topic}/problem",
        "/api/v1/assistant/topics/{topic}/questions",
        "/api/v1/assistant/topics/{topic}/reopen",
        "/api/v1/assistant/turns",
        "/api/v1/assistant/turns/counts",
        "/api/v1/assistant/versions",
        "/api/v1/assistant/versions/{version}",
        "/api/v1/assistant/versions/{version}/give-up",
        "/api/v1/assistant/versions/{version}/use",
        "/api/v1/audit",
        "/api/v1/audit/export.csv",
        "/api/v1/bulk/tickets",
        "/api/v1/calendars",
        "/api/v1/calendars/{calendar}",
        "/api/v1/calendars/{calendar}/due",
        "/api/v1/calendars/{calendar}/windows",
        "/api/v1/catalogue",
        "/api/v1/catalogue/{item}",
        "/api/v1/catalogue/{item}/requests",
        "/api/v1/catalogue/{item}/restore",
        "/api/v1/categories",
        "/api/v1/categories/{category}",
        "/api/v1/categories/{category}/fields",
        "/api/v1/categories/{category}/fields/{field}",
        "/api/v1/categories/{category}/restore",
        "/api/v1/closing-rule",
        "/api/v1/conversations",
        "/api/v1/conversations/{conversation}",
        "/api/v1/conversations/{conversation}/hand-back",
        "/api/v1/conversations/{conversation}/messages",
        "/api/v1/conversations/{conversation}/spam",
        "/api/v1/conversations/{conversation}/take-over",
        "/api/v1/files",
        "/api/v1/files/{attachment}",
        "/api/v1/hooks/{token}",
        "/api/v1/incoming-webhooks",
        "/api/v1/incoming-webhooks/{hook}",
        "/api/v1/incoming-webhooks/{hook}/address",
        "/api/v1/knowledge/articles",
        "/api/v1/knowledge/articles/{article}",
        "/api/v1/knowledge/search",
        "/api/v1/knowledge/synonyms",
        "/api/v1/knowledge/synonyms/{synonyms}",
        "/api/v1/macros",
        "/api/v1/macros/{macro}",
        "/api/v1/messages/{message}",
        "/api/v1/notices",
        "/api/v1/notices/chat",
        "/api/v1/notices/chat/code",
        "/api/v1/notices/chat/proof",
        "/api/v1/notices/count",
        "/api/v1/notices/read",
        "/api/v1/notices/wishes",
        "/api/v1/organisations",
        "/api/v1/organisations/{organisation}",
        "/api/v1/organisations/{organisation}/restore",
        "/api/v1/plans",
        "/api/v1/plans/{plan}",
        "/api/v1/plans/{plan}/restore",
        "/api/v1/problems",
        "/api/v1/priorities",
        "/api/v1/reports",
        "/api/v1/reports/export.csv",
        "/api/v1/reports/backlog",
        "/api/v1/reports/backlog.csv",
        "/api/v1/requesters",
        "/api/v1/requesters/{contact}",
        "/api/v1/requesters/{contact}/merges",
        "/api/v1/requesters/{contact}/merges/{merge}",
        "/api/v1/routing/dry-run",
        "/api/v1/routing/policy",
        "/api/v1/routing/rules",
        "/api/v1/routing/rules/{rule}",
        "/api/v1/routing/rules/{rule}/disable",
        "/api/v1/routing/rules/{rule}/enable",
        "/api/v1/routing/rules/{rule}/move",
        "/api/v1/rules",
        "/api/v1/rules/dry-run",
        "/api/v1/rules/{rule}",
        "/api/v1/rules/{rule}/dry-run",
        "/api/v1/rules/{rule}/move",
        "/api/v1/rules/{rule}/runs",
        "/api/v1/satisfaction",
        "/api/v1/search",
        "/api/v1/sla-policies",
        "/api/v1/sla-policies/order",
        "/api/v1/sla-policies/{policy}",
        "/api/v1/spam",
        "/api/v1/survey-rules",
        "/api/v1/tags",
        "/api/v1/teams",
        "/api/v1/teams/{team}",
        "/api/v1/teams/{team}/archive",
        "/api/v1/teams/{team}/members/{agent}",
        "/api/v1/teams/{team}/restore",
        "/api/v1/tickets",
        "/api/v1/tickets/{ticket}",
        "/api/v1/tickets/{ticket}/approval",
        "/api/v1/tickets/{ticket}/approval/ask-again",
        "/api/v1/tickets/{ticket}/assign",
        "/api/v1/tickets/{ticket}/escalate",
        "/api/v1/tickets/{ticket}/history",
        "/api/v1/tickets/{ticket}/link-codes",
        "/api/v1/tickets/{ticket}/links",
        "/api/v1/tickets/{ticket}/links/{link}",
        "/api/v1/tickets/{ticket}/macros",
        "/api/v1/tickets/{ticket}/macros/{macro}",
        "/api/v1/tickets/{ticket}/merges",
        "/api/v1/tickets/{ticket}/notes",
        "/api/v1/tickets/{ticket}/policy",
        "/api/v1/tickets/{ticket}/problem-updates",
        "/api/v1/tickets/{ticket}/promises",
        "/api/v1/tickets/{ticket}/replies",
        "/api/v1/tickets/{ticket}/request",
        "/api/v1/tickets/{ticket}/return-to-bot",
        "/api/v1/tickets/{ticket}/sides",
        "/api/v1/tickets/{ticket}/sides/{conversation}/replies",
        "/api/v1/tickets/{ticket}/spam",
        "/api/v1/tickets/{ticket}/status",
        "/api/v1/tickets/{ticket}/suggestions",
        "/api/v1/tickets/{ticket}/take",
        "/api/v1/tickets/{ticket}/tasks/{task}/done",
        "/api/v1/tickets/{ticket}/split",
        "/api/v1/tickets/{ticket}/rejoin",
        "/api/v1/tickets/{ticket}/unmerge",
        "/api/v1/tickets/{ticket}/watchers",
        "/api/v1/tickets/{ticket}/watchers/{agent}",
        "/api/v1/tokens",
        "/api/v1/tokens/{key}",
        "/api/v1/views",
        "/api/v1/views/{view}",
        "/api/v1/views/{view}/tickets",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{webhook}",
        "/api/v1/webhooks/{webhook}/calls",
        "/api/v1/webhooks/{webhook}/calls/{call}",
        "/api/v1/webhooks/{webhook}/secret",
        "/api/v1/webhooks/{webhook}/calls/{call}/repeat",
    }
    undescribed = [
        f"{method} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if not operation.get("description")
    ]
    assert undescribed == []


async def test_health_is_told_without_a_token(desk: Desk) -> None:
    async with desk.client() as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert ready.json() == {"ready": True, "components": {"database": "up"}}


async def test_a_hit_shows_the_stored_title(desk: Desk, api: Api) -> None:
    await desk.knowledge.create(
        Article(id=ArticleId("vpn"), language="en", title="Connect to the VPN", body="Do this.")
    )
    client = await api()
    (hit,) = (
        await client.get("/api/v1/knowledge/search", params={"q": "vpn connect", "lang": "en"})
    ).json()
    assert hit["title"] == "Connect to the VPN"


async def test_articles_tell_how_often_they_helped(desk: Desk, api: Api) -> None:
    for name in ("vpn", "wifi"):
        article = Article(id=ArticleId(name), language="en", title=name, body="Do this.")
        await desk.knowledge.create(article)
    async with desk.sessions.begin() as session:
        session.add_all(
            ArticleFeedback(
                id=new_id(),
                article_id="vpn",
                conversation_id=new_id(),
                helped=helped,
                at=desk.clock(),
            )
            for helped in (True, True, False)
        )
    client = await api()
    listed = (await client.get("/api/v1/knowledge/articles")).json()["items"]
    counts = {one["id"]: (one["helped"], one["not_helped"]) for one in listed}
    assert counts == {"vpn": (2, 1), "wifi": (0, 0)}
    shown = (await client.get("/api/v1/knowledge/articles/vpn")).json()
    assert (shown["helped"], shown["not_helped"]) == (2, 1)
