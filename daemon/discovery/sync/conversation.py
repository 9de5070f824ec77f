"""Questions to one peer in the directory protocol: typed answers, and a budget of rounds, bytes and time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from daemon.clock import Clock
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryNetwork, Offend
from musig2.protocol.errors import BadEncoding
from musig2.protocol.wire.sync import Answer, Ask, Busy, encode_ask, open_answer
from p2p.network import Offence, P2PError

A = TypeVar("A", bound=Answer)


class End(StrEnum):
    """How a conversation ended."""

    IN_STEP = "in_step"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    BUDGET = "budget"  # too many bytes, rounds or useless statements
    RUBBISH = "rubbish"
    SLOW = "slow"  # no answer in time, almost nothing useful for too long, or too long in all


class Stop(Exception):
    """Ends a conversation."""

    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


@dataclass(slots=True)
class Report:
    """What a conversation brought and what it cost."""

    end: End = End.IN_STEP
    stored: int = 0
    useless: int = 0
    rounds: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class Conversation:
    """Questions to one peer, one after the other."""

    def __init__(
        self, *, peer: bytes, net: DirectoryNetwork, clock: Clock, limits: DiscoveryLimits, offend: Offend
    ) -> None:
        self.peer = peer
        self.report = Report()
        self.position = 0  # in the peer's log: read up to here
        self._net = net
        self._clock = clock
        self._limits = limits
        self._offend = offend
        self._until_ms = clock.mono_ms() + limits.sync_ms
        self._stored = 0  # useful statements at the last check
        self._stored_ms = clock.mono_ms()

    async def ask(self, ask: Ask, expected: type[A]) -> A:
        """The answer to a question; raises Stop when there is none or the budget is spent."""
        self._spend()
        asked_ms = self._clock.mono_ms()
        payload = encode_ask(ask)
        try:
            data = await self._net.ask(self.peer, payload, self._limits.ask_ms)
        except P2PError as error:
            late = self._clock.mono_ms() - asked_ms >= self._limits.ask_ms
            raise Stop(End.SLOW if late else End.UNREACHABLE) from error
        self.report.bytes_out += len(payload)
        self.report.bytes_in += len(data)
        try:
            answer = open_answer(data)
        except BadEncoding as error:
            raise self.rubbish() from error
        if isinstance(answer, Busy):
            raise Stop(End.BUSY)
        if not isinstance(answer, expected):
            raise self.rubbish()
        return answer

    def rubbish(self) -> Stop:
        """The Stop to raise when a peer gives an impossible answer."""
        self._offend(self.peer, Offence.BAD_ENCODING)
        return Stop(End.RUBBISH)

    def wasted(self, statements: int) -> None:
        """Count statements that were useless: a few are normal, many end the conversation."""
        self.report.useless += statements
        if self.report.useless > max(self._limits.sync_waste, self.report.stored):
            raise Stop(End.BUDGET)

    def waited(self, ms: int) -> None:
        """So long the peer's answer waited here for its turn, which is not the peer's fault."""
        self._until_ms += ms
        self._stored_ms += ms

    def _spend(self) -> None:
        self.report.rounds += 1
        report, limits = self.report, self._limits
        now_ms = self._clock.mono_ms()
        if report.stored >= self._stored + limits.idle_statements:
            self._stored, self._stored_ms = report.stored, now_ms
        if now_ms > self._until_ms or now_ms - self._stored_ms > limits.idle_ms:
            raise Stop(End.SLOW)
        if report.rounds > limits.sync_rounds or report.bytes_in > limits.sync_bytes:
            raise Stop(End.BUDGET)
