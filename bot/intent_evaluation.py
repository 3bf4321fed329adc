"""Knows how well the pipeline of config.yml understands messages that somebody else labelled.

    python intent_evaluation.py --train TRAIN.jsonl --test TEST.jsonl [--out REPORT.json]

A line is `{"text": …, "intent": …}`; without an intent (`null`) the message is out of scope. What
the pipeline would put to the knowledge search (`nlu_fallback`) counts as out of scope.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from main import prepare_environment

SEED = 1
OUT_OF_SCOPE = "nlu_fallback"


class BadLine(ValueError):
    """A line of the files is not `{"text": …, "intent": …}`; the message names file and line."""


@dataclass(frozen=True)
class Example:
    """A message and what it means; None is out of scope."""

    text: str
    intent: str | None


def read(path: Path) -> list[Example]:
    """Return the examples of a JSONL file.

    Raises:
        BadLine: a line has another form, or the file has no line.
    """
    examples = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
                text, intent = fields["text"], fields["intent"]
            except (ValueError, KeyError, TypeError):
                raise BadLine(f"{path}:{number}: needs text and intent, as JSON") from None
            if not isinstance(text, str) or not isinstance(intent, str | None):
                raise BadLine(f"{path}:{number}: text is a text, intent a name or null")
            # Rasa reads a slash as "a kind of", which labels from elsewhere do not mean.
            examples.append(Example(text, intent and intent.replace("/", "_")))
    if not examples:
        raise BadLine(f"{path}: no examples in this file")
    return examples


def figures(meant: Sequence[str | None], understood: Sequence[str | None]) -> dict[str, float]:
    """Return the shares of the report; a share of nothing is 0.

    `accuracy_in_scope` and `macro_f1` count a message held to be out of scope as misunderstood;
    `mcc` takes out of scope for one more intent.
    """
    from sklearn.metrics import f1_score, matthews_corrcoef

    pairs = list(zip(meant, understood, strict=True))
    inside = [found == name for name, found in pairs if name is not None]
    outside = [found is None for name, found in pairs if name is None]
    rejected = [name is None for name, found in pairs if found is None]
    said = [name or OUT_OF_SCOPE for name in meant]
    heard = [name or OUT_OF_SCOPE for name in understood]
    intents = sorted({name for name in meant if name is not None})
    macro_f1 = (
        f1_score(said, heard, labels=intents, average="macro", zero_division=0) if intents else 0.0
    )
    return {
        "accuracy_in_scope": _share(inside),
        "macro_f1": round(float(macro_f1), 4),
        "oos_recall": _share(outside),
        "oos_precision": _share(rejected),
        "mcc": round(float(matthews_corrcoef(said, heard)), 4),
    }


def _share(outcomes: Sequence[bool]) -> float:
    return round(sum(outcomes) / len(outcomes), 4) if outcomes else 0.0


def evaluate(config: Path, train: Sequence[Example], test: Sequence[Example]) -> dict[str, float]:
    """Train the pipeline of `config` on `train` and return its figures on `test`."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    from inputs.processor import DeskAgent
    from serving import quieten_rasa

    quieten_rasa()  # writing down every step takes milliseconds
    random.seed(SEED)
    np.random.seed(SEED)
    with tempfile.TemporaryDirectory(prefix="intents-") as scratch:
        model = trained_on(config, train, Path(scratch))
        agent = DeskAgent()  # as it serves
        agent.load_model(model)
    understood: list[str | None] = []
    seconds: list[float] = []

    async def understand() -> None:
        for example in test:
            began = time.perf_counter()
            parsed = await agent.parse_message(example.text)
            seconds.append(time.perf_counter() - began)
            name = parsed["intent"]["name"]
            understood.append(None if name == OUT_OF_SCOPE else name)

    with threadpool_limits(1):  # the latency is that of one core
        asyncio.run(understand())
    return {
        **figures([example.intent for example in test], understood),
        "latency_ms_p50": round(statistics.median(seconds) * 1000, 2),
        "n_train": len(train),
        "n_test": len(test),
    }


def trained_on(config: Path, examples: Sequence[Example], into: Path) -> str:
    """Train the pipeline of `config` on `examples` and return the path of the model."""
    from rasa.model_training import train_nlu

    labelled = into / "examples.json"  # unlike in YAML, a text in it is free of marks of its own
    known = [
        {"text": example.text, "intent": example.intent or OUT_OF_SCOPE} for example in examples
    ]
    labelled.write_text(json.dumps({"rasa_nlu_data": {"common_examples": known}}))
    model = train_nlu(str(config), str(labelled), str(into), fixed_model_name="model")
    if model is None:
        raise RuntimeError("Rasa trained no model of these examples")
    return str(model)


def report(found: Mapping[str, float]) -> str:
    """Return `found` as a table of two columns."""
    width = max(map(len, found))
    return "\n".join(f"{name:<{width}}  {value:g}" for name, value in found.items())


def main(arguments: list[str] | None = None) -> int:
    """Print the report as JSON, alone on standard output."""
    parser = argparse.ArgumentParser(prog="intent_evaluation.py", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, metavar="JSONL")
    parser.add_argument("--test", type=Path, required=True, metavar="JSONL")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report here too")
    parser.add_argument("--config", type=Path, default=Path(__file__).parents[1] / "config.yml")
    options = parser.parse_args(arguments)
    try:
        train, test = read(options.train), read(options.test)
    except (BadLine, OSError) as error:
        print(f"intent_evaluation: {error}", file=sys.stderr)
        return 1
    from training import output_to

    prepare_environment()
    with tempfile.TemporaryDirectory(prefix="intents-log-") as folder:
        log = Path(folder) / "train.log"
        try:
            with output_to(log):
                found = evaluate(options.config, train, test)
        except Exception:
            print(log.read_text(errors="replace"), file=sys.stderr)
            raise
    text = json.dumps(found)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(report(found), file=sys.stderr)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
