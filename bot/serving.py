"""Knows how the assistant's process lives: its settings, loading the model, and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from parentage import exit_with_parent

if TYPE_CHECKING:
    from sanic import Sanic

    from inputs.processor import DeskAgent
    from inputs.teaching import Teaching

logger = logging.getLogger("assistant")

_MAX_REQUEST_BYTES = 32_000_000  # of a set of examples; a turn has less, see inputs/desk.py
_FOLLOW_SECONDS = 2.0
_AFTER_FAILURE_SECONDS = 60.0
# What a turn cut short has not saved is undone; the desk asks again with the same turn id.
_DRAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment and the command line say."""

    model: Path
    taught: Path  # the folder of what is taught
    host: str
    port: int
    endpoints: Path | None
    token: str | None = field(repr=False)
    tracker_store: dict[str, Any] | None = field(repr=False)  # None: in memory
    supervised: bool  # exit when standard input ends: whoever started us is gone

    @classmethod
    def from_environment(
        cls,
        *,
        model: Path,
        taught: Path | None,
        host: str,
        port: int,
        endpoints: Path | None,
        insecure: bool,
    ) -> Settings:
        token = os.environ.get("BOT_TOKEN") or None
        if token is None and not insecure:
            sys.exit("assistant: BOT_TOKEN is not set; set it, or pass --insecure to try things")
        if not model.is_file():
            sys.exit(f"assistant: there is no model at {model}; make one with `main.py train`")
        return cls(
            model=model.resolve(),
            taught=(taught or model.parent).resolve(),
            host=host,
            port=port,
            endpoints=endpoints,
            token=token,
            tracker_store=_tracker_store_from_environment(),
            supervised=os.environ.get("DESK_SUPERVISED") == "1",
        )


def _tracker_store_from_environment() -> dict[str, Any] | None:
    host = os.environ.get("BOT_DB_HOST")
    if not host:
        return None
    port = int(os.environ.get("BOT_DB_PORT") or 5432)
    store: dict[str, Any] = {
        "type": "sql",
        "dialect": "postgresql",
        "db": os.environ.get("BOT_DB_NAME", "bot"),
        "username": os.environ.get("BOT_DB_USER", "bot"),
        "password": os.environ.get("BOT_DB_PASSWORD") or None,
    }
    if host.startswith("/"):  # the folder of a Unix socket; Rasa would take it for a host name
        return {**store, "query": {"host": host, "port": str(port)}}
    return {**store, "url": host, "port": port}


def serve(settings: Settings) -> NoReturn:
    """Answer turns until told to stop; the server listens at once and is ready when loaded."""
    if settings.supervised:
        exit_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    quieten_rasa()
    logger.info("loading Rasa")
    from rasa.core.run import configure_app

    from inputs.desk import DeskInput
    from inputs.teaching import Teaching

    teaching = Teaching(settings.model, settings.taught, _successor)
    channel = DeskInput(settings.token, teaching)
    app = configure_app([channel], enable_api=False, port=settings.port)
    app.config.REQUEST_MAX_SIZE = _MAX_REQUEST_BYTES
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = _DRAIN_SECONDS
    app.config.FALLBACK_ERROR_FORMAT = "json"
    loaded: list[bool] = []

    async def load(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
        app.add_task(_load(app, settings, channel, loaded))
        app.add_task(_follow(app, teaching))

    app.register_listener(load, "after_server_start")
    app.run(host=settings.host, port=settings.port, access_log=False, debug=False, motd=False)
    _end(0 if loaded != [False] else 1)


def _end(code: int) -> NoReturn:
    """End at once: Python would wait for a thread still loading, and take TensorFlow apart."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _load(app: Sanic, settings: Settings, channel: Any, loaded: list[bool]) -> None:
    loop = asyncio.get_running_loop()
    try:
        app.ctx.agent = await loop.run_in_executor(None, _agent, settings, channel)
    except Exception:
        logger.exception("the model could not be loaded")
        loaded.append(False)
        app.stop()
        return
    loaded.append(True)
    logger.info("ready, model %s", app.ctx.agent.model_id)


async def _follow(app: Sanic, teaching: Teaching) -> None:
    """Serve what counts, also where another assistant of the same folder was told of it."""
    while True:
        await asyncio.sleep(_FOLLOW_SECONDS)
        if getattr(app.ctx, "agent", None) is not None:
            try:
                app.ctx.agent = await teaching.follow(app.ctx.agent)
            except Exception:
                # Whatever is wrong with that model: the one that serves goes on.
                logger.exception("the chosen model could not be loaded")
                await asyncio.sleep(_AFTER_FAILURE_SECONDS)


def _agent(settings: Settings, channel: Any) -> DeskAgent:
    from rasa.core.lock_store import LockStore
    from rasa.core.tracker_store import TrackerStore
    from rasa.utils.endpoints import EndpointConfig, read_endpoint_config

    from inputs.processor import ActionsInProcess, DeskAgent

    tracker_store = settings.tracker_store
    lock_store = (
        read_endpoint_config(str(settings.endpoints), "lock_store") if settings.endpoints else None
    )
    agent = DeskAgent(
        tracker_store=TrackerStore.create(EndpointConfig(**tracker_store))
        if tracker_store
        else None,
        lock_store=LockStore.create(lock_store),
        action_endpoint=ActionsInProcess(channel.executor),
    )
    agent.load_model(settings.model, fingerprint=settings.model.stem)
    return agent


def _successor(agent: DeskAgent, model: Path) -> DeskAgent:
    """Return an agent over `model` that goes on with the conversations of `agent`."""
    from inputs.processor import DeskAgent

    # The store is shared and takes the domain it is given: without one, turns under way would fail.
    successor = DeskAgent(
        domain=agent.domain,
        tracker_store=agent.tracker_store,
        lock_store=agent.lock_store,
        action_endpoint=agent.action_endpoint,
    )
    successor.load_model(model, fingerprint=model.stem)
    return successor


def quieten_rasa() -> None:
    """Let Rasa log what goes wrong, nothing else."""
    import structlog

    for name in ("rasa", "rasa_sdk", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Rasa's dependencies warn about each other, and undo any filter when they are imported.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    # By default structlog prints every debug event, and Rasa's carry what requesters write.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
