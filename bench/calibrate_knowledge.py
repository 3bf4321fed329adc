"""Fits the coefficients of the knowledge search on the starter articles: which scores mean what.

    python -m bench.calibrate_knowledge [--write]

Many small knowledge bases are made of the starter articles: other languages, fewer articles, with
and without bodies, with many or few alternative questions. The questions left out of them are
asked: about articles that are in (one right answer), about articles that are not (none), and
chatter (none). The search itself collects the evidence, so what is fitted is what ships.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncEngine

from core.domain.knowledge import Article
from core.runtime.database.postgres import embedded_postgres
from core.runtime.embedder import MODEL, EmbeddingModel
from core.runtime.minilm import LANGUAGES
from core.runtime.minilm import MODEL as SECOND_MODEL
from core.runtime.minilm.encoder import MiniLM
from core.services.knowledge import ranking
from core.services.knowledge.evaluation import count_vectors, fill, scratch
from core.services.knowledge.indexing import embed_pending, fields_of, passages_of
from core.services.knowledge.ranking import (
    OFFERED,
    Evidence,
    HybridModel,
    Policy,
    WordsModel,
    candidate_features,
    next_features,
    none_features,
    trust_features,
)
from core.services.knowledge.search import Search
from core.services.knowledge.sources import entries
from core.storage.engine import open_engine
from core.storage.migrate import migrate
from core.storage.queries.knowledge.knowledge import STATEMENTS

_ROOT = Path(__file__).parent.parent
_WORLDS = 96
_PER_WORLD = 160  # questions
SAME_LANGUAGE = 0.3  # enough to decide between equals
# Round, and not fitted: the starter articles would have words count for more, because
# each has words of its own ("VPN", "payslip"). Articles that share their words, as those on one
# subject do, lose more by that than these gain.
_HYBRID = {
    "words": 5.0,
    "words_of_text": 3.0,  # more, where an article has no questions to compare with
    "cosine": 6.0,
    "cosine_centre": 6.0,
    "same_language": SAME_LANGUAGE,
}
# Round as well: bases drawn from public sets of English questions are ranked best by some 4 to 10.
_TWO_VIEWS = {**_HYBRID, "second": 6.0, "second_centre": 6.0}
_CANDIDATES: Mapping[str, Mapping[str, float]] = {"hybrid": _HYBRID, "two_views": _TWO_VIEWS}
_STIFFNESS = 1.0  # of the pull of each coefficient towards zero


class LocalEmbedder:
    """The bundled model in this process, each text embedded once."""

    model = MODEL
    dimensions = 384

    def __init__(self) -> None:
        self._model = EmbeddingModel(threads=1)
        self._known: dict[tuple[bool, str], Sequence[float]] = {}

    async def embed_query(self, text: str) -> Sequence[float]:
        return self._vector(text, is_query=True)

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [self._vector(text, is_query=False) for text in texts]

    def _vector(self, text: str, *, is_query: bool) -> Sequence[float]:
        key = (is_query, text)
        if key not in self._known:
            self._known[key] = self._model.embed(text, is_query=is_query)[0].tolist()
        return self._known[key]


class LocalSecond:
    """The second encoder in this process, each text embedded once."""

    model = SECOND_MODEL
    dimensions = 384
    languages = LANGUAGES
    is_missing = False

    def __init__(self) -> None:
        self._model = MiniLM()
        self._known: dict[str, Sequence[float]] = {}

    async def embed_query(self, text: str) -> Sequence[float]:
        return self._vector(text)

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Sequence[float]:
        if text not in self._known:
            self._known[text] = self._model.embed(text)[0].tolist()
        return self._known[text]


@dataclass(frozen=True, slots=True)
class World:
    """A knowledge base and what is asked of it: language, question, the family that answers."""

    articles: list[Article]
    asked: list[tuple[str, str, str | None]]


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the evidence found, and which candidate is right."""

    evidence: list[Evidence]
    words: int
    right: int | None


def family(article: Article) -> str:
    """Return the name that an article and its translations share."""
    return article.translation_of or article.id


def starter_articles() -> list[Article]:
    """Return the starter articles of all languages."""
    found = [entry.article for entry in entries(_ROOT / "nlu_data" / "knowledge")]
    return [article for article in found if article is not None]


def chatter() -> list[tuple[str, str]]:
    """Return language and text of lines that no article answers."""
    lines = (Path(__file__).parent / "chatter.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("\t") for line in lines if line and not line.startswith("#")]
    return [(language, text) for language, _, text in pairs]


def make_world(seed: int, articles: Sequence[Article]) -> World:
    """Return one of many possible knowledge bases made of `articles`."""
    dice = random.Random(seed)
    kept_languages = dice.choice([("en",), ("es",), ("en", "es"), ("en", "es")])
    asked_languages = kept_languages
    if len(kept_languages) == 1 and dice.random() < 0.2:
        asked_languages = ("es",) if kept_languages == ("en",) else ("en",)
    families = sorted({family(article) for article in articles})
    inside = set(dice.sample(families, round(len(families) * dice.uniform(0.45, 0.9))))
    indexed = dice.choice([0, 1, 2, 3, 4, 6, 8])
    with_body = dice.random() < 0.75 or indexed == 0
    with_title = dice.random() < 0.8 or not with_body

    kept, about, aside = [], [], []
    for article in articles:
        questions = list(article.questions)
        dice.shuffle(questions)
        if family(article) in inside and article.language in kept_languages:
            kept.append(
                replace(
                    article,
                    title=article.title if with_title else "",
                    body=article.body if with_body else "",
                    questions=tuple(questions[:indexed]),
                )
            )
        if article.language in asked_languages:
            if family(article) in inside:
                left = questions[indexed:]
                about += [(article.language, question, family(article)) for question in left]
            else:
                aside += [(article.language, question, None) for question in questions]
    idle = [(language, text, None) for language, text in chatter() if language in asked_languages]
    answerable = round(_PER_WORLD * 0.65)
    asked: list[tuple[str, str, str | None]] = []
    asked += dice.sample(about, min(len(about), answerable))
    asked += dice.sample(aside, min(len(aside), (_PER_WORLD - answerable) * 2 // 3))
    asked += dice.sample(idle, min(len(idle), (_PER_WORLD - answerable) // 3))
    return World(kept, asked)


def fitted_on() -> str:
    """Return a digest of what the coefficients are fitted on; it takes a second.

    That is the questions asked in every world, the articles as they are indexed, the statements
    that look for them, and the numbers made of what is found.
    """
    articles = starter_articles()
    worlds = [make_world(seed, articles) for seed in range(_WORLDS)]
    found = [
        Evidence(words=0.4, coverage=0.6, cosine=cosine, cosine_centre=centre, has_questions=has)
        for cosine, centre, has in [(0.9, 0.88, True), (0.8, None, False), (None, None, True)]
    ]
    found.insert(0, replace(found[0], second=0.6, second_centre=0.5))
    known = [
        MODEL,
        SECOND_MODEL,
        sorted(LANGUAGES),
        [world.asked for world in worlds],
        [(passages_of(article), [repr(one) for one in fields_of(article)]) for article in articles],
        [[article.id for article in world.articles] for world in worlds],
        [" ".join(re.sub("--.*", "", statement).split()) for statement in STATEMENTS],
        _HYBRID,
        _TWO_VIEWS,
        _STIFFNESS,
        *(_rounded(candidate_features(one)) for one in found),
        _rounded(trust_features([0.5, 1.5], [0.3, 0.7], words=5)),
        _rounded(next_features([0.5, 1.5, 0.1], [0.3, 0.6, 0.1], words=5)),
        _rounded(none_features(found[3:], words=5)),
    ]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def _rounded(features: Mapping[str, float]) -> dict[str, float]:
    """Return `features` as they are on every machine: the last digits of a logarithm differ."""
    return {name: round(value, 9) for name, value in features.items()}


async def cases_of(
    engine: AsyncEngine,
    embedder: LocalEmbedder | None,
    world: World,
    second: LocalSecond | None = None,
) -> list[Case]:
    """Ask of `world` everything in the languages that all encoders know; return what was found."""
    families = {str(article.id): family(article) for article in world.articles}
    cases = []
    async with scratch(engine) as sessions:
        await fill(sessions, world.articles)
        while embedder is not None and await embed_pending(sessions, embedder, 256, second):
            pass
        await count_vectors(sessions)
        search = Search(sessions, embedder, Policy(), second=second)
        for language, question, answer in world.asked:
            if second is not None and language not in second.languages:
                continue
            found = await search.gather(question, language)
            names = [families[candidate.article] for candidate, _ in found.candidates]
            right = names.index(answer) if answer in names else None
            cases.append(Case([evidence for _, evidence in found.candidates], found.words, right))
    return cases


def fit_hybrid(
    cases: Sequence[Case], candidate: Mapping[str, float] = _HYBRID
) -> dict[str, Mapping[str, float]]:
    """Return the coefficients of `HybridModel`: those that made what happened most likely."""
    model = HybridModel(candidate, {}, {})
    trusted, following = [], []
    for case in cases:
        if not case.evidence:
            continue
        scores, shares = model.shares(case.evidence)
        places = sorted(range(len(scores)), key=lambda place: -scores[place])
        is_first = places[0] == case.right
        trusted.append((trust_features(scores, shares, words=case.words), is_first))
        if not is_first:
            is_next = case.right in places[1:OFFERED]
            following.append((next_features(scores, shares, words=case.words), is_next))
    return {"candidate": candidate, "trust": _logistic(trusted), "next": _logistic(following)}


def _logistic(cases: Sequence[tuple[dict[str, float], bool]]) -> Mapping[str, float]:
    """Return the coefficients of a logistic regression, by Newton's method."""
    table = np.array([list(features.values()) for features, _ in cases])
    right = np.array([is_right for _, is_right in cases], dtype=np.float64)
    coefficients = np.zeros(table.shape[1])
    for _ in range(50):
        chances = 1 / (1 + np.exp(-table @ coefficients))
        slope = table.T @ (right - chances) - _STIFFNESS * coefficients
        curvature = (table * (chances * (1 - chances))[:, None]).T @ table
        step = np.linalg.solve(curvature + _STIFFNESS * np.eye(table.shape[1]), slope)
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-6:
            break
    values = [round(float(value), 3) for value in coefficients]
    return dict(zip(cases[0][0], values, strict=True))


def fit_words(
    cases: Sequence[Case], *, stiffness: float = _STIFFNESS
) -> dict[str, Mapping[str, float]]:
    """Return the coefficients of `WordsModel` that make what happened most likely."""
    cases = [case for case in cases if case.evidence]
    # Not fitted: among starter articles, which all exist in both languages, it means nothing.
    candidate_names = [
        name for name in candidate_features(cases[0].evidence[0]) if name != "same_language"
    ]
    none_names = list(none_features(cases[0].evidence, words=1))
    width = len(candidate_names) + len(none_names)
    tables, rights, biases = [], [], []
    for case in cases:
        known = [SAME_LANGUAGE * evidence.is_same_language for evidence in case.evidence]
        biases.append(np.array([*known, 0.0]))
        table = np.zeros((len(case.evidence) + 1, width))
        for row, evidence in enumerate(case.evidence):
            features = candidate_features(evidence)
            table[row, : len(candidate_names)] = [features[name] for name in candidate_names]
        features = none_features(case.evidence, words=case.words)
        table[-1, len(candidate_names) :] = [features[name] for name in none_names]
        tables.append(table)
        rights.append(len(case.evidence) if case.right is None else case.right)

    def likelihood(coefficients: NDArray[np.float64]) -> float:
        total = -stiffness / 2 * float(coefficients @ coefficients)
        for table, bias, right in zip(tables, biases, rights, strict=True):
            scores = table @ coefficients + bias
            total += float(scores[right] - scores.max())
            total -= float(np.log(np.exp(scores - scores.max()).sum()))
        return total

    coefficients = np.zeros(width)
    reached = likelihood(coefficients)
    for _ in range(50):
        slope = -stiffness * coefficients
        curvature = stiffness * np.eye(width)
        for table, bias, right in zip(tables, biases, rights, strict=True):
            chances = _softmax(table @ coefficients + bias)
            expected = chances @ table
            slope += table[right] - expected
            curvature += (table * chances[:, None]).T @ table - np.outer(expected, expected)
        step = np.linalg.solve(curvature, slope)
        while (ahead := likelihood(coefficients + step)) < reached and np.abs(step).max() > 1e-9:
            step /= 2  # too far: the curvature was that of another place
        coefficients, gain, reached = coefficients + step, ahead - reached, ahead
        if gain < 1e-4:
            break
    values = [round(float(value), 3) for value in coefficients]
    return {
        "candidate": {
            "same_language": SAME_LANGUAGE,
            **dict(zip(candidate_names, values, strict=False)),
        },
        "none": dict(zip(none_names, values[len(candidate_names) :], strict=True)),
    }


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def report(name: str, model: ranking.Model, cases: Sequence[Case]) -> None:
    """Print how good `model` is on `cases` it may not have seen."""
    best: list[tuple[float, bool]] = []
    surprise, first, answerable = 0.0, 0, 0
    for case in cases:
        chances = model.probabilities(case.evidence, words=case.words)
        of_right = 1 - sum(chances) if case.right is None else chances[case.right]
        surprise -= float(np.log(max(of_right, 1e-12)))
        top = int(np.argmax(chances)) if chances else -1
        best.append((chances[top] if chances else 0.0, top == case.right))
        if case.right is not None:
            answerable += 1
            first += top == case.right
    print(
        f"{name}: {len(cases)} questions, log loss {surprise / len(cases):.3f}, "
        f"first right {first / answerable:.3f} of {answerable} with an answer"
    )
    for low, high in [(0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)]:
        inside = [is_right for chance, is_right in best if low <= chance < high]
        said = [chance for chance, _ in best if low <= chance < high]
        if inside:
            print(f"  said {np.mean(said):.2f}  was right {np.mean(inside):.2f}  ({len(inside)})")
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        answers = [is_right for chance, is_right in best if chance >= threshold]
        if answers:
            print(
                f"  from {threshold:.2f}: {len(answers) / len(best):.2f} answered, "
                f"{100 * (1 - np.mean(answers)):.1f} wrong per 100"
            )


async def collect(url: str) -> dict[str, list[list[Case]]]:
    """Return the cases of every world, with vectors and without."""
    engine = open_engine(url)
    await migrate(engine)
    articles, embedder, second = starter_articles(), LocalEmbedder(), LocalSecond()
    cases: dict[str, list[list[Case]]] = {"hybrid": [], "two_views": [], "words": []}
    for seed in range(_WORLDS):
        world = make_world(seed, articles)
        cases["hybrid"].append(await cases_of(engine, embedder, world))
        cases["two_views"].append(await cases_of(engine, embedder, world, second))
        cases["words"].append(await cases_of(engine, None, world))
        print(f"world {seed + 1} of {_WORLDS}", flush=True)
    await engine.dispose()
    return cases


def fit_all(cases: dict[str, list[list[Case]]]) -> dict[str, Any]:
    """Return the coefficients of both models; print how those of one half do on the other."""
    shipped = {}
    for name, worlds in cases.items():
        half = [case for world in worlds[::2] for case in world]
        unseen = [case for world in worlds[1::2] for case in world]
        whole = [case for world in worlds for case in world]
        if name in _CANDIDATES:
            candidate = _CANDIDATES[name]
            report(f"{name}, other half", HybridModel(**fit_hybrid(half, candidate)), unseen)
            shipped[name] = fit_hybrid(whole, candidate)
        else:
            report(f"{name}, other half", WordsModel(**fit_words(half)), unseen)
            shipped[name] = fit_words(whole)
    return shipped


async def main() -> None:
    """Collect, fit, and print or write the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace what ships")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="calibrate-") as home:
        async with embedded_postgres(Path(home)) as url:
            cases = await collect(url)
    shipped = {"fitted_on": fitted_on(), **fit_all(cases)}
    text = json.dumps(shipped, indent=2) + "\n"
    print(text)
    if arguments.write:
        Path(ranking.__file__).with_name("calibration.json").write_text(text)


if __name__ == "__main__":
    asyncio.run(main())
