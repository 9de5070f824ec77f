"""The Kademlia DHT under a protocol id of one's own, with bounded stores and answers that can be told apart.

In the library the protocol id is a constant of several modules, the value store holds 50 000 records of any size and
searches all of them to make room, provider keys are unbounded, `put_value` does not say whether anybody took the
value, and `get_value` returns a stale local copy without asking. No answer names the peers closest to the key of a
record. Every peer named in an answer enters the routing table unchecked; dead ones stay for ever, because others keep
naming them. Messages of 4 MiB are read, and every address in them is kept.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import trio
from libp2p.abc import INetStream
from libp2p.kad_dht import kad_dht, peer_routing, provider_store, routing_table, value_store
from libp2p.kad_dht.common import ALPHA, QUERY_TIMEOUT
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.kad_dht.pb.kademlia_pb2 import Message, Record
from libp2p.kad_dht.provider_store import ProviderStore
from libp2p.kad_dht.value_store import ValueStore
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.peer.peerstore import PeerStoreError
from libp2p.records.validator import NamespacedValidator, Validator

from p2p.addresses import MAX_ADDR_BYTES, Multiaddr
from p2p.compat.guard import GuardedTasks, OnFault
from p2p.compat.host import GuardedHost
from p2p.compat.kad_host import KadHost
from p2p.rates import Paces

log = logging.getLogger(__name__)
MAX_VALUES = 4_096
MAX_KEY_BYTES = 128
MAX_VALUE_BYTES = 16 * 1024
MAX_PROVIDER_KEYS = 1_024  # of at most 20 providers each
MAX_PROVIDER_ADDRS = 8
MAX_MESSAGE_BYTES = 64 * 1024
ANSWER_BYTES = 60 * 1024  # the rest of an answer is left out, to leave room for the sender's own record
STREAMS_PER_PEER = 8
SERVED_PEERS = 64  # at a time
SERVE_S = 20.0
PER_BUCKET, PER_TABLE = 2, 3  # peers of one address range, as in kubo's diversity filter
MESSAGE_RATE = 100  # per second and peer; each KiB costs as much as a message

# The peer whose stream is being served, so that the validator knows who sent a bad record.
serving: ContextVar[ID | None] = ContextVar("serving", default=None)
# The key that is being looked up in the network: the task that asks does not see the own copy, all others do.
asked_anew: ContextVar[bytes | None] = ContextVar("asked_anew", default=None)


class AnyKey:
    """Stands for `multihash` in the library's check of what a FIND_NODE asks for.

    It takes keys up to 50 bytes, or those that are a multihash. Whoever stores a record asks for its key, which has
    more; that is what every other implementation answers, and how a record gets to the peers closest to it.
    """

    @staticmethod
    def decode(key: bytes) -> None:
        """Raises ValueError for a key that no record can have."""
        if len(key) > MAX_KEY_BYTES:
            raise ValueError("a key of more than 128 bytes")


kad_dht.multihash = AnyKey  # type: ignore[attr-defined] # as much of the module as it uses
for module in (kad_dht, peer_routing, provider_store, value_store):
    vars(module)["MAX_DHT_MESSAGE_SIZE"] = MAX_MESSAGE_BYTES  # each has imported the constant by its name


class Resident(PeerInfo):
    """An entry of the routing table. `source`: the address range that counts, None for a peer that may come from any.

    Peer ids can be ground until they sit next to this node's: whoever has one address could be all its neighbours, at
    whom lookups end. The library bounds the peers of a subnet too, but goes by the addresses that a peer claims: it may
    claim none, or those of somebody else, who is then left out. Here the other end of the connection counts.
    """

    def __init__(self, peer_id: ID, addrs: Sequence[Multiaddr], source: bytes | None) -> None:
        super().__init__(peer_id, addrs)
        self.source = source


def _source_of(info: PeerInfo) -> str | None:
    source: bytes | None = getattr(info, "source", None)
    return None if source is None else source.hex()


vars(routing_table)["_subnet_key"] = _source_of  # table and buckets count what it returns
Settle = Callable[[bytes, int], Awaitable[None]]


class PacedStream:
    """A stream from which messages are read at the pace that its peer may keep."""

    def __init__(self, stream: INetStream, paces: Paces, settle: Settle) -> None:
        self._stream = stream
        self._paces = paces
        self._settle = settle
        self._unanswered = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def read(self, n: int | None = None) -> bytes:
        """As the stream's; a read of one byte is part of a length prefix and costs nothing."""
        data = await self._stream.read(n)
        if n != 1:
            self._unanswered = True
            now, peer = trio.current_time(), self._stream.muxed_conn.peer_id.to_bytes()
            await trio.sleep(self._paces.of(peer, now).owe(1 + len(data) / 1024, now))
            await self._settle(peer, len(data))
        return data

    async def write(self, data: bytes) -> None:
        """As the stream's."""
        self._unanswered = False
        await self._stream.write(data)

    async def reset(self) -> None:
        """As the stream's: how this protocol says no. A stream that its peer has closed ends so too."""
        if self._unanswered:
            log.debug("a DHT message of %s is refused", self._stream.muxed_conn.peer_id)
        await self._stream.reset()


class BoundedValues(ValueStore):
    """Keeps the records whose keys are closest to this node, as the DHT expects it of them."""

    def _evict_if_full(self) -> None:
        if len(self.store) < MAX_VALUES:
            return
        own = int.from_bytes(hashlib.sha256(self.local_peer_id.to_bytes()).digest())
        far = sorted(self.store, key=lambda key: int.from_bytes(hashlib.sha256(key).digest()) ^ own, reverse=True)
        for key in far[: MAX_VALUES // 16]:  # several at a time, so that sorting is rare
            if key not in self.local_keys:
                del self.store[key]

    def get(self, key: bytes) -> Record | None:
        """The stored record, unless this task asks the network for it."""
        return None if key == asked_anew.get() else super().get(key)

    def put_record(self, key: bytes, record: Record) -> None:
        """Store a record from the network, if it is not too large."""
        if len(record.value) <= MAX_VALUE_BYTES and len(key) <= MAX_KEY_BYTES:
            super().put_record(key, record)


class BoundedProviders(ProviderStore):
    """Forgets the oldest key when there are too many, and keeps few addresses of a provider."""

    def get_providers(self, key: bytes) -> list[PeerInfo]:
        """The stored providers, unless this task asks the network for them."""
        return [] if key == asked_anew.get() else super().get_providers(key)

    def add_provider(self, key: bytes, provider: PeerInfo) -> None:
        """Remember that `provider` serves `key`."""
        if key not in self.providers and len(self.providers) >= MAX_PROVIDER_KEYS:
            oldest = next(stored for stored in self.providers if stored not in self.providing_keys)
            del self.providers[oldest]
        super().add_provider(key, with_few_addresses(provider))


def with_few_addresses(provider: PeerInfo) -> PeerInfo:
    """At most 8 addresses of at most 256 bytes."""
    few = provider.addrs[:MAX_PROVIDER_ADDRS]
    return PeerInfo(provider.peer_id, [addr for addr in few if len(addr.to_bytes()) <= MAX_ADDR_BYTES])


class GuardedDHT(KadDHT):
    """The library's DHT for one namespace; every record in it is checked by `validator`, others are refused."""

    on_fault: OnFault
    is_stranger: Callable[[ID], bool]  # others are served however many are
    source_of: Callable[[ID], bytes | None]  # the address range that counts in the table; None: it has no bound

    def __init__(
        self,
        host: GuardedHost,
        protocol: str,
        namespace: str,
        validator: Validator,
        settle: Settle,
        *,
        server: bool,
    ) -> None:
        """`settle(peer, size)` charges a message and returns when its peer owes nothing."""
        self._settle = settle
        self._kad_host = KadHost(host, protocol, self._gave_no_answer)
        renamed: Any = self._kad_host
        super().__init__(
            renamed,
            DHTMode.SERVER if server else DHTMode.CLIENT,
            validator=NamespacedValidator({namespace: validator}, strict_validation=True),
            validator_changed=True,
            strict_validation=True,
            max_peers_per_subnet=PER_BUCKET,
            max_peers_per_subnet_table=PER_TABLE,
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
        """Only connected peers enter the table. Others are asked, and so connected, in the lookup that found them."""
        peer = peer_obj.peer_id if isinstance(peer_obj, PeerInfo) else peer_obj
        if not self._kad_host.connected(peer):
            return False
        try:
            addrs = peer_obj.addrs if isinstance(peer_obj, PeerInfo) else self.host.get_peerstore().addrs(peer)
        except PeerStoreError:  # it has told none
            return False
        resident = Resident(peer, addrs, self.source_of(peer))
        return await self._add_to_table(resident, skip_server_mode_check=skip_server_mode_check)

    def met(self, peer_id: ID) -> None:
        """A peer connected: it may be asked again, however often it gave no answer before."""
        self._kad_host.forgive(peer_id)

    def _gave_no_answer(self, peer_id: ID) -> None:
        self.routing_table.remove_peer(peer_id)

    async def handle_stream(self, stream: INetStream) -> None:
        """Serve one stream; a peer that holds too many, or one for too long, takes no slot of others."""
        peer = stream.muxed_conn.peer_id
        many = len(self._serving) >= SERVED_PEERS and self.is_stranger(peer)
        if self.mode is DHTMode.CLIENT or self._serving[peer] >= STREAMS_PER_PEER or many:
            await stream.reset()
            return
        serving.set(peer)
        self._serving[peer] += 1
        paced: Any = PacedStream(stream, self._paces, self._settle)
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
        encoded = key.encode()
        own = self.value_store.store.get(encoded) if self.value_store.get(encoded) is not None else None
        before = asked_anew.set(encoded)
        try:
            found = await self.get_value(key)
        finally:
            asked_anew.reset(before)
            if own is not None:
                self._keep_newer(key, own)
        held = self.value_store.get(encoded)
        return found if held is None else held.value

    def _keep_newer(self, key: str, own: tuple[Record, float]) -> None:
        """Undo it if an older record from the network replaced the own copy."""
        held = self.value_store.get(key.encode())
        if held is None or self._select(key, [own[0].value, held.value]) == 0:
            self.value_store.store[key.encode()] = own

    async def fresh_providers(self, key: bytes, count: int) -> list[PeerInfo]:
        """The providers of a key that the network names; what is stored here for others is not changed."""
        before = asked_anew.set(key)
        try:
            found = await self.provider_store.find_providers(key, count)
        finally:
            asked_anew.reset(before)
        return [with_few_addresses(provider) for provider in found]

    def _add_closer_peers_to_response(
        self, response: Message, closest_peers: Sequence[ID], exclude_peer_id: ID | None = None
    ) -> None:
        super()._add_closer_peers_to_response(response, closest_peers, exclude_peer_id)
        for named in (response.closerPeers, response.providerPeers):
            while named and response.ByteSize() > ANSWER_BYTES:
                del named[-1]

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
                    stored = await self.value_store._store_at_peer(peer, encoded, value)
                    taken += stored  # in two lines: one would read the sum before waiting

        limit = trio.CapacityLimiter(ALPHA)
        closest = await self.peer_routing.find_closest_peers_network(encoded)
        async with trio.open_nursery() as nursery:
            for peer in closest:
                if peer != self.local_peer_id:
                    nursery.start_soon(offer, peer)
        return taken
