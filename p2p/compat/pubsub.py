"""GossipSub that no peer can stop, without lost bursts; its owner decides which messages are accepted.

In the library a malformed message stops the host, outbound queues lose bursts over 32 messages, sequence numbers
restart with the clock's seconds so that a restarted node is ignored, each message starts three tracked tasks, and
messages above ten per second and topic are dropped. Here the owner decides what is kept and passed on.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from typing import Any

import trio
from libp2p.abc import IHost, INetStream
from libp2p.io.exceptions import IOException, MessageTooLarge
from libp2p.network.connection.exceptions import RawConnError
from libp2p.peer.id import ID
from libp2p.pubsub import pubsub as library
from libp2p.pubsub.gossipsub import PROTOCOL_ID, PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pb.rpc_pb2 import RPC, ControlMessage, Message
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.pubsub.validators import signature_validator
from libp2p.stream_muxer.exceptions import MuxedStreamError
from libp2p.tools.timed_cache.last_seen_cache import LastSeenCache
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from p2p.compat.guard import GuardedTasks, OnFault
from p2p.rates import Paces

QUEUE = 1024
MAX_TOPIC_CHARS = 128
MAX_MESSAGES_PER_RPC = 256
MAX_CONTROL, MAX_IDS = 64, 1_024  # control entries per RPC, message ids per entry
MAX_SEEN = 65_536
RPC_RATE = 500  # per second and peer; a peer that sends more is read more slowly
FLOOD = 20  # peers to which an author sends a message directly, if it knows so many
HELD_S = 120  # how long a message id is remembered


class WideQueue(RpcQueue):
    """The outbound queue of one peer, wide enough for a burst."""

    def __init__(self) -> None:
        super().__init__(max_size=QUEUE)


class SeenIds(LastSeenCache):
    """Message ids of the last two minutes: bounded, and without the library's thread per node."""

    def __init__(self, ttl: int) -> None:  # not the parent's, which starts the thread
        self.ttl = ttl
        self._ids: OrderedDict[bytes, float] = OrderedDict()

    def add(self, key: bytes) -> bool:
        """Remember an id; True if it was new."""
        new = not self.has(key)
        self._ids[key] = time.monotonic() + self.ttl
        self._ids.move_to_end(key)
        if len(self._ids) > MAX_SEEN:
            self._ids.popitem(last=False)
        return new

    def has(self, key: bytes) -> bool:
        """Whether the id was added within the time."""
        return self._ids.get(key, 0.0) > time.monotonic()

    def stop(self) -> None:
        """Nothing to stop."""


library.RpcQueue = WideQueue  # type: ignore[assignment,attr-defined] # the name that it uses to make queues
library.SUBSCRIPTION_CHANNEL_SIZE = QUEUE


def make_router(heartbeat_s: float) -> GuardedGossipSub:
    """The router, version 1.1: a heartbeat of a second, no rate limit of its own (the owner has one), fixed degrees."""
    return GuardedGossipSub(
        [PROTOCOL_ID_V11, PROTOCOL_ID],
        degree=6,
        degree_low=4,
        degree_high=12,
        heartbeat_interval=heartbeat_s,  # type: ignore[arg-type] # it sleeps for it: fractions of a second work
        prune_back_off=10,
        adaptive_gossip_enabled=False,
        spam_protection_enabled=False,
        eclipse_protection_enabled=False,
        max_pending_messages_per_peer=32,
    )


class GuardedGossipSub(GossipSub):
    """The library's router whose background tasks survive an exception."""

    on_fault: OnFault

    @cached_property
    def manager(self) -> GuardedTasks:  # type: ignore[override] # stands in for the library's manager
        """The service's manager, with guarded tasks."""
        return GuardedTasks(self._manager, self.on_fault)

    async def publish(self, msg_forwarder: ID, pubsub_msg: Message) -> None:
        """Pass on an accepted message, without the timestamps that the library keeps for each and never removes."""
        await super().publish(msg_forwarder, pubsub_msg)
        self.recent_message_deliveries.clear()

    def _check_equivocation(self, msg: Message) -> bool:
        return True  # a second message with a known id was dropped by the seen ids; the library keeps a copy of each

    def remove_peer(self, peer_id: ID) -> None:
        """Forget a peer, its pauses included."""
        super().remove_peer(peer_id)
        for pauses in self.back_off.values():
            pauses.pop(peer_id, None)

    def _get_peers_to_send(
        self, topic_ids: Iterable[str], msg_forwarder: ID, origin: ID, msg_id: bytes | None = None
    ) -> Iterable[ID]:
        """As the library's; a message of one's own goes to more than the mesh, which may be thin just now."""
        yield from (chosen := set(super()._get_peers_to_send(topic_ids, msg_forwarder, origin, msg_id)))
        if self.pubsub is not None and msg_forwarder == self.pubsub.my_id:
            for topic in topic_ids:
                followers = self.pubsub.peer_topics.get(topic, set()) - chosen
                yield from list(followers)[: max(0, FLOOD - len(chosen))]


class GuardedPubsub(Pubsub):
    """Asks its owner: `admit` by size and rate, then `judge` by content; what is approved is passed on."""

    admit: Callable[[ID, Message], bool]
    judge: Callable[[ID, Message], Awaitable[bool]]
    settle: Callable[[ID, int], Awaitable[None]]  # charges a peer so many entries; returns when it owes nothing
    on_bad_bytes: Callable[[ID, Exception], None]
    on_bad_signature: Callable[[ID], None]
    on_fault: OnFault

    def __init__(self, host: IHost, router: GuardedGossipSub, topic_prefix: str, max_message_bytes: int) -> None:
        super().__init__(host, router, seen_ttl=HELD_S, strict_signing=True, max_inbound_rpc_size=4 * max_message_bytes)
        self.seen_messages.stop()
        self.seen_messages = SeenIds(HELD_S)
        self.counter = time.time_ns()  # never below what an earlier run of this identity used
        self._topic_prefix = topic_prefix
        self._paces = Paces(RPC_RATE, 10 * RPC_RATE)

    @cached_property
    def manager(self) -> GuardedTasks:  # type: ignore[override] # stands in for the library's manager
        """The service's manager, with guarded tasks."""
        return GuardedTasks(self._manager, self.on_fault)

    async def _handle_new_peer(self, peer_id: ID) -> None:
        """Greet a peer with the topics that are followed, and tell it those that changed meanwhile.

        The greeting is made before it is written, and until then the peer is told of no change.
        """
        if peer_id in self.peers:
            return
        before = set(self.topic_ids)
        await super()._handle_new_peer(peer_id)
        queue, now = self.peer_queues.get(peer_id), set(self.topic_ids)
        if queue is not None:
            for topic in before ^ now:
                queue.push(self._build_announce_rpc(topic, topic in now)[0])
        self._greet_anew(peer_id)

    async def handle_dead_peer_queue(self) -> None:
        """A connection has ended. A peer that has another is greeted there, if it was greeted on the one that ended.

        What was written last may not have been read, and nothing else would be written until there is something to say.
        """
        async with self.dead_peer_receive_channel:
            self.event_handle_dead_peer_queue_started.set()
            async for peer_id in self.dead_peer_receive_channel:
                if self._peer_is_connected(peer_id):
                    self._greet_anew(peer_id)
                else:
                    self._handle_dead_peer(peer_id)

    def _greet_anew(self, peer_id: ID) -> None:
        """Open another stream to a peer if the connection of its stream has ended."""
        stream = self.peers.get(peer_id)
        if stream is not None and stream.muxed_conn.is_closed:
            self._handle_dead_peer(peer_id)

    def _handle_dead_peer(self, peer_id: ID) -> None:
        """The stream to a peer was lost. The library opens another while connected; the topics of the peer are kept.

        The peer named them once, on its own stream, which may still work; if forgotten, it would get nothing any more.
        """
        followed = [topic for topic, followers in self.peer_topics.items() if peer_id in followers]
        super()._handle_dead_peer(peer_id)
        if followed and self._peer_is_connected(peer_id):
            for topic in followed:
                self.peer_topics.setdefault(topic, set()).add(peer_id)
            self._peer_subscription_count[peer_id] = len(followed)

    async def continuously_read_stream(self, stream: INetStream) -> None:
        """Read RPCs until the stream ends; what cannot be read is the peer's fault and ends only its stream."""
        peer = stream.muxed_conn.peer_id
        try:
            while True:
                await self._take(peer, await read_varint_prefixed_bytes_limited(stream, self.max_inbound_rpc_size))
                now = trio.current_time()
                await trio.sleep(self._paces.of(peer.to_bytes(), now).owe(1, now))
                await self.settle(peer, 0)
        except MessageTooLarge as error:
            await self._refuse(stream, error)
        except (IOException, RawConnError, MuxedStreamError):
            return  # the peer left, or opens another stream
        except Exception as error:  # noqa: BLE001 - malformed bytes raise many kinds; each costs only this stream
            await self._refuse(stream, error)

    async def _refuse(self, stream: INetStream, error: Exception) -> None:
        self.on_bad_bytes(stream.muxed_conn.peer_id, error)
        await stream.reset()

    async def _take(self, peer: ID, data: bytes) -> None:
        rpc = RPC()
        rpc.ParseFromString(data)
        rpc.ClearField("senderRecord")  # identify has it; here its signature would be checked for each message
        del rpc.subscriptions[self.max_subscriptions_per_peer :]
        if rpc.HasField("control"):
            self._trim(rpc.control)
        await self.settle(peer, len(rpc.subscriptions) + len(rpc.publish) + _entries(rpc.control))
        for subscription in rpc.subscriptions:
            if self._is_ours(subscription.topicid):
                self.handle_subscription(peer, subscription)
        for message in rpc.publish[:MAX_MESSAGES_PER_RPC]:
            if len(message.topicIDs) == 1 and message.topicIDs[0] in self.topic_ids:
                await self.push_msg(peer, message)
        if rpc.HasField("control"):
            await self.router.handle_rpc(rpc, peer)

    def _trim(self, control: ControlMessage) -> None:
        """Keep what concerns followed topics, in bounded numbers; drop peers that others want this node to dial."""
        parts: tuple[Any, ...] = (control.ihave, control.graft, control.prune)
        for part in parts:
            kept = [entry for entry in part[:MAX_CONTROL] if entry.topicID in self.topic_ids]
            del part[:]
            part.extend(kept)
        for asked in (control.ihave, control.iwant, control.idontwant):
            del asked[MAX_CONTROL:]
            for entry in asked:
                del entry.messageIDs[MAX_IDS:]
        for prune in control.prune:
            del prune.peers[:]

    def _is_ours(self, topic: str) -> bool:
        return topic.startswith(self._topic_prefix) and len(topic) <= MAX_TOPIC_CHARS

    async def push_msg(self, msg_forwarder: ID, msg: Message) -> None:
        """Take a message from a peer or from this node: drop it if known, let the owner judge it, then pass it on."""
        if msg_forwarder == self.my_id:
            self._mark_msg_seen(msg)
            await self.router.publish(msg_forwarder, msg)
            return
        if self._is_msg_seen(msg) or ID(msg.from_id) == self.my_id or not self.admit(msg_forwarder, msg):
            return
        await self.settle(msg_forwarder, 0)
        if not signature_validator(msg):  # before the id counts as seen, or junk could block a true message
            self.on_bad_signature(msg_forwarder)
            return
        self._mark_msg_seen(msg)
        if await self.judge(msg_forwarder, msg):
            await self.router.publish(msg_forwarder, msg)


def _entries(control: ControlMessage) -> int:
    """How much there is to look up: grafts, prunes, and every id."""
    ids = sum(len(entry.messageIDs) for part in (control.ihave, control.iwant, control.idontwant) for entry in part)
    return len(control.graft) + len(control.prune) + ids
