"""The Kademlia DHT under a protocol id of one's own, with bounded stores and answers that can be told apart.

In the library the protocol id is a constant of several modules, the value store holds 50 000 records of any size and
searches all of them to make room, provider keys are unbounded, `put_value` does not say whether anybody took the
value, and `get_value` returns a stale local copy without asking. Whoever is named in an answer enters the routing
table unseen; so the dead stay for ever, because others name them again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import trio
from libp2p.abc import INetStream
from libp2p.kad_dht.common import ALPHA, QUERY_TIMEOUT
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.kad_dht.pb.kademlia_pb2 import Record
from libp2p.kad_dht.provider_store import ProviderStore
from libp2p.kad_dht.value_store import ValueStore
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.records.validator import NamespacedValidator, Validator

from p2p.rates import Paces

from .guard import GuardedTasks, OnFault
from .host import GuardedHost
from .kad_host import KadHost

MAX_VALUES = 4_096
MAX_VALUE_BYTES = 16 * 1024
MAX_PROVIDER_KEYS = 4_096
STREAMS_PER_PEER = 8
SERVED_PEERS = 64  # at a time
SERVE_S = 20.0
MESSAGE_RATE = 100  # per second and peer

# Whose stream is being served: lets the validator say who sent a bad record.
serving: ContextVar[ID | None] = ContextVar("serving", default=None)


class PacedStream:
    """A stream from which messages are read at the pace that its peer may keep."""

    def __init__(self, stream: INetStream, paces: Paces) -> None:
        self._stream = stream
        self._paces = paces

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def read(self, n: int | None = None) -> bytes:
        """As the stream's; a read of one byte is part of a length prefix and costs nothing."""
        data = await self._stream.read(n)
        if n != 1:
            now = trio.current_time()
            await trio.sleep(self._paces.of(self._stream.muxed_conn.peer_id.to_bytes(), now).owe(1, now))
        return data


class BoundedValues(ValueStore):
    """Keeps the records whose keys are closest to this node, as the DHT expects it of them."""

    def _evict_if_full(self) -> None:
        if len(self.store) < MAX_VALUES:
            return
        own = int.from_bytes(hashlib.sha256(self.local_peer_id.to_bytes()).digest())
        far = sorted(self.store, key=lambda key: int.from_bytes(hashlib.sha256(key).digest()) ^ own, reverse=True)
        for key in far[: MAX_VALUES // 16]:  # some at a time, so that the sorting is rare
            if key not in self.local_keys:
                del self.store[key]

    def put_record(self, key: bytes, record: Record) -> None:
        """Store a record from the network, if it is not too large."""
        if len(record.value) <= MAX_VALUE_BYTES and len(key) <= 128:
            super().put_record(key, record)


class BoundedProviders(ProviderStore):
    """Forgets the oldest key when there are too many."""

    def add_provider(self, key: bytes, provider: PeerInfo) -> None:
        """Remember that `provider` serves `key`."""
        if key not in self.providers and len(self.providers) >= MAX_PROVIDER_KEYS:
            oldest = next(stored for stored in self.providers if stored not in self.providing_keys)
            del self.providers[oldest]
        super().add_provider(key, provider)


class GuardedDHT(KadDHT):
    """The library's DHT for one namespace; every record in it is checked by `validator`, others are refused."""

    on_fault: OnFault

    def __init__(self, host: GuardedHost, protocol: str, namespace: str, validator: Validator, *, server: bool) -> None:
        self._kad_host = KadHost(host, protocol, self._gave_no_answer)
        renamed: Any = self._kad_host
        super().__init__(
            renamed,
            DHTMode.SERVER if server else DHTMode.CLIENT,
            validator=NamespacedValidator({namespace: validator}, strict_validation=True),
            validator_changed=True,
            strict_validation=True,
        )
        self.protocol = protocol
        self._add_to_table = self.routing_table.add_peer
        self.routing_table.add_peer = self._add_if_here  # type: ignore[method-assign] # several parts hold this table
        self._serving: Counter[ID] = Counter()
        self._paces = Paces(MESSAGE_RATE, 4 * MESSAGE_RATE)
        self.value_store = BoundedValues(host=renamed, local_peer_id=self.local_peer_id)
        self.provider_store = BoundedProviders(host=renamed, peer_routing=self.peer_routing)

    @cached_property
    def manager(self) -> GuardedTasks:  # type: ignore[override] # stands in for the library's manager
        """The service's manager, with guarded tasks."""
        return GuardedTasks(self._manager, self.on_fault)

    async def _add_if_here(self, peer_obj: PeerInfo | ID, *, skip_server_mode_check: bool = False) -> bool:
        """Only who is connected enters the table. Others are asked in the lookup that found them, and then are."""
        if not self._kad_host.connected(peer_obj.peer_id if isinstance(peer_obj, PeerInfo) else peer_obj):
            return False
        return await self._add_to_table(peer_obj, skip_server_mode_check=skip_server_mode_check)

    def met(self, peer_id: ID) -> None:
        """A peer has come: it may be asked again, however often it gave no answer before."""
        self._kad_host.forgive(peer_id)

    def _gave_no_answer(self, peer_id: ID) -> None:
        self.routing_table.remove_peer(peer_id)

    async def handle_stream(self, stream: INetStream) -> None:
        """Serve one stream; a peer that holds too many open, or one for too long, takes nobody else's place."""
        peer = stream.muxed_conn.peer_id
        if self.mode is DHTMode.CLIENT or self._serving[peer] >= STREAMS_PER_PEER or len(self._serving) >= SERVED_PEERS:
            await stream.reset()
            return
        serving.set(peer)
        self._serving[peer] += 1
        paced: Any = PacedStream(stream, self._paces)
        try:
            with trio.move_on_after(SERVE_S) as scope:
                await self._do_handle_stream(paced)
            if scope.cancelled_caught:
                await stream.reset()
        finally:
            self._serving[peer] -= 1
            self._serving += Counter()  # drops the zeroes

    async def fresh_value(self, key: str) -> bytes | None:
        """The best record that the network has; the own copy only takes part in the choice."""
        own = self.value_store.get(key.encode())
        self.value_store.store.pop(key.encode(), None)
        found = await self.get_value(key)
        if own is None or self.validator is None:
            return found
        candidates = [own.value] if found is None else [own.value, found]
        best = candidates[self._select(key, candidates)]
        if best == own.value:
            self.value_store.put_record(key.encode(), own)
        return best

    def _select(self, key: str, values: list[bytes]) -> int:
        assert self.validator is not None
        return self.validator.select(key, values)

    async def spread_value(self, key: str, value: bytes) -> int:
        """Store a valid record here and at the closest peers; how many of them took it."""
        encoded = key.encode()
        self.value_store.put(encoded, value)
        taken = 0

        async def offer(peer: ID) -> None:
            nonlocal taken
            with trio.move_on_after(QUERY_TIMEOUT):
                async with limit:
                    taken += await self.value_store._store_at_peer(peer, encoded, value)

        limit = trio.CapacityLimiter(ALPHA)
        closest = await self.peer_routing.find_closest_peers_network(encoded)
        async with trio.open_nursery() as nursery:
            for peer in closest:
                if peer != self.local_peer_id:
                    nursery.start_soon(offer, peer)
        return taken
