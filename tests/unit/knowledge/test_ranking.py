"""A score is a probability, and the outcome follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.ids import ArticleId
from core.domain.knowledge import Hit, Outcome
from core.services.knowledge.ranking import Evidence, HybridModel, Policy, model, strength, worth

SHARE = st.floats(0, 1)
WITH_VECTORS = st.builds(
    Evidence,
    words=SHARE,
    coverage=SHARE,
    cosine=SHARE,
    cosine_centre=SHARE,
    is_same_language=st.booleans(),
)
WITHOUT_VECTORS = st.builds(Evidence, words=SHARE, coverage=SHARE, is_same_language=st.booleans())


def hits(*scores: float) -> list[Hit]:
    return [
        Hit(article=ArticleId(f"article-{number}"), title="", score=score)
        for number, score in enumerate(scores)
    ]


@pytest.mark.parametrize(("kind", "with_vectors"), [(WITH_VECTORS, True), (WITHOUT_VECTORS, False)])
def test_probabilities_leave_room_for_none_of_these(
    kind: st.SearchStrategy[Evidence], with_vectors: bool
) -> None:
    @given(st.lists(kind, min_size=1, max_size=20), st.integers(1, 100))
    def check(evidence: list[Evidence], words: int) -> None:
        chances = model(with_vectors=with_vectors).probabilities(evidence, words=words)
        assert all(0 <= chance <= 1 for chance in chances)
        assert sum(chances) <= 1 + 1e-9

    check()


@given(st.lists(WITH_VECTORS, min_size=2, max_size=20), st.integers(1, 100))
def test_what_speaks_for_a_candidate_decides_its_place(
    evidence: list[Evidence], words: int
) -> None:
    hybrid = model(with_vectors=True)
    assert isinstance(hybrid, HybridModel)
    numbers, _ = hybrid.shares(evidence)
    chances = hybrid.probabilities(evidence, words=words)
    by_number = sorted(range(len(numbers)), key=lambda place: -numbers[place])
    in_order = [chances[place] for place in by_number]
    assert in_order == pytest.approx(sorted(chances, reverse=True))


def test_two_that_follow_closely_are_likelier_than_two_that_do_not() -> None:
    def with_cosines(*cosines: float) -> list[Evidence]:
        return [Evidence(words=0.3, coverage=0.3, cosine=one, cosine_centre=one) for one in cosines]

    crowd = [0.75] * 20
    close = model(with_vectors=True).probabilities(with_cosines(0.9, 0.89, 0.89, *crowd), words=6)
    far = model(with_vectors=True).probabilities(with_cosines(0.9, 0.82, 0.82, *crowd), words=6)
    assert sum(close[1:3]) > sum(far[1:3])
    assert close[0] < far[0]


@pytest.mark.parametrize("with_vectors", [True, False])
def test_of_equals_the_one_in_the_askers_language_is_likelier(with_vectors: bool) -> None:
    cosine = 0.9 if with_vectors else None
    same, other = (
        Evidence(
            words=0.5,
            coverage=0.5,
            cosine=cosine,
            cosine_centre=cosine,
            is_same_language=is_same_language,
        )
        for is_same_language in (True, False)
    )
    first, second = model(with_vectors=with_vectors).probabilities([same, other], words=4)
    assert first > second


@pytest.mark.parametrize(("in_another", "is_first"), [(0.3, False), (0.5, True)])
def test_an_article_in_another_language_comes_first_where_it_is_clearly_likelier(
    in_another: float, is_first: bool
) -> None:
    own = Evidence(words=0.5, coverage=0.5)
    other = replace(own, is_same_language=False)
    assert (worth(in_another, other) > worth(0.28, own)) is is_first


@given(st.floats(0, 1), st.floats(0, 1))
def test_no_answer_is_another_one_for_its_language(likelier: float, other: float) -> None:
    """What is answered is twice as likely as the next."""
    foreign = Evidence(words=0.5, coverage=0.5, is_same_language=False)
    if other <= likelier / 2 and likelier > 0:
        assert worth(likelier, foreign) > worth(other, replace(foreign, is_same_language=True))


@given(WITH_VECTORS | WITHOUT_VECTORS, st.floats(0.01, 1))
def test_more_words_in_common_speak_more_for_a_version(evidence: Evidence, more: float) -> None:
    assert strength(replace(evidence, words=evidence.words + more)) > strength(evidence)


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        ((), Outcome.HAND_OFF),
        ((0.95, 0.02), Outcome.ANSWER),
        ((0.91, 0.02), Outcome.OFFER),
        ((0.3, 0.2, 0.1, 0.1), Outcome.OFFER),
        ((0.25, 0.05, 0.05, 0.3), Outcome.HAND_OFF),
        ((0.05,), Outcome.HAND_OFF),
    ],
)
def test_the_outcome_follows_from_the_probabilities(
    scores: tuple[float, ...], outcome: Outcome
) -> None:
    assert Policy(wrong_answers_per_hundred=10).outcome(hits(*scores)) is outcome


def test_more_tolerance_means_more_answers() -> None:
    found = hits(0.85, 0.05)
    assert Policy(wrong_answers_per_hundred=5).outcome(found) is Outcome.OFFER
    assert Policy(wrong_answers_per_hundred=30).outcome(found) is Outcome.ANSWER


def test_a_near_tie_is_offered_however_tolerant_the_desk_is() -> None:
    assert Policy(wrong_answers_per_hundred=80).outcome(hits(0.5, 0.45)) is Outcome.OFFER


def test_words_alone_must_be_surer() -> None:
    policy = Policy(wrong_answers_per_hundred=10)
    assert policy.outcome(hits(0.95, 0.01)) is Outcome.ANSWER
    assert policy.outcome(hits(0.95, 0.01), with_vectors=False) is Outcome.OFFER
