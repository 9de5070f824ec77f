"""Bounds the log by kinds of lines: what others can cause fills no disk, and hides no line of another kind.

A kind is one place in the code, and there one event. A minute has 60 lines of it; the next one 10 if there were more,
until a minute has no more than those. Then a line says how many were left out. Lines at the level debug have no bound:
whoever asks for them wants all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MOST: Final = 60  # lines of one kind in a span
MOST_AFTER_A_FLOOD: Final = 10
SPAN_S: Final = 60.0
LEFT_OUT: Final = "%d more lines of this kind were left out: %s"
_LONGEST_EVENT: Final = 100


@dataclass(slots=True)
class _Span:
    began_s: float
    room: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Kind:
    """`path`, `line`: where it is logged. `name`: of the logger."""

    path: str
    line: int
    name: str
    event: str
    level: int


class BoundedKinds:
    """Not safe from several threads at once: a handler calls it inside its lock."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._spans: dict[_Kind, _Span] = {}

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether to write it; else it is counted."""
        if record.levelno < logging.INFO:
            return True
        kind = _Kind(record.pathname, record.lineno, record.name, _event_of(record), record.levelno)
        span = self._spans.setdefault(kind, _Span(self._now_s(), MOST))
        if not span.room:
            span.left_out += 1
            return False
        span.room -= 1
        return True

    def ended(self) -> Iterator[logging.LogRecord]:
        """A record for each kind of which lines were left out, when its minute is over."""
        now_s = self._now_s()
        for kind, span in list(self._spans.items()):
            if now_s - span.began_s < SPAN_S:
                continue
            del self._spans[kind]
            if span.left_out:
                self._spans[kind] = _Span(now_s, MOST_AFTER_A_FLOOD)
                facts = (span.left_out, kind.event)
                yield logging.LogRecord(kind.name, kind.level, kind.path, kind.line, LEFT_OUT, facts, None)


def _event_of(record: logging.LogRecord) -> str:
    """Ours have a fixed event and facts beside it; those of libraries are told apart by their place alone."""
    if isinstance(record.msg, dict):
        return str(record.msg.get("event", ""))[:_LONGEST_EVENT]
    return str(record.msg)[:_LONGEST_EVENT] if record.args else ""
