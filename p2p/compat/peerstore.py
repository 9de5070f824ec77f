"""The address book of the host, bounded so that no peer can fill it and no flood evicts this node's own keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from libp2p.peer.envelope import Envelope
from libp2p.peer.id import ID
from libp2p.peer.peerdata import PeerData
from libp2p.peer.peerstore import PeerStore

from config.text.plain_text import first_unfit
from p2p.addresses import MAX_ADDR_BYTES, Multiaddr, without_peer

MAX_ADDRS_PER_PEER = 16
MAX_VOUCHED = 5  # addresses per peer that are tried first
MAX_RECORD_BYTES = 4_096
MAX_PEERS = 2_000
MAX_PROTOCOLS_PER_PEER = 64
MAX_PROTOCOL_CHARS = 128
VOUCHED = "vouched"


class BoundedPeerStore(PeerStore):
    """Keeps the newest addresses of each peer, and of the peers those that `keep` names, then the newest."""

    def __init__(self, keep: Callable[[ID], bool], max_peers: int = MAX_PEERS) -> None:
        super().__init__(max_records=max_peers, max_peers=max_peers)
        self._keep = keep

    def add_addrs(self, peer_id: ID, addrs: Sequence[Multiaddr], ttl: int = 0) -> None:
        """As the library's, but at most 16 per peer, the newest ones, none twice with and without `/p2p`."""
        short = [without_peer(addr) for addr in addrs[:MAX_ADDRS_PER_PEER] if len(addr.to_bytes()) <= MAX_ADDR_BYTES]
        super().add_addrs(peer_id, short, ttl)
        known = self.peer_data_map.get(peer_id)
        if known is not None and len(known.addrs) > MAX_ADDRS_PER_PEER:
            del known.addrs[:-MAX_ADDRS_PER_PEER]

    def vouch(self, peer_id: ID, addrs: Iterable[Multiaddr]) -> None:
        """These worked, or the peer itself or this node's user named them: they come before hearsay."""
        metadata: Any = self.peer_data_map.setdefault(peer_id, PeerData()).metadata
        metadata[VOUCHED] = list(dict.fromkeys([*map(without_peer, addrs), *self.vouched(peer_id)]))[:MAX_VOUCHED]
        self._enforce_peer_limit()

    def retract(self, peer_id: ID, addr: Multiaddr) -> None:
        """A vouched address did not work: it no longer comes first."""
        if self.vouched(peer_id):
            metadata: Any = self.peer_data_map[peer_id].metadata
            metadata[VOUCHED] = [known for known in self.vouched(peer_id) if known != without_peer(addr)]

    def dial_order(self, peer_id: ID) -> list[Multiaddr]:
        """All known addresses of a peer: first those that are vouched for, then hearsay, the newest first."""
        data = self.peer_data_map.get(peer_id)
        return list(dict.fromkeys([*self.vouched(peer_id), *reversed(data.addrs)])) if data is not None else []

    def vouched(self, peer_id: ID) -> list[Multiaddr]:
        """The addresses of a peer that are vouched for, the last one first."""
        data = self.peer_data_map.get(peer_id)
        metadata: Any = data.metadata if data is not None else {}
        return list(metadata.get(VOUCHED, ()))

    def consume_peer_record(self, envelope: Envelope, ttl: int) -> bool:
        """As the library's, but not a large one: it would be repeated in every answer that names the peer."""
        return len(envelope.marshal_envelope()) <= MAX_RECORD_BYTES and super().consume_peer_record(envelope, ttl)

    def add_protocols(self, peer_id: ID, protocols: Sequence[str]) -> None:
        """As the library's, at most 64 names of at most 128 characters, only names that a log can show."""
        some = protocols[:MAX_PROTOCOLS_PER_PEER]
        fitting = [name for name in some if len(name) <= MAX_PROTOCOL_CHARS and first_unfit(name) is None]
        super().add_protocols(peer_id, fitting)

    def drop_unmet(self, peer_id: ID) -> None:
        """Forget a peer that could not be reached, unless it was met before and may only be away."""
        known = self.peer_data_map.get(peer_id)
        if known is not None and not known.get_protocols() and not self._keep(peer_id):
            del self.peer_data_map[peer_id]
            self.peer_record_map.pop(peer_id, None)

    def _enforce_peer_limit(self) -> None:
        excess = len(self.peer_data_map) - self.max_peers
        if excess <= 0:
            return
        strangers = [peer for peer in self.peer_data_map if not self._keep(peer)]
        for peer in strangers[: excess + self.max_peers // 10]:  # oldest first; room for several, not one per call
            del self.peer_data_map[peer]
            self.peer_record_map.pop(peer, None)
