"""What the demo prints: who did what, and how long each phase took.

A thread prints it, because the wallets' event loop must not wait for somebody who reads page by page.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

from config.output.outlet import Outlet
from config.output.terminal import encoded

WIDTH = 100


class DemoTranscript:
    """Prints lines for people and keeps the milliseconds of each phase for `--json`."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self.phase_name = "starting the daemons"
        self.milliseconds: dict[str, float] = {}

    def say(self, who: str, what: str) -> None:
        """One line: a wallet or the demo did something."""
        self._print(f"  {who:<7} {what}")

    def note(self, text: str = "") -> None:
        """A line that is not attributed to a wallet."""
        self._print(text)

    def figure(self, label: str, content: str) -> None:
        """A long value below its label, in lines of fixed width."""
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

    def _print(self, line: str) -> None:
        self._outlet.put(lambda: encoded(line.rstrip() + "\n"))
