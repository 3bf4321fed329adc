"""`python -m core.cli` is `desk`."""

from core.cli import main

main()
