"""A question is read with what its words may mean besides what they say."""

from __future__ import annotations

from core.domain.ids import SynonymsId, new_id
from core.domain.knowledge import Synonyms
from core.services.knowledge.reading import read
from core.storage.queries.knowledge.knowledge import Guess


def group(*terms: str) -> Synonyms:
    return Synonyms(id=SynonymsId(new_id()), terms=terms)


def test_a_question_may_be_all_sure() -> None:
    reading = read("where is my badge", {}, [group("VPN", "AnyConnect")])
    assert (reading.sure, reading.guesses, reading.as_meant) == ("where is my badge", (), None)


def test_a_term_and_its_synonyms_are_one_place_of_the_question() -> None:
    reading = read("el anyconnect no va", {}, [group("VPN", "AnyConnect", "túnel")])
    assert reading.sure.split() == ["el", "no", "va"]
    assert [(one.slot, one.words) for one in reading.guesses] == [
        (0, "anyconnect"),
        (0, "vpn"),
        (0, "tunel"),
    ]
    assert reading.as_meant == "el anyconnect (vpn, tunel) no va"


def test_terms_are_whole_words_and_longer_ones_come_first() -> None:
    known = [group("pass", "badge"), group("second factor", "MFA"), group("factor", "cause")]
    reading = read("my password and second factor", {}, known)
    assert reading.as_meant == "my password and second factor (mfa)"


def test_mistyped_words_are_places_of_their_own() -> None:
    reading = read("my pritner jams", {"pritner": "printer"}, [])
    assert reading.sure.split() == ["my", "jams"]
    assert reading.guesses == (Guess(slot=0, words="printer", trust=0.8),)
    assert reading.as_meant == "my printer jams"
    assert reading.words == 3
