"""``healthcare-deid``: the command line. One module per command group; `run` is the entry point."""

from __future__ import annotations

import importlib.util
import sys


def run() -> None:
    """Run the command line, or say how to install it (extra ``[cli]``)."""
    if importlib.util.find_spec("click") is None:
        sys.exit("healthcare-deid: the command line needs an extra: pip install 'healthcare-deid[cli]'")
    from healthcare_deid.cli.main import main

    main()
