"""Handlers of `listPeers` to `listBans`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from daemon.access.idempotency import keeping
from daemon.api.contacts import connect_to, pairing_of
from daemon.clock import WallClock
from daemon.errors import InvalidParam
from daemon.peers.bans import Bans, PeerBan
from musig2.protocol.records.peers import peer_parse, peer_text
from musigd_client.pairing import PREFIX
from p2p.addresses import dial_target
from p2p.errors import AddressError
from p2p.ports import Connected, PeerInfo
from rpc.caller import Caller
from rpc.models import node as models
from rpc.models.wire import NoParams
from rpc.ports import Once

ITSELF: Final = "is this daemon itself; name another peer"


class PeerControl(Protocol):
    """The part of `p2p.network.Network` that is needed here."""

    @property
    def peer_text(self) -> str: ...

    def peers(self) -> list[PeerInfo]: ...

    async def connect(self, multiaddr: str) -> Connected: ...

    async def disconnect(self, peer: bytes) -> None: ...

    def set_ban(self, peer: bytes, until_ms: int) -> None: ...

    def lift_ban(self, peer: bytes) -> None: ...


class PeerMethods:
    """Peers through the API. `keys_of` tells which public keys are known to sign at a peer."""

    def __init__(
        self,
        *,
        network: PeerControl,
        network_name: str,
        bans: Bans,
        clock: WallClock,
        keys_of: Callable[[bytes], Sequence[bytes]],
    ) -> None:
        self._network = network
        self._network_name = network_name
        self._bans = bans
        self._clock = clock
        self._keys_of = keys_of

    async def list_peers(self, caller: Caller, params: NoParams) -> models.PeerList:
        return models.PeerList(peers=tuple(self._shown(info) for info in self._network.peers()))

    async def connect_peer(
        self, caller: Caller, params: models.ConnectPeer, once: Once | None = None
    ) -> models.ConnectedPeer:
        """Raises InvalidParam, PeerUnreachable, NetworkError."""
        try:
            if params.multiaddr.startswith(PREFIX):
                pairing = pairing_of("multiaddr", params.multiaddr, self._network.peer_text, self._network_name)
                connected = await connect_to(self._network, pairing)
            else:
                self._require_address(params.multiaddr)
                connected = await self._network.connect(params.multiaddr)
        except AddressError as error:
            raise InvalidParam("multiaddr", str(error)) from error
        return models.ConnectedPeer(peer_id=peer_text(connected.peer), already_connected=connected.already)

    async def disconnect_peer(
        self, caller: Caller, params: models.NamePeer, once: Once | None = None
    ) -> models.NamedPeer:
        """Raises InvalidParam, NetworkError."""
        await self._network.disconnect(_peer(params.peer_id))
        return models.NamedPeer(peer_id=params.peer_id)

    async def ban_peer(self, caller: Caller, params: models.BanPeer, once: Once | None = None) -> models.Banned:
        peer = _peer(params.peer_id)
        if params.peer_id == self._network.peer_text:
            raise InvalidParam("peerId", ITSELF)
        until_ms = self._clock.wall_ms() + params.duration_ms
        answer = models.Banned(peer_id=params.peer_id, until=until_ms, reason=params.reason)
        await self._bans.ban(peer, until_ms, params.reason or "", also=keeping(once, answer))
        self._network.set_ban(peer, until_ms)
        return answer

    async def unban_peer(self, caller: Caller, params: models.NamePeer, once: Once | None = None) -> models.NamedPeer:
        peer = _peer(params.peer_id)
        await self._bans.lift(peer)
        self._network.lift_ban(peer)
        return models.NamedPeer(peer_id=params.peer_id)

    async def list_bans(self, caller: Caller, params: NoParams) -> models.BanList:
        return models.BanList(bans=tuple(_ban(ban) for ban in self._bans.in_force()))

    def _require_address(self, multiaddr: str) -> None:
        try:
            _, peer = dial_target(multiaddr)
        except AddressError as error:
            raise InvalidParam("multiaddr", str(error)) from error
        if peer_text(peer) == self._network.peer_text:
            raise InvalidParam("multiaddr", ITSELF)

    def _shown(self, info: PeerInfo) -> models.Peer:
        return models.Peer(
            peer_id=peer_text(info.peer),
            multiaddrs=info.multiaddrs,
            direction=info.direction.value,
            since=info.since_ms,
            agent=info.agent,
            relay=None if info.relay is None else peer_text(info.relay),
            public_keys=tuple(key.hex() for key in self._keys_of(info.peer)),
        )


def _peer(text: str) -> bytes:
    try:
        return peer_parse(text)
    except ValueError as error:
        raise InvalidParam("peerId", str(error)) from error


def _ban(ban: PeerBan) -> models.Ban:
    return models.Ban(peer_id=peer_text(ban.peer), until=ban.until_ms, reason=ban.reason or None)
