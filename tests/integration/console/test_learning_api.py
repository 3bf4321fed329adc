"""Programs read the turn log, and do about topics, examples and versions what people can."""

from __future__ import annotations

import httpx
import pytest

from core.domain.actor import Role, Scope
from core.domain.assistant import Answer, Feedback, LookUp, Say, Understanding
from core.domain.errors import NotFound
from core.domain.ids import ArticleId, TopicId, new_id
from core.domain.knowledge import Article, Finding, Hit, Outcome
from core.domain.models import Example, ExampleState, Training, TrainingState
from core.services.access.tokens import TokenTerms
from core.services.learning.examples import ExampleBook
from core.services.learning.topics import Topics
from core.services.learning.versions import ModelVersions
from tests.integration.console.api import Api
from tests.integration.console.learning import (
    give_to_another_team,
    knows_intents,
    missed,
    topic_of,
    turn,
)
from tests.integration.console.world import Desk

ROOM = "/api/v1/assistant"


async def approved_example(desk: Desk) -> None:
    boss = await desk.agent("eve@example.org", "Eve", Role.ADMIN)
    book = ExampleBook(desk.sessions)
    example = await book.propose(Example(text="ta", intent="thanks", language="en"), boss)
    await book.review(example, ExampleState.APPROVED, boss)


async def test_the_turn_log_tells_what_was_understood_found_and_done(desk: Desk, api: Api) -> None:
    vpn = ArticleId("vpn")
    await desk.knowledge.create(Article(id=vpn, language="en", title="Connect", body="Open it."))
    conversation = await desk.says("how do I get vpn")
    finding = Finding(outcome=Outcome.ANSWER, hits=(Hit(article=vpn, title="Connect", score=0.9),))
    told = Understanding(look_ups=(LookUp(question="how do I get vpn", finding=finding),))
    await turn(desk, conversation, told, Answer(article=vpn, score=0.9))
    await desk.says("no")
    await turn(desk, conversation, Understanding(feedback=Feedback.NOT_HELPED), Say(text="Oh."))
    client = await api(Role.LEAD)
    listed = (await client.get(f"{ROOM}/turns")).json()
    newest, first = listed["items"]
    assert listed["next"] is None
    assert (newest["text"], newest["deed"], newest["pressed"]) == ("no", "talked", False)
    assert (first["intent"], first["confidence"]) == ("ask_question", 0.83)
    assert (first["deed"], first["upshot"], first["missed"]) == ("answered", "not_helped", True)
    assert first["articles"] == [{"id": "vpn", "title": "Connect"}]
    assert first["look_ups"][0]["hits"][0]["score"] == 0.9
    assert (await client.get(f"{ROOM}/turns/counts")).json() == {"answered": 1, "talked": 1}
    for query, found in (
        ("missed=true", 1),
        ("deed=talked", 1),
        ("upshot=helped", 0),
        ("q=vpn&language=en", 1),
        (f"conversation={conversation}", 2),
        (f"conversation={new_id()}", 0),
        ("since=2999-01-01T00:00:00Z", 0),
    ):
        items = (await client.get(f"{ROOM}/turns?{query}")).json()["items"]
        assert len(items) == found, query
    for query in ("deed=nonsense", "since=2030-01-01T00:00:00", "cursor=nonsense", "limit=101"):
        assert (await client.get(f"{ROOM}/turns?{query}")).status_code == 422, query


@pytest.mark.parametrize("what", ["turns", "examples", "versions"])
async def test_lists_go_on_where_the_last_part_ended(desk: Desk, api: Api, what: str) -> None:
    boss = await desk.agent("eve@example.org", "Eve", Role.ADMIN)
    await knows_intents(desk)
    for number in range(3):
        if what == "turns":
            await missed(desk, f"question {number}", f"t{number}")
        else:
            book = ExampleBook(desk.sessions)
            example = Example(text=f"ta {number}", intent="thanks", language="en")
            await book.review(await book.propose(example, boss), ExampleState.APPROVED, boss)
        if what == "versions" and number < 2:
            versions = ModelVersions(desk.sessions)
            await versions.give_up(await versions.ask(boss), boss)
    client = await api(Role.AUDITOR)
    whole = (await client.get(f"{ROOM}/{what}")).json()["items"]
    assert len(whole) == 3
    params, one_by_one = {"limit": "1"}, []
    while params.get("cursor", "") is not None:
        part = (await client.get(f"{ROOM}/{what}", params=params)).json()
        one_by_one += part["items"]
        params["cursor"] = part["next"]
    assert one_by_one == whole


async def test_a_topic_tells_its_questions_and_its_trend(desk: Desk, api: Api) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    client = await api(Role.LEAD)
    (listed,) = (await client.get(f"{ROOM}/topics")).json()["items"]
    assert (listed["id"], listed["size"], listed["state"]) == (str(topic), 2, "open")
    assert listed["trend"] == {"this_week": 2, "usual": 0.0, "growth": 2.0}
    assert (await client.get(f"{ROOM}/topics?cursor=1")).json() == {"items": [], "next": None}
    assert (await client.get(f"{ROOM}/topics?kind=ticket")).json()["items"] == []
    whole = (await client.get(f"{ROOM}/topics/{topic}")).json()
    texts = {item["text"] for item in whole["items"]}
    assert texts == {"parrot in the office?", "may my parrot come?"}
    assert (await client.get(f"{ROOM}/topics/{new_id()}")).status_code == 404


async def test_a_topic_is_let_rest_and_opened_again(desk: Desk, api: Api) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    client = await api(Role.LEAD)
    rests = await client.post(f"{ROOM}/topics/{topic}/dismiss", json={})
    assert rests.json()["state"] == "dismissed"
    assert (await client.get(f"{ROOM}/topics")).json()["items"] == []
    (settled,) = (await client.get(f"{ROOM}/topics?settled=true")).json()["items"]
    assert settled["id"] == str(topic)
    opened = await client.post(f"{ROOM}/topics/{topic}/reopen", json={})
    assert opened.json()["state"] == "open"


async def test_an_article_written_for_a_topic_settles_it(desk: Desk, api: Api) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    admin = await api(Role.ADMIN)
    article = {"title": "Animals", "body": "None.", "questions": ["may my parrot come?"]}
    made = await admin.post(f"{ROOM}/topics/{topic}/articles", json=article)
    assert (made.status_code, made.json()["id"]) == (201, "animals")
    whole = (await admin.get(f"{ROOM}/topics/{topic}")).json()
    assert (whole["state"], whole["article"]) == ("done", "animals")
    nowhere = await admin.post(f"{ROOM}/topics/{new_id()}/articles", json=article)
    assert nowhere.status_code == 404
    assert len((await admin.get("/api/v1/knowledge/articles")).json()["items"]) == 1


async def test_a_topics_question_goes_to_an_article_once(desk: Desk, api: Api) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")
    await desk.knowledge.create(Article(id=ArticleId("pets"), language="en", title="Pets", body=""))
    admin = await api(Role.ADMIN)
    path, body = f"{ROOM}/topics/{topic}/questions", {"article": "pets", "question": "Parrots?"}
    assert (await admin.post(path, json=body)).json()["questions"] == ["Parrots?"]
    assert (await admin.post(path, json=body)).status_code == 422
    assert (await admin.post(path, json={**body, "article": "none"})).status_code == 404


async def test_a_topic_of_questions_gives_an_example_and_no_problem(desk: Desk, api: Api) -> None:
    topic = await topic_of(desk, "ta for the parrot", "thank you parrot")
    await knows_intents(desk)
    lead = await api(Role.LEAD)
    body = {"text": "ta for the parrot", "intent": "thanks", "language": "en"}
    made = await lead.post(f"{ROOM}/topics/{topic}/examples", json=body)
    assert (made.status_code, made.json()["state"]) == (201, "pending")
    assert (await lead.get(f"{ROOM}/topics/{topic}")).json()["state"] == "done"
    assert (await lead.post(f"{ROOM}/topics/{topic}/problem", json={})).status_code == 422


async def test_an_example_is_proposed_reviewed_and_removed(desk: Desk, api: Api) -> None:
    await knows_intents(desk)
    lead, admin = await api(Role.LEAD, "leo@example.org"), await api(Role.ADMIN, "eve@example.org")
    assert (await lead.get(f"{ROOM}/intents")).json()["items"] == ["ask_question", "thanks"]
    body = {"text": "ta  very much", "intent": "thanks", "language": "en"}
    made = await lead.post(f"{ROOM}/examples", json=body)
    assert (made.status_code, made.json()["text"]) == (201, "ta very much")
    assert made.headers["ETag"] == f'"{made.json()["revision"]}"'
    assert (await lead.post(f"{ROOM}/examples", json=body)).status_code == 409
    assert (await lead.post(f"{ROOM}/examples", json={**body, "intent": "no"})).status_code == 422
    place = f"{ROOM}/examples/{made.json()['id']}"
    assert (await lead.patch(place, json={"state": "approved"})).status_code == 403
    assert (await admin.patch(place, json={})).status_code == 422
    seen = {"If-Match": made.headers["ETag"]}
    approved = await admin.patch(place, json={"state": "approved"}, headers=seen)
    assert (approved.status_code, approved.json()["reviewed_by"]) == (200, "eve")
    late = await admin.patch(place, json={"state": "rejected"}, headers=seen)
    assert late.status_code == 412
    moved = await admin.patch(place, json={"intent": "ask_question"})
    assert (moved.json()["state"], moved.json()["intent"]) == ("pending", "ask_question")
    both = await admin.patch(place, json={"intent": "thanks", "state": "approved"})
    assert (both.json()["state"], both.json()["intent"]) == ("approved", "thanks")
    counts = (await lead.get(f"{ROOM}/examples/counts")).json()
    assert counts == {"pending": 0, "approved": 1, "rejected": 0}
    found = await lead.get(f"{ROOM}/examples?state=approved&intent=thanks&language=en&q=much")
    assert len(found.json()["items"]) == 1
    assert (await admin.delete(place, headers=seen)).status_code == 412
    assert (await admin.delete(place)).status_code == 204
    assert (await admin.get(place)).status_code == 404


async def test_a_version_is_trained_judged_used_and_gone_back_from(desk: Desk, api: Api) -> None:
    await knows_intents(desk)
    admin = await api(Role.ADMIN)
    nothing = await admin.post(f"{ROOM}/versions", json={})
    assert nothing.status_code == 409
    await approved_example(desk)
    asked = await admin.post(f"{ROOM}/versions", json={"goes_live": False})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    number = asked.json()["number"]
    assert (await admin.post(f"{ROOM}/versions", json={})).status_code == 409
    versions = ModelVersions(desk.sessions)
    assert await versions.due() is not None
    report = {"passed": False, "reasons": ["alarm_missed"], "better": [], "worse": []}
    done = Training(state=TrainingState.DONE, passed=False, report=report)
    await versions.note_training(number, done)
    judged = (await admin.get(f"{ROOM}/versions/{number}")).json()
    assert (judged["state"], judged["passed"], judged["can_serve"]) == ("worse", False, True)
    assert (judged["reasons"], judged["report"]) == (["alarm_missed"], report)
    used = await admin.post(f"{ROOM}/versions/{number}/use", json={})
    assert (used.json()["state"], used.json()["serving"]) == ("live", False)
    assert (await admin.post(f"{ROOM}/versions/{number}/use", json={})).status_code == 409
    assert (await admin.post(f"{ROOM}/versions/0/use", json={})).json()["state"] == "live"
    listed = (await admin.get(f"{ROOM}/versions")).json()["items"]
    assert [(one["number"], one["state"]) for one in listed] == [(number, "retired"), (0, "live")]
    assert (await admin.post(f"{ROOM}/versions/{number}/give-up", json={})).status_code == 409
    assert (await admin.get(f"{ROOM}/versions/99")).status_code == 404
    assert (await admin.get(f"{ROOM}/versions/{2**63}")).status_code == 422


async def test_a_version_under_way_is_given_up(desk: Desk, api: Api) -> None:
    await knows_intents(desk)
    await approved_example(desk)
    admin = await api(Role.ADMIN)
    number = (await admin.post(f"{ROOM}/versions", json={})).json()["number"]
    given_up = await admin.post(f"{ROOM}/versions/{number}/give-up", json={})
    assert (given_up.json()["state"], given_up.json()["error"]) == ("broken", "given up")


async def test_articles_for_topics_need_the_scope_knowledge(desk: Desk, api: Api) -> None:
    topic = await topic_of(desk, "parrot in the office?", "may my parrot come?")

    async def with_scope(scope: Scope) -> httpx.AsyncClient:
        terms = TokenTerms(scopes=frozenset({Scope.READ, scope}))
        token = await desk.access.create_token("eve@example.org", Role.ADMIN, terms)
        return desk.client(Authorization=f"Bearer {token}")

    writer, other = await with_scope(Scope.KNOWLEDGE), await with_scope(Scope.ADMIN)
    article = {"title": "Animals", "body": "None."}
    question = {"article": "animals", "question": "Parrots?"}
    for act, body, done in (("articles", article, 201), ("questions", question, 200)):
        path = f"{ROOM}/topics/{topic}/{act}"
        assert (await other.post(path, json=body)).status_code == 403, act
        assert (await writer.post(path, json=body)).status_code == done, act
    assert (await writer.post(f"{ROOM}/topics/{topic}/dismiss", json={})).status_code == 403


async def test_an_article_for_a_topic_that_is_gone_is_not_stored(desk: Desk) -> None:
    boss = await desk.agent("eve@example.org", "Eve", Role.ADMIN)
    article = Article(id=ArticleId("animals"), language="en", title="Animals", body="None.")
    topics = Topics(desk.sessions, desk.accounts, desk.knowledge)
    with pytest.raises(NotFound):
        await topics.write_article(TopicId(new_id()), article, boss)
    assert await desk.knowledge.get_many([article.id]) == {}


LEADS = {
    *("topics/{id}/examples", "topics/{id}/problem", "topics/{id}/dismiss", "topics/{id}/reopen"),
    "examples",
}
ADMINS = {
    *("topics/{id}/articles", "topics/{id}/questions"),
    *("versions", "versions/0/use", "versions/0/give-up"),
}


@pytest.mark.parametrize(
    ("role", "refused"),
    [(Role.AGENT, LEADS | ADMINS), (Role.LEAD, ADMINS), (Role.AUDITOR, LEADS | ADMINS)],
)
async def test_who_may_not_change_something_is_refused(
    desk: Desk, api: Api, role: Role, refused: set[str]
) -> None:
    client = await api(role)
    for path in refused:
        answer = await client.post(f"{ROOM}/{path.format(id=new_id())}", json={})
        assert answer.status_code == 403, path
    example = f"{ROOM}/examples/{new_id()}"
    changed = await client.patch(example, json={"state": "approved"})
    assert (changed.status_code, (await client.delete(example)).status_code) == (403, 403)


READ = {
    **dict.fromkeys(("turns", "turns/counts", "topics", "examples", "examples/counts"), 200),
    **dict.fromkeys(("intents", "versions", "versions/0"), 200),
    **dict.fromkeys(("tolerance", "tolerance/outlook"), 200),
    **dict.fromkeys(("topics/{id}", "examples/{id}"), 404),
}


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.AUDITOR])
async def test_leads_and_auditors_read_and_agents_do_not(desk: Desk, api: Api, role: Role) -> None:
    client = await api(role)
    for path, found in READ.items():
        answer = await client.get(f"{ROOM}/{path.format(id=new_id())}")
        assert answer.status_code == (403 if role == Role.AGENT else found), path


async def test_what_belongs_to_another_team_is_neither_told_nor_decided_about(
    desk: Desk, api: Api
) -> None:
    topic = f"{ROOM}/topics/{await topic_of(desk, 'parrot in the office?', 'may my parrot come?')}"
    lead = await api(Role.LEAD, "leo@example.org")
    assert (await lead.get(topic)).status_code == 200
    await give_to_another_team(desk)
    assert (await lead.get(f"{ROOM}/topics")).json()["items"] == []
    assert len((await lead.get(f"{ROOM}/turns")).json()["items"]) == 1
    assert (await lead.get(f"{ROOM}/turns/counts")).json() == {"unanswered": 1}
    assert (await lead.get(topic)).status_code == 404
    example = {"text": "parrots", "intent": "thanks", "language": "en"}
    for act, body in (
        ("dismiss", {}),
        ("reopen", {}),
        ("problem", {}),
        ("examples", example),
    ):
        assert (await lead.post(f"{topic}/{act}", json=body)).status_code == 404, act
