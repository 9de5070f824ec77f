"""Security and multiplexing of a new connection: noise only, and the yamux of this package only."""

from __future__ import annotations

import re

from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.crypto.keys import KeyPair, KeyType
from libp2p.crypto.serialization import key_type_to_public_key_deserializer as readers_of_keys
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.protocol_muxer.exceptions import MultiselectClientError, MultiselectError
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.exceptions import MuxerUpgradeFailure, UpgradeFailure
from libp2p.transport.upgrader import TransportUpgrader

from p2p.compat.yamux import QuietYamux

NEGOTIATE_S = 5
# A peer with an RSA key would be refused after its handshake, as every one but ed25519 is (`is_supported`); so it is
# refused as those with NIST keys are, before its key is read, and nothing of RSA is loaded.
readers_of_keys.pop(KeyType.RSA.value, None)

_FOUND = re.compile(r"remote_peer_id_from_pubkey=(\w+)")


def other_peer(error: BaseException | None) -> ID | None:
    """The peer that answered, if a dial failed because it was another one; the library has it only as text."""
    while error is not None:
        found = _FOUND.search(str(error)) if isinstance(error, PeerIDMismatchesPubkey) else None
        if found is not None:
            return ID.from_string(found[1])
        error = error.__cause__
    return None


def failed_upgrade(error: BaseException | None) -> bool:
    """Whether a dial failed because the other side does not speak the protocols of peers."""
    while error is not None:
        if isinstance(error, UpgradeFailure):
            return True
        error = error.__cause__
    return False


class Upgrader(TransportUpgrader):
    """Offers one security protocol and one multiplexer, so that there is nothing to downgrade to."""

    def __init__(self, key_pair: KeyPair) -> None:
        noise = NoiseTransport(key_pair, noise_privkey=create_noise_key_pair().private_key)
        super().__init__({NOISE: noise}, {TProtocol(YAMUX): Yamux}, NEGOTIATE_S)

    async def upgrade_connection(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """Negotiate yamux; the class that the library registers for it only holds the name."""
        try:
            await self.muxer_multistream.select_transport(conn)
        except (MultiselectError, MultiselectClientError) as error:
            raise MuxerUpgradeFailure("the peer does not speak yamux") from error
        return QuietYamux(conn, peer_id, is_initiator=conn.is_initiator)
