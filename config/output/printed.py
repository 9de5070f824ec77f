"""Turns what libraries print while the daemon runs into log lines, so that no print blocks a loop."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


class PrintedLines(io.TextIOBase):
    """Replaces standard output and error: what is printed there becomes log lines."""

    def __init__(self) -> None:
        self._log = logging.getLogger("musigd.printed")
        self._unfinished = ""

    def write(self, text: str) -> int:
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            if line.strip():
                self._log.warning("%s", line)
        return len(text)

    def writable(self) -> bool:
        return True


@contextmanager
def printing_into_the_log() -> Iterator[None]:
    """Inside it, everything printed, warned or raised without a handler is logged."""
    log, printed = logging.getLogger("musigd"), PrintedLines()
    hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook = lambda told: log.error("a thread ended with an error", exc_info=told.exc_value)
    sys.unraisablehook = lambda told: log.error(
        told.err_msg or "an error that nobody could catch", exc_info=told.exc_value
    )
    logging.captureWarnings(capture=True)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
    finally:
        logging.captureWarnings(capture=False)
        threading.excepthook, sys.unraisablehook = hooks
