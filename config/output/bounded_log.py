"""A log of what others can cause: so many lines of a kind in a minute, and then how many more there were."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

MOST: Final = 60  # lines of one kind in a span
SPAN_S: Final = 60.0
LEFT_OUT: Final = "more lines of this kind were left out"


@dataclass(slots=True)
class _Span:
    began_s: float
    lines: int = 0
    left_out: int = 0


class BoundedLog:
    """Lines at the level info. The kind of a line is its event, so what floods the log hides nothing else."""

    def __init__(self, name: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._log = structlog.get_logger(name)
        self._now_s = now_s
        self._spans: dict[str, _Span] = {}

    def info(self, event: str, **facts: Any) -> None:
        """Write the line, or count it. `event`: one of a few fixed texts."""
        now_s = self._now_s()
        self._end_spans(now_s)
        span = self._spans.setdefault(event, _Span(now_s))
        if span.lines == MOST:
            span.left_out += 1
            return
        span.lines += 1
        self._log.info(event, **facts)

    def _end_spans(self, now_s: float) -> None:
        for event, span in list(self._spans.items()):
            if now_s - span.began_s >= SPAN_S:
                del self._spans[event]
                if span.left_out:
                    self._log.info(LEFT_OUT, kind=event, number=span.left_out)
