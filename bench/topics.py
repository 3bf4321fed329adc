"""How well topics hold together what means the same: labelled messages, grouped as the desk does.

    python -m bench.topics MESSAGES.jsonl [--labels 25 --each 8 --seed 3]

A line is `{"text": …, "intent": …}`. Of some labels several messages are taken, of each other label
one, in a random order. Precision is the share of pairs in one topic that have one label, recall the
share of pairs with one label that are in one topic.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from sqlalchemy import select

from bench.calibrate_knowledge import LocalEmbedder
from core.domain.ids import new_id
from core.domain.topics import TopicKind
from core.runtime.database.postgres import embedded_postgres
from core.services.learning.grouping import group
from core.storage.engine import open_engine, sessions_of
from core.storage.migrate import migrate
from core.storage.tables import Contact, Conversation, TopicItem


def chosen(path: Path, labels: int, each: int, seed: int) -> list[tuple[str, str]]:
    """Return messages with their labels, in a random order."""
    picks = random.Random(seed)
    by_label: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["intent"] is not None:
            by_label.setdefault(row["intent"], []).append(row["text"])
    names = sorted(by_label)
    picks.shuffle(names)
    rows = [
        (text, name)
        for name in names[:labels]
        for text in picks.sample(by_label[name], min(each, len(by_label[name])))
    ]
    rows += [(picks.choice(by_label[name]), name) for name in names[labels:]]
    picks.shuffle(rows)
    return rows


async def grouped(rows: Sequence[tuple[str, str]]) -> list[object]:
    """Return the topic of each message, grouped in a database of its own."""
    embedder = LocalEmbedder()
    with tempfile.TemporaryDirectory(prefix="desk-topics-") as home:
        async with embedded_postgres(Path(home)) as url:
            engine = open_engine(url)
            await migrate(engine)
            sessions = sessions_of(engine)
            began = datetime.now(UTC) - timedelta(days=1)
            names = [new_id() for _ in rows]
            async with sessions.begin() as session:
                contact = new_id()
                session.add(Contact(id=contact))
                await session.flush()
                place = new_id()
                session.add(
                    Conversation(
                        id=place,
                        account_id="bench",
                        thread="bench",
                        contact_id=contact,
                        responder="bot",
                        last_message_at=began,
                    )
                )
                await session.flush()
                for number, (name, (text, _)) in enumerate(zip(names, rows, strict=True)):
                    session.add(
                        TopicItem(
                            id=name,
                            kind=TopicKind.QUESTION,
                            conversation_id=place,
                            text=text,
                            language="en",
                            at=began + timedelta(seconds=number),
                            vector=list(await embedder.embed_query(text)),
                            vector_model=embedder.model,
                        )
                    )
            more = 1
            while more:
                async with sessions.begin() as session:
                    more = await group(session, TopicKind.QUESTION, embedder.model, 50)
            async with sessions() as session:
                found = dict(
                    (await session.execute(select(TopicItem.id, TopicItem.topic_id))).all()
                )
            await engine.dispose()
    return [found[name] for name in names]


def figures(labels: Sequence[str], topics: Sequence[object]) -> dict[str, float]:
    """Return precision and recall over pairs, and how many topics of two or more there are."""
    both = together = same = 0
    for (one, in_one), (other, in_other) in combinations(zip(labels, topics, strict=True), 2):
        together += in_one == in_other
        same += one == other
        both += in_one == in_other and one == other
    sizes = [list(topics).count(topic) for topic in set(topics)]
    return {
        "messages": len(labels),
        "precision": round(both / together, 3) if together else 1.0,
        "recall": round(both / same, 3) if same else 1.0,
        "topics": sum(size >= 2 for size in sizes),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="bench.topics", description=__doc__)
    parser.add_argument("messages", type=Path)
    parser.add_argument("--labels", type=int, default=25)
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--seed", type=int, default=3)
    wanted = parser.parse_args()
    rows = chosen(wanted.messages, wanted.labels, wanted.each, wanted.seed)
    topics = asyncio.run(grouped(rows))
    print(json.dumps(figures([label for _, label in rows], topics)))


if __name__ == "__main__":
    main()
