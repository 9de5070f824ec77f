"""Where `musig-cli` starts: what it imports is loaded under the outermost guard too."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from config.output.outermost import guarded

EXIT_FAILURE = 2  # as for usage: something on this side, and no answer of the daemon's


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `musig-cli` and return its exit code; see `rpc.cli.main.Exit`."""
    return guarded("musig-cli", lambda: int(import_module("rpc.cli.main").main(arguments)), failure=EXIT_FAILURE)


if __name__ == "__main__":
    sys.exit(main())
