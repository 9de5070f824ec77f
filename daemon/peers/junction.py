"""Connects the network with the services: passes on what peers send, and emits events about peers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import structlog

from daemon.events import EventLog
from daemon.peers.bans import Bans
from daemon.peers.known_peers import KnownPeers
from daemon.peers.standings import Standings
from daemon.store import Store, StoreError
from daemon.tasks import BackgroundTasks
from musig2.protocol.records.peers import peer_text
from musig2.protocol.wire.frames import Frame
from p2p.network import Direction, GossipItem, NetState, NetStatus, Offence, PeerChange

log = structlog.get_logger("musigd.network")


class DiscoveryInput(Protocol):
    def on_peer(self, change: PeerChange) -> None: ...
    async def on_ask(self, peer: bytes, payload: bytes) -> bytes: ...
    def on_addresses(self) -> None: ...
    def on_network_up(self) -> None: ...


class SigningInput(Protocol):
    def on_frames(self, batch: Sequence[tuple[bytes, Frame]]) -> None: ...
    def on_connected(self, peer: bytes) -> None: ...
    def on_disconnected(self, peer: bytes) -> None: ...


class Junction:
    """Implements `p2p.network.Sink`. `attach` before the network starts."""

    def __init__(
        self,
        *,
        store: Store,
        events: EventLog,
        bans: Bans,
        known_peers: KnownPeers,
        ban_ms: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._events = events
        self._bans = bans
        self._known_peers = known_peers
        self._ban_ms = ban_ms
        self._now_ms = now_ms
        self._tasks = BackgroundTasks("junction")
        self._records: Callable[[Sequence[GossipItem]], None] | None = None
        self._discovery: DiscoveryInput | None = None
        self._signing: SigningInput | None = None
        self._standings: Standings | None = None
        self._set_ban: Callable[[bytes, int], None] | None = None
        self.state = NetState(NetStatus.DOWN, sentence="The network has not been started yet.")
        self.offences: dict[Offence, int] = dict.fromkeys(Offence, 0)

    def attach(
        self,
        *,
        records: Callable[[Sequence[GossipItem]], None],
        discovery: DiscoveryInput,
        signing: SigningInput,
        standings: Standings,
        set_ban: Callable[[bytes, int], None],
    ) -> None:
        """Set the services, which are made after the network that they use. `records` takes records from topics."""
        self._records, self._discovery, self._signing, self._set_ban = records, discovery, signing, set_ban
        self._standings = standings

    async def start(self) -> None:
        """Nothing to do: it acts when it is called."""

    async def stop(self) -> None:
        """Wait for what is being stored."""
        await self._tasks.finished()

    def on_frames(self, batch: list[tuple[bytes, Frame]]) -> None:
        assert self._signing is not None
        self._signing.on_frames(batch)

    def on_gossip(self, batch: list[GossipItem]) -> None:
        assert self._records is not None
        self._records(batch)

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        assert self._discovery is not None
        return await self._discovery.on_ask(peer, payload)

    def on_peer(self, change: PeerChange) -> None:
        assert self._discovery is not None
        assert self._signing is not None
        self._discovery.on_peer(change)
        self._tell_standing(change)
        if change.connected:
            self._signing.on_connected(change.peer)
            if change.addrs and change.direction is Direction.OUTBOUND:  # inbound ports do not last
                self._store_soon("remember peer", self._known_peers.remember(change.peer, change.addrs))
        else:
            self._signing.on_disconnected(change.peer)
        name = "peer:connected" if change.connected else "peer:disconnected"
        self._store_soon("tell of peer", self._tell(name, peer_text(change.peer)))

    def _tell_standing(self, change: PeerChange) -> None:
        assert self._standings is not None
        if change.connected:
            self._standings.met(change.peer)
        else:
            self._standings.left(change.peer)

    def in_session(self, peer: bytes) -> bool:
        return self._standings is not None and self._standings.in_session(peer)

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        self.offences[kind] += 1

    def on_ban(self, peer: bytes, reason: str) -> None:
        assert self._set_ban is not None
        until_ms = self._now_ms() + self._ban_ms
        self._set_ban(peer, until_ms)
        log.warning("peer banned", peer=peer_text(peer), reason=reason)
        self._store_soon("ban", self._ban(peer, until_ms, reason))

    def on_addresses(self) -> None:
        assert self._discovery is not None
        self._discovery.on_addresses()

    def on_state(self, state: NetState) -> None:
        before, self.state = self.state, state
        if state.status is NetStatus.UP:
            assert self._discovery is not None
            if before.status is NetStatus.RESTARTING:
                log.info("the network is up again")
            self._discovery.on_network_up()
        else:
            log.error("the network is down", status=state.status.value, detail=state.sentence)

    async def _ban(self, peer: bytes, until_ms: int, reason: str) -> None:
        await self._bans.ban(peer, until_ms, reason)

    async def _tell(self, event: str, peer: str) -> None:
        await self._store.write(lambda conn: self._events.append(conn, event, {"peerId": peer}))
        self._events.publish()

    def _store_soon(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.once(name, self._unless_refused(work))

    @staticmethod
    async def _unless_refused(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StoreError as error:
            log.error("a fact about a peer could not be stored", reason=error.reason, detail=str(error))
