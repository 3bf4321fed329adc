"""The assistant's command: `train` makes the model, `serve` answers the desk's turns.

Rasa is imported only once it is needed; finding a trained model takes no more than reading files.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

_QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    # OpenMP threads spin while they wait for each other. Where another process wants the core, the
    # spinning makes a 15 ms sentence vector take 300 ms.
    "OMP_WAIT_POLICY": "PASSIVE",
}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTEROP_THREADS")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    prepare_environment()
    if options.command == "train":
        return _train(options.into)
    if options.command == "candidate":
        return _candidate(options.into, options.lessons, options.against)
    if options.command == "gate":
        return _gate(options.into)
    if options.command == "understand":
        return _understand(options.into, options.texts, options.out)
    from serving import Settings, serve

    serve(
        Settings.from_environment(
            model=options.model,
            taught=options.taught,
            host=options.host,
            port=options.port,
            endpoints=options.endpoints,
            insecure=options.insecure,
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="main.py", description="The assistant of Ventanilla.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="make the model; print its path as the last line")
    train.add_argument("--into", type=Path, required=True, metavar="DIR")
    candidate = commands.add_parser(
        "candidate", help="make the model of what was taught, and compare it; see README.md"
    )
    candidate.add_argument("--into", type=Path, required=True, metavar="DIR")
    candidate.add_argument("--lessons", required=True, metavar="NAME")
    candidate.add_argument("--against", type=Path, required=True, metavar="MODEL")
    gate = commands.add_parser(
        "gate", help="train the files as they are, compare with the model before; status 1 if worse"
    )
    gate.add_argument("--into", type=Path, required=True, metavar="DIR")
    understand = commands.add_parser(
        "understand", help="say what the model of the files as they are takes texts for"
    )
    understand.add_argument("--into", type=Path, required=True, metavar="DIR")
    understand.add_argument("--texts", type=Path, required=True, metavar="FILE", help="JSON")
    understand.add_argument("--out", type=Path, required=True, metavar="FILE")
    serve = commands.add_parser("serve", help="answer turns; see README.md for the environment")
    serve.add_argument("--model", type=Path, required=True, metavar="PATH")
    serve.add_argument(
        "--taught", type=Path, metavar="DIR", help="what is taught; default the model's folder"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=5005)
    serve.add_argument("--endpoints", type=Path, metavar="FILE", help="e.g. endpoints.cluster.yml")
    serve.add_argument("--insecure", action="store_true", help="serve without BOT_TOKEN")
    return parser


def prepare_environment() -> None:
    """Set what must stand in the environment before Rasa is imported."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for name in _THREADS:
        os.environ.setdefault(name, str(min(2, os.cpu_count() or 1)))
    # Matplotlib, which Rasa imports, wants a folder to write to; the home may be read-only.
    os.environ.setdefault("MPLCONFIGDIR", str(Path(tempfile.gettempdir()) / "ventanilla-mpl"))


def _train(into: Path) -> int:
    from training import TrainingFailed, chosen_lessons, model_in

    folder = into.resolve()
    try:
        print(model_in(folder, chosen_lessons(folder)), flush=True)
    except TrainingFailed as error:
        print(f"assistant: {error}", file=sys.stderr)
        return 1
    return 0


def _candidate(into: Path, lessons: str, against: Path) -> int:
    from candidate import make_candidate
    from parentage import exit_with_parent
    from training import TrainingFailed

    exit_with_parent()
    try:
        print(make_candidate(into.resolve(), lessons, against.resolve()), flush=True)
    except (TrainingFailed, LookupError, BlockingIOError) as error:
        print(f"assistant: {error}", file=sys.stderr)
        return 1
    return 0


def _gate(into: Path) -> int:
    from candidate import as_lines, make_and_compare
    from training import TrainingFailed

    try:
        found = make_and_compare(into.resolve())
    except TrainingFailed as error:
        print(f"assistant: {error}", file=sys.stderr)
        return 1
    print("\n".join(as_lines(found)), flush=True)
    return 0 if found["passed"] else 1


def _understand(into: Path, texts: Path, out: Path) -> int:
    from training import TrainingFailed
    from understanding import judge

    try:
        judge(into.resolve(), texts, out)
    except TrainingFailed as error:
        print(f"assistant: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
