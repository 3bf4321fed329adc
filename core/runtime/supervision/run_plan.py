"""What `desk run` hands its supervisor: the settings it needs, without the library that reads them.

The supervisor lives as long as the desk and does little, so it starts as a fresh small process;
the plan travels in one environment variable, because it holds a secret that no list of processes
may show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass
from typing import Self

VARIABLE = "VENTANILLA_RUN_PLAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What is to run, and where."""

    home: str
    host: str
    port: int
    public_url: str  # where people reach the desk
    bot_token: str
    started: float  # on the monotonic clock; progress is counted from here
    database_url: str | None = None  # a server that is not ours to run
    bot_url: str | None = None  # an assistant that is not ours to run
    embedder_url: str | None = None  # an embedder that is not ours to run

    def to_environment(self) -> Mapping[str, str]:
        """Return the variable that `from_environment` reads."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Self:
        """Take the plan out of `environment`, so that no child inherits it."""
        return cls(**json.loads(environment.pop(VARIABLE)))
