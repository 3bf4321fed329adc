"""The HTTP client as the desk's processes load it: without its command line.

Importing httpx also loads its command-line tool where the terminal libraries which that needs are
installed: 6 MB that every process would hold. A name that is None in `sys.modules` cannot be
imported, which httpx takes for the tool not being installed.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # documented by Python

import httpx  # noqa: E402

__all__ = ["httpx"]
