"""Sends the frames of a turn: chooses the peers, adds the request if a peer may lack it, one write per peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from daemon.signing.engine.outbox import TurnOutbox
from daemon.signing.engine.roster import OpenRequest
from daemon.signing.engine.turn import Part
from daemon.signing.ports import SigningNetwork
from musig2.protocol.interface.effects import Send
from musig2.protocol.wire.frames import Frame

Unreachable = Callable[[OpenRequest, int], None]


class Sender:
    """Hands the frames of one turn to the network."""

    def __init__(self, *, network: SigningNetwork, mono_ms: int, unreachable: Unreachable) -> None:
        """`unreachable` is called for every signer to whose peer nothing could be sent."""
        self._network = network
        self._mono_ms = mono_ms
        self._unreachable = unreachable
        self._outbox = TurnOutbox()
        self._meant: dict[
            bytes, set[tuple[OpenRequest, int]]
        ] = {}  # per peer: the signers, with their request, that it acts for

    def send(self, direct: Iterable[tuple[bytes, Frame, object]], parts: Iterable[Part]) -> None:
        """Send everything, in one write per peer; empties the sends of each part."""
        for peer, frame, _ in direct:
            self._outbox.put(peer, frame)
        for part in parts:
            for send in part.sends:
                self._address(part.entry, send)
            part.sends.clear()
        for peer, frames in self._outbox.flush():
            self._sent(peer, taken=self._network.send(peer, frames))

    def _sent(self, peer: bytes, *, taken: bool) -> None:
        for entry, index in self._meant.get(peer, ()):
            if taken:
                entry.handover.pushed(peer, (index,), self._mono_ms, anew=False)
            else:
                self._unreachable(entry, index)

    def _address(self, entry: OpenRequest, send: Send) -> None:
        """Queue one frame, after the request if a peer may lack it."""
        if send.peer is not None:
            self._queue(entry, send.frame, send.peer)
            return
        for index in entry.others if send.to is None else (send.to,):
            for peer in entry.peers_of(index):
                if entry.may_lack_it(peer):
                    self._outbox.put(peer, entry.request)
                self._queue(entry, send.frame, peer)
                self._meant.setdefault(peer, set()).add((entry, index))

    def _queue(self, entry: OpenRequest, frame: Frame, peer: bytes) -> None:
        if not self._network.connected(peer):
            self._outbox.put(peer, frame)  # so that the peer is looked up and dialled
        elif not entry.handover.repeats(frame, peer, self._mono_ms):
            self._outbox.put(peer, frame)
