"""The root of what the daemon raises on purpose, and how each failure ends the process."""

from __future__ import annotations

from typing import ClassVar

EXIT_FAILURE = 1
EXIT_CONFIGURATION = 2
EXIT_DATADIR = 3  # locked by another daemon, or a database newer than the program


class DaemonError(Exception):
    """Root of this package's errors. The text is one sentence or two for the operator, and names the remedy.

    `reason` is stable and machine-readable; `exit_code` is what `musigd` ends with when nothing can go on.
    """

    reason: ClassVar[str] = "failure"
    exit_code: ClassVar[int] = EXIT_FAILURE
