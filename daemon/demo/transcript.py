"""What the demo prints: who did what, and how long each phase took."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 100


class Transcript:
    """Prints lines for people and keeps the milliseconds of each phase for `--json`."""

    def __init__(self) -> None:
        self.phase_name = "starting the daemons"
        self.milliseconds: dict[str, float] = {}

    def say(self, who: str, what: str) -> None:
        """One line: a wallet or the demo did something."""
        self._print(f"  {who:<7} {what}")

    def note(self, text: str = "") -> None:
        """A line that nobody in particular says."""
        self._print(text)

    def figure(self, label: str, content: str) -> None:
        """A long value under its label, folded."""
        self._print(f"  {label}")
        for line in textwrap.wrap(content, WIDTH - 4):
            self._print(f"    {line}")

    @contextmanager
    def phase(self, key: str, title: str) -> Iterator[None]:
        """Everything inside belongs to this phase; a failure inside is reported as its failure."""
        self.phase_name = title
        self._print(f"\n{title}")
        start = time.perf_counter()
        yield
        self.milliseconds[key] = round((time.perf_counter() - start) * 1000, 1)
        self._print(f"  {'':<7} done in {self.milliseconds[key]:,.0f} ms")

    @staticmethod
    def _print(line: str) -> None:
        sys.stdout.write(line.rstrip() + "\n")
        sys.stdout.flush()
