"""Questions and answers of the directory protocol, several at a time over one long-lived stream per peer.

    frame: kind u8 | id u32be | payload      kind 0 question, 1 answer, 2 not answered

Both sides may ask on the same stream; the ids of each side are its own. Whoever asks too much at once gets 2.
A peer that does not read its answers is asked to wait: its next question is read when they have left.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import trio

from p2p.errors import AskTimeout, PeerUnreachable
from p2p.ports import Offence, Standing
from p2p.streams.accounts import Accounts
from p2p.streams.links import Links
from p2p.streams.prices import Work

QUESTION, ANSWER, NOT_ANSWERED = range(3)
HEAD_BYTES = 5
AT_ONCE = 1  # questions of a stranger that are answered at the same time; the others wait where they come from
UNREAD_BYTES = 64 * 1024  # of answers that wait for a peer to read them
NAP_S = 0.05
Forward = Callable[[bytes, int, bytes], None]  # called with (peer, id, payload) of a question


class _Waiting:
    """A question that waits for its answer."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.answer: bytes | None = None


class Asks:
    """The trio side of `ask` and `on_ask`. `forward` hands a peer's question on; `answer` or `refuse` ends it."""

    def __init__(
        self, in_flight: int, forward: Forward, fault: Callable[[bytes, Offence], None], accounts: Accounts
    ) -> None:
        self._accounts = accounts
        self._limit = in_flight
        self._forward = forward
        self._fault = fault
        self._ids = itertools.count(1)
        self._waiting: dict[bytes, dict[int, _Waiting]] = {}
        self._open: dict[bytes, set[int]] = {}
        self._ended: dict[bytes, trio.Event] = {}  # set when a question of a peer that waits has been answered
        self.links: Links  # set later, because the links deliver to this

    @property
    def pending(self) -> int:
        """Own questions that wait for an answer."""
        return sum(map(len, self._waiting.values()))

    def is_under_way(self, peer: bytes) -> bool:
        """Whether that peer has a question of this node, or this node one of that peer, that is not answered yet."""
        return peer in self._waiting or peer in self._open

    async def ask(self, peer: bytes, payload: bytes, timeout_ms: int) -> bytes:
        """Ask a connected peer. Raises AskTimeout, PeerUnreachable."""
        waiting = self._waiting.setdefault(peer, {})
        if len(waiting) >= self._limit:
            raise PeerUnreachable(
                "busy", "too many questions to this peer are under way: ask again when some are answered"
            )
        number = next(self._ids) % 2**32
        question = waiting[number] = _Waiting()
        try:
            if not self._put(peer, QUESTION, number, payload):
                raise PeerUnreachable("peer_unreachable", "the peer is not connected, or does not read what it is sent")
            with trio.move_on_after(timeout_ms / 1000):
                await question.done.wait()
        finally:
            del waiting[number]
            if not waiting:
                self._waiting.pop(peer, None)
        if not question.done.is_set():
            raise AskTimeout("timeout", f"the peer did not answer within {timeout_ms} ms")
        if question.answer is None:
            raise PeerUnreachable("busy", "the peer does not answer this now")
        return question.answer

    def _put(self, peer: bytes, kind: int, number: int, payload: bytes) -> bool:
        link = self.links.of(peer)
        if self._accounts.standing(peer) is Standing.STRANGER:
            self.links.make_room(link, len(payload))
        if not link.outbox.put([bytes([kind]) + number.to_bytes(4, "big") + payload]):
            return False
        link.wake()
        return True

    def answer(self, peer: bytes, number: int, payload: bytes) -> None:
        """Answer a question that was handed on; no effect if the peer has left or does not read.

        The cost of the answer is known only now: the peer's next question waits for it.
        """
        self._accounts.charge(peer, Work.SERVED_KIB, len(payload) / 1024)
        self._end(peer, number, ANSWER, payload)

    def refuse(self, peer: bytes, number: int, bad: bool) -> None:
        """Do not answer; `bad`: the question could not be decoded."""
        if bad:
            self._fault(peer, Offence.BAD_ENCODING)
        self._end(peer, number, NOT_ANSWERED, b"")

    def _end(self, peer: bytes, number: int, kind: int, payload: bytes) -> None:
        numbers = self._open.get(peer, set())
        if number in numbers:
            numbers.discard(number)
            if not numbers:
                del self._open[peer]
            self._wake(peer)
            self._put(peer, kind, number, payload)

    def _wake(self, peer: bytes) -> None:
        ended = self._ended.pop(peer, None)
        if ended is not None:
            ended.set()

    def lost(self, peer: bytes) -> None:
        """The stream to a peer broke: what was asked over it will not be answered."""
        self._open.pop(peer, None)
        self._wake(peer)
        for question in self._waiting.get(peer, {}).values():
            question.done.set()

    async def deliver(self, peer: bytes, parts: list[bytes]) -> None:
        """Handle frames from the stream. A question is charged, and waits until its peer owes nothing."""
        for part in parts:
            kind, number, payload = part[0], int.from_bytes(part[1:HEAD_BYTES], "big"), part[HEAD_BYTES:]
            if len(part) < HEAD_BYTES or kind > NOT_ANSWERED:
                self._fault(peer, Offence.BAD_ENCODING)
            elif kind == QUESTION:
                self._accounts.charge(peer, Work.QUESTION)
                self._accounts.charge(peer, Work.QUESTION_KIB, len(payload) / 1024)
                await self._accounts.settled(peer)
                await self._turn(peer)
                self._on_question(peer, number, payload)
            else:
                self._on_answer(peer, number, payload if kind == ANSWER else None)

    async def _turn(self, peer: bytes) -> None:
        """Return when little of what the peer asked for is still to be made, or to be read by it."""
        while self._accounts.standing(peer) is not Standing.KNOWN:
            if len(self._open.get(peer, ())) >= AT_ONCE:
                await self._ended.setdefault(peer, trio.Event()).wait()
            elif self.links.unread(peer) > UNREAD_BYTES:
                await trio.sleep(NAP_S)
            else:
                return

    def _on_question(self, peer: bytes, number: int, payload: bytes) -> None:
        numbers = self._open.setdefault(peer, set())
        if len(numbers) >= self._limit or number in numbers:
            self._put(peer, NOT_ANSWERED, number, b"")
            return
        numbers.add(number)
        self._forward(peer, number, payload)

    def _on_answer(self, peer: bytes, number: int, payload: bytes | None) -> None:
        question = self._waiting.get(peer, {}).get(number)
        if question is None:
            self._accounts.charge(peer, Work.QUESTION)  # nobody asked, or no longer
        elif not question.done.is_set():
            question.answer = payload
            question.done.set()
