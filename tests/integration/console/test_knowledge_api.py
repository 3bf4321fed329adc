"""The JSON API of the knowledge base: articles, search, synonyms."""

from __future__ import annotations

from sqlalchemy import select

from core.domain.actor import Role
from core.domain.ids import ArticleId, OrganisationId, new_id
from core.domain.knowledge import Article
from core.storage.tables import ArticleFeedback, Contact, Conversation, Message, Organisation
from tests.integration.console.api import Api, assert_problem
from tests.integration.console.world import BOT_TOKEN, Desk


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
