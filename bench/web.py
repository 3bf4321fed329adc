"""The desk's web server with another size of group commit than the product's, to compare.

`python -m bench.web SIZE` takes its settings from the environment, as `desk serve` does.
"""

from __future__ import annotations

import sys

from core.services.intake import inbox
from core.settings import Settings
from core.wiring import web


def main() -> None:
    """Serve with at most so many messages in one transaction."""
    inbox._MAX_BATCH = int(sys.argv[1])  # no setting: nobody but a measurement wants it smaller
    web.serve(Settings())


if __name__ == "__main__":
    main()
