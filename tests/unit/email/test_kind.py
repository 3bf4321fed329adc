"""The desk finds e-mail without loading what only accounts need."""

from __future__ import annotations

import subprocess
import sys


def test_naming_the_kind_loads_no_mail_libraries() -> None:
    libraries = "{'aioimaplib', 'aiosmtplib', 'aiosmtpd', 'lxml', 'nh3', 'authres', 'flufl.bounce'}"
    program = f"import channels.email.kind, sys; print({libraries} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "set()"
