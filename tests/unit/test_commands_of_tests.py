"""What tests start from outside ends when its time is over, with all that it started."""

from __future__ import annotations

import sys

import psutil
import pytest

from core.runtime.machine.polling import until
from tests.support.running_desk import command_within

_SLEEPS = "import time; time.sleep(300)"
_STARTS_ANOTHER = (
    "import subprocess, sys, time;"
    f"child = subprocess.Popen([sys.executable, '-c', {_SLEEPS!r}]);"
    "print(child.pid, file=sys.stderr, flush=True);"
)


async def test_a_command_is_ended_with_what_it_started_and_what_it_said_is_told() -> None:
    with pytest.raises(AssertionError, match=r"took more than 2 s: \d+") as ended:
        await command_within(2.0, sys.executable, "-c", _STARTS_ANOTHER + _SLEEPS)
    child = int(str(ended.value).split(" s: ")[1].split()[0])

    async def is_gone() -> bool:
        return not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie"

    assert await until(is_gone, every=0.05, seconds=10)


async def test_what_a_command_says_is_returned() -> None:
    words = "import sys; print('yes'); print('but', file=sys.stderr); sys.exit(3)"
    code, output, errors = await command_within(30.0, sys.executable, "-c", words)
    assert (code, output.split(), errors.split()) == (3, ["yes"], ["but"])
