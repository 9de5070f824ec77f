"""Frames about requests that are not known yet: a few per peer, for a short time, until the request arrives."""

from __future__ import annotations

from collections import OrderedDict, deque

from daemon.signing.limits import SigningLimits
from musig2.protocol.wire.frames import Frame


class EarlyFrames:
    """At most `unknown_per_peer` frames of each of at most `unknown_peers` peers, each for `unknown_ms`."""

    def __init__(self, limits: SigningLimits) -> None:
        self._limits = limits
        self._peers: OrderedDict[bytes, deque[tuple[int, bytes, Frame]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(held) for held in self._peers.values())

    def keep(self, peer: bytes, about: bytes, frame: Frame, mono_ms: int) -> None:
        """Keep a frame about that request or session id; the oldest of the peer is dropped if there is no room."""
        held = self._peers.setdefault(peer, deque(maxlen=self._limits.unknown_per_peer))
        self._peers.move_to_end(peer)
        held.append((mono_ms + self._limits.unknown_ms, about, frame))
        while len(self._peers) > self._limits.unknown_peers:
            self._peers.popitem(last=False)

    def take(self, ids: frozenset[bytes], mono_ms: int) -> list[tuple[bytes, Frame]]:
        """Hand out what was kept about these request and session ids, as (peer, frame)."""
        found = []
        for peer, held in self._peers.items():
            found += [(peer, frame) for until, about, frame in held if about in ids and until > mono_ms]
            rest = [item for item in held if item[1] not in ids]
            held.clear()
            held.extend(rest)
        self.forget_old(mono_ms)
        return found

    def forget_old(self, mono_ms: int) -> None:
        """Drop what is older than `unknown_ms`."""
        for peer, held in list(self._peers.items()):
            while held and held[0][0] <= mono_ms:
                held.popleft()
            if not held:
                del self._peers[peer]
