"""The effects of one input while they are being collected: rows once, events merged over the own keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from musig2.protocol.interface.effects import Effect, Emit, SaveSession, Send, SessionRow
from musig2.protocol.interface.inputs import Now
from musig2.protocol.wire.frames import Frame


class Reaction:
    """The effects of one call of the machine. `now` is the time of that call."""

    __slots__ = ("_effects", "_events", "_rows", "_spread", "broken_off", "now", "request")

    def __init__(
        self, request: bytes, now: Now, spread: Callable[[Frame], Iterable[Send]] = lambda frame: (Send(frame),)
    ) -> None:
        """`spread`: where a frame goes that is meant for all."""
        self._spread = spread
        self.request = request
        self.now = now
        self.broken_off: set[int] = set()  # attempts that ended in the middle of a round
        self._effects: list[Effect | None] = []
        self._rows: dict[tuple[bytes, bytes], int] = {}
        self._events: dict[tuple[str, bytes | None], list[int]] = {}

    def add(self, *effects: Effect) -> None:
        """Ask for these, in this order."""
        self._effects.extend(effects)

    def send(self, frame: Frame, *, to: int | None = None, peer: bytes | None = None) -> None:
        """Send to one signer, to one peer, or (neither) to all other signers."""
        if to is None and peer is None:
            self._effects.extend(self._spread(frame))
        else:
            self._effects.append(Send(frame, to, peer))

    def save_row(self, row: SessionRow) -> None:
        """Store the state of an attempt; of several in one input only the last is written."""
        key = (row.session, row.key)
        earlier = self._rows.get(key)
        if earlier is not None:
            self._effects[earlier] = None
        self._rows[key] = len(self._effects)
        self._effects.append(SaveSession(row))

    def emit(self, event: str, session: bytes | None, attempt: int | None, keys: Iterable[bytes], **data: Any) -> None:
        """Tell clients; the same event with the same data for another own key is one event for both."""
        same = self._events.setdefault((event, session), [])
        for position in same:
            there = self._effects[position]
            if isinstance(there, Emit) and there.data == data:
                keys = tuple(dict.fromkeys((*there.keys, *keys)))
                self._effects[position] = replace(there, keys=keys)
                return
        same.append(len(self._effects))
        self._effects.append(Emit(event, self.request, session, attempt, tuple(keys), data))

    def effects(self) -> list[Effect]:
        """Everything, in order."""
        return [effect for effect in self._effects if effect is not None]
