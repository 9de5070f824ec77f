"""The start of `musig-cli`: its imports run under the outermost guard too."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from config.output.outermost import guarded

EXIT_FAILURE = 2  # the code of usage errors: a failure on this side, without an answer of the daemon


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `musig-cli` and return its exit code; see `rpc.cli.main.Exit`."""
    return guarded("musig-cli", lambda: int(import_module("rpc.cli.main").main(arguments)), failure=EXIT_FAILURE)


if __name__ == "__main__":
    sys.exit(main())
