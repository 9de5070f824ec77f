"""Sends the frames of a turn: chooses the peers, adds the request if a peer may lack it, one write per peer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from daemon.signing.engine.roster import OpenRequest
from daemon.signing.engine.turn import Part
from daemon.signing.ports import SigningNetwork
from musig2.protocol.interface.effects import Send
from musig2.protocol.records.records import Considering
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have, Signed

Unreachable = Callable[[OpenRequest, int], None]


class TurnOutbox:
    """Frames per peer, each once and in order, of several `have` about one attempt only the last; encoded once."""

    def __init__(self) -> None:
        self._peers: dict[bytes, dict[Hashable, Frame]] = {}
        self._encoded: dict[int, bytes] = {}

    def put(self, peer: bytes, frame: Frame) -> None:
        """Queue a frame, unless the record is queued already; a newer `have` or answer replaces the older one."""
        queue = self._peers.setdefault(peer, {})
        name = _name(frame)
        if isinstance(frame, Signed) and name in queue:
            return
        queue.pop(name, None)
        queue[name] = frame

    def flush(self) -> list[tuple[bytes, list[bytes], list[bytes]]]:
        """Each peer with the encoded frames for it, in order: those that every version knows, and the others."""
        found: list[tuple[bytes, list[bytes], list[bytes]]] = []
        for peer, queue in self._peers.items():
            frames: list[bytes] = []
            optional: list[bytes] = []
            for frame in queue.values():
                (optional if _is_optional(frame) else frames).append(self._encode(frame))
            found.append((peer, frames, optional))
        return found

    def _encode(self, frame: Frame) -> bytes:
        data = self._encoded.get(id(frame))  # the frames live as long as this object, so their ids are unique
        if data is None:
            data = self._encoded[id(frame)] = encode_frame(frame)
        return data


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
        for peer, frames, optional in self._outbox.flush():
            if frames:
                self._sent(peer, taken=self._network.send(peer, frames))
            if optional:
                self._network.send_optional(peer, optional)

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
        if isinstance(frame, Complete) and entry.machine.has_signature(peer):
            return  # it came in the same turn, behind the partial signature that completed this side
        if not self._network.connected(peer):
            self._outbox.put(peer, frame)  # so that the peer is looked up and dialled
        elif not entry.handover.repeats(frame, peer, self._mono_ms):
            self._outbox.put(peer, frame)


def _is_optional(frame: Frame) -> bool:
    return isinstance(frame, Signed) and isinstance(frame.record, Considering)


def _name(frame: Frame) -> Hashable:
    match frame:
        case Signed(id=record_id):
            return record_id
        case Have(request=request, attempt=attempt):
            return ("have", request, attempt)
        case Complete(request=request):
            return ("complete", request)
        case Answer(request=request):
            return ("answer", request)
        case Fetch():
            return "fetch"
