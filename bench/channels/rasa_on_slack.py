"""Rasa with its own Slack channel, as one process that can be killed and started again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.bare_rasa import BOT, ENVIRONMENT, answering
from bench.program import Program, running
from channels.simulator.slack import SlackPlatform
from core.runtime.machine.addresses import free_ports

_CHANNEL = Path(__file__).parent / "in_rasa"
_RASA = BOT / ".venv" / "bin" / "rasa"


class RasaOnSlack:
    """`rasa run`; its action server is a process of its own and stays."""

    def __init__(self, folder: Path, model: Path, port: int, environment: dict[str, str]) -> None:
        self._folder = folder
        self._port = port
        self._environment = environment
        self._command: list[str | Path] = [
            *(_RASA, "run", "--model", model, "--interface", "127.0.0.1", "--port", str(port)),
            *("--endpoints", folder / "endpoints.yml", "--credentials", folder / "credentials.yml"),
        ]
        self._stack = AsyncExitStack()
        self._program: Program | None = None

    @property
    def address(self) -> str:
        """Where Slack has to send events."""
        return f"http://127.0.0.1:{self._port}/webhooks/slack/webhook"

    async def start(self) -> None:
        """Return once it answers."""
        program = running(
            self._command,
            log=self._folder / "rasa-slack.log",
            environment=self._environment,
            folder=BOT,
        )
        self._program = await self._stack.enter_async_context(program)
        connection = await self._program.until(answering(self._port))
        async with connection:
            pass

    async def kill(self) -> None:
        """Kill it (SIGKILL); return once it has ended."""
        assert self._program is not None
        self._program.process.kill()
        self._program.process.wait()
        await self._stack.aclose()

    async def stop(self) -> None:
        """Stop it."""
        await self._stack.aclose()


@asynccontextmanager
async def rasa_on_slack(
    folder: Path, platform: SlackPlatform, *, model: Path, desk_url: str, bot_token: str
) -> AsyncIterator[RasaOnSlack]:
    """Run Rasa and its actions on `model`; its Slack is `platform`.

    The actions ask the knowledge search of the desk at `desk_url`.
    """
    port, actions_port = free_ports(2)
    endpoint = f"action_endpoint:\n  url: http://127.0.0.1:{actions_port}/webhook\n"
    (folder / "endpoints.yml").write_text(endpoint)
    credentials = {
        "rest": None,
        "slack_at.SlackAt": {
            "slack_token": platform.bot_token,
            "slack_signing_secret": platform.signing_secret,
            "api_url": platform.url,
        },
    }
    (folder / "credentials.yml").write_text(json.dumps(credentials))  # JSON is YAML
    environment = ENVIRONMENT | {
        "DESK_URL": desk_url,
        "BOT_TOKEN": bot_token,
        "PYTHONPATH": f"{BOT}:{_CHANNEL}",
        "MPLCONFIGDIR": str(folder),
    }
    actions: list[str | Path] = [
        _RASA,
        "run",
        "actions",
        "--actions",
        "actions",
        "--port",
        str(actions_port),
    ]
    log = folder / "rasa-actions.log"
    async with running(actions, log=log, environment=environment, folder=BOT):
        rasa = RasaOnSlack(folder, model, port, environment)
        try:
            await rasa.start()
            yield rasa
        finally:
            await rasa.stop()
