"""The HTTP client as the desk's processes load it: without its command line.

Importing httpx also loads its command-line tool where the terminal libraries which that needs are
installed: 6 MB that every process would hold. A name that is None in `sys.modules` cannot be
imported, which httpx takes for the tool not being installed.
"""

from __future__ import annotations

import sys
from typing import Any

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # documented by Python

import httpx  # noqa: E402

__all__ = ["client_of", "httpx"]


def client_of(url: str, **options: Any) -> httpx.AsyncClient:
    """Return a client of the service at `url` that asks no proxy.

    The world's certificate authorities, 2 MB, are read only where there is a certificate to check;
    redirections, which might lead to such a place, are not followed.
    """
    verify = url.lower().startswith("https:")
    return httpx.AsyncClient(base_url=url, trust_env=False, verify=verify, **options)
