"""Articles for organisations are found by their requesters alone, and each has its own words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters.embeddings import HttpEmbedder
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import ArticleId, OrganisationId, SynonymsId, new_id
from core.domain.knowledge import Audience, Finding, Outcome
from core.services.knowledge import Knowledge, SynonymBook
from core.storage.engine import Sessions
from core.storage.tables import Organisation
from tests.integration.knowledge.world import Clock, article

PARKING = article("parking", "Park in the garage", "Gate three.", questions=("Where do I park?",))


@pytest.fixture
async def acme(sessions: Sessions) -> OrganisationId:
    return await organisation(sessions, "Acme")


async def organisation(sessions: Sessions, name: str) -> OrganisationId:
    key = new_id()
    async with sessions.begin() as session:
        session.add(Organisation(id=key, name=name))
    return OrganisationId(key)


def names(finding: Finding) -> list[str]:
    return [hit.article for hit in finding.hits]


async def test_an_article_for_an_organisation_is_for_nobody_else(
    knowledge: Knowledge, sessions: Sessions, acme: OrganisationId
) -> None:
    other = await organisation(sessions, "Other")
    await knowledge.create(replace(PARKING, organisations=(acme,)))
    while await knowledge.embed_pending():
        pass
    question = "Where do I park?"
    for outsider in (None, other):
        found = await knowledge.search(question, "en", organisation=outsider, limit=10)
        assert "parking" not in names(found)
    assert names(await knowledge.search(question, "en", organisation=acme))[0] == "parking"
    assert names(await knowledge.search(question, "en", audience=Audience.INTERNAL))[0] == "parking"


async def test_an_internal_article_stays_internal_in_its_organisation(
    wordy: Knowledge, acme: OrganisationId
) -> None:
    hidden = replace(PARKING, organisations=(acme,), audience=Audience.INTERNAL)
    await wordy.create(hidden)
    assert "parking" not in names(
        await wordy.search("Where do I park?", "en", organisation=acme, limit=10)
    )


async def test_an_article_is_for_organisations_that_there_are(wordy: Knowledge) -> None:
    with pytest.raises(InvalidInput):
        await wordy.create(replace(PARKING, organisations=(OrganisationId(new_id()),)))


async def test_a_new_version_of_a_file_does_not_open_its_article(
    wordy: Knowledge, acme: OrganisationId, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    for title in ("Park here", "Park there"):
        file.write_text(f'{{"id": "p", "lang": "en", "title": "{title}", "body": "x"}}')
        await wordy.import_path(tmp_path)
        stored = await wordy.get(ArticleId("p"))
        assert stored.title == title
        await wordy.update(replace(stored, organisations=(acme,)))
    assert (await wordy.get(stored.id)).organisations == (acme,)


async def test_synonyms_of_an_organisation_count_there_within_two_seconds(
    wordy: Knowledge, sessions: Sessions, acme: OrganisationId
) -> None:
    clock = Clock()
    knowledge = Knowledge(sessions, clock=clock)

    async def is_found(organisation: OrganisationId | None) -> bool:
        found = await knowledge.search("anyconnect", "en", organisation=organisation)
        return names(found)[:1] == ["connect-vpn"] and found.outcome is not Outcome.HAND_OFF

    before = await knowledge.search("anyconnect", "en", organisation=acme)
    assert before.outcome is Outcome.HAND_OFF
    made = await SynonymBook(sessions).create(["VPN", "AnyConnect", "túnel"], acme)
    clock.seconds += 2
    assert await is_found(acme)
    elsewhere = await knowledge.search("anyconnect", "en")
    assert elsewhere.outcome is Outcome.HAND_OFF
    await SynonymBook(sessions).change(replace(made, organisation=None))
    clock.seconds += 2
    assert await is_found(None)


async def test_synonyms_reach_what_the_question_means(
    knowledge: Knowledge, sessions: Sessions, embedder: HttpEmbedder
) -> None:
    asked = "the Quijote is on strike again"
    assert names(await knowledge.search(asked, "en"))[0] != "printer-jam"
    fresh = Knowledge(sessions, embedder)
    await SynonymBook(sessions).create(["Quijote", "printer", "impresora"])
    assert names(await fresh.search(asked, "en"))[0] == "printer-jam"


@pytest.mark.parametrize("terms", [[], ["VPN"], ["VPN", " vpn ", "?!"], ["a\0", "A"]])
async def test_one_term_alone_has_no_synonym(sessions: Sessions, terms: list[str]) -> None:
    with pytest.raises(InvalidInput):
        await SynonymBook(sessions).create(terms)


async def test_synonyms_that_are_gone_are_not_found(sessions: Sessions) -> None:
    book = SynonymBook(sessions)
    made = await book.create(["VPN", "AnyConnect"])
    assert await book.list() == [made]
    await book.delete(made.id)
    with pytest.raises(NotFound):
        await book.delete(made.id)
    with pytest.raises(NotFound):
        await book.change(replace(made, id=SynonymsId(new_id())))
    with pytest.raises(NotFound):
        await book.create(["VPN", "AnyConnect"], OrganisationId(new_id()))
