"""The frames of one turn, merged: each once per peer, and of several `have` about one attempt only the last."""

from __future__ import annotations

from collections.abc import Hashable

from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have, Signed


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


class TurnOutbox:
    """Frames per peer, in the order in which they were put; encoded once, however many peers get them."""

    def __init__(self) -> None:
        self._peers: dict[bytes, dict[Hashable, Frame]] = {}
        self._encoded: dict[int, bytes] = {}

    def put(self, peer: bytes, frame: Frame) -> None:
        """Queue a frame last; it replaces one of the same name that was queued before."""
        queue = self._peers.setdefault(peer, {})
        name = _name(frame)
        if isinstance(frame, Signed) and name in queue:
            return
        queue.pop(name, None)
        queue[name] = frame

    def flush(self) -> list[tuple[bytes, list[bytes]]]:
        """Each peer with the encoded frames for it, in order."""
        return [(peer, [self._encode(frame) for frame in queue.values()]) for peer, queue in self._peers.items()]

    def _encode(self, frame: Frame) -> bytes:
        data = self._encoded.get(id(frame))  # the frames live as long as this object, so their ids are unique
        if data is None:
            data = self._encoded[id(frame)] = encode_frame(frame)
        return data
