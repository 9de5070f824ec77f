"""Security and multiplexing of a new connection: noise only, the yamux of this package only, and a short negotiation.

In the library a message of a negotiation may claim any length, and whoever proposes protocols that do not exist,
thousands in a packet, is answered one by one for as long as a negotiation may last, before anybody has a name.
"""

from __future__ import annotations

import re
from typing import Any, cast

import trio
from libp2p.abc import IMultiselectCommunicator, IMuxedConn, ISecureConn
from libp2p.crypto.keys import KeyPair, KeyType
from libp2p.crypto.serialization import key_type_to_public_key_deserializer as readers_of_keys
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import StreamHandlerFn, TProtocol
from libp2p.exceptions import ParseError
from libp2p.io.abc import Reader
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.peer.id import ID
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.protocol_muxer.exceptions import MultiselectClientError, MultiselectError
from libp2p.protocol_muxer.multiselect import DEFAULT_NEGOTIATE_TIMEOUT, Multiselect
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.security.noise.io import MAX_PLAINTEXT_LENGTH, NoiseTransportReadWriter
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.security.secure_session import SecureSession
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.exceptions import MuxerUpgradeFailure, UpgradeFailure
from libp2p.transport.upgrader import TransportUpgrader
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from p2p.compat.yamux import QuietYamux

NEGOTIATE_S = 5
READ_BYTES = 64 * 1024
PREFIX_BYTES = 2  # of a length (the noise spec of libp2p, "Wire Format")
AT_ONCE = 512  # messages that are decrypted before they are charged: one of a byte each fill what is read 3,400 times
MAX_MESSAGE_BYTES = 1_024  # of one message; the longest name of a protocol that is served here has 60
MAX_PROPOSALS = 16
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


class TooManyProposals(Exception):
    """The peer proposes one protocol after the other that is not served here."""


async def _read_short(reader: Reader) -> bytes:
    message = await read_varint_prefixed_bytes_limited(reader, MAX_MESSAGE_BYTES)
    if not message.endswith(b"\n"):
        raise ParseError("a message of the negotiation has no end of line")
    return message[:-1]


vars(multiselect_communicator)["read_delim"] = _read_short  # the name under which both sides of it read


class _Counted(IMultiselectCommunicator):
    """Reads the greeting and so many proposals."""

    def __init__(self, inner: IMultiselectCommunicator) -> None:
        self._inner = inner
        self._left = 1 + MAX_PROPOSALS

    async def read(self) -> str:
        if not self._left:
            raise TooManyProposals(f"more than {MAX_PROPOSALS} proposals")
        self._left -= 1
        return await self._inner.read()

    async def write(self, msg_str: str) -> None:
        await self._inner.write(msg_str)


class ShortMultiselect(Multiselect):
    """Answers few proposals. Raises TooManyProposals after that."""

    async def negotiate(
        self, communicator: IMultiselectCommunicator, negotiate_timeout: int = DEFAULT_NEGOTIATE_TIMEOUT
    ) -> tuple[TProtocol | None, StreamHandlerFn | None]:
        """As the library's."""
        return await super().negotiate(_Counted(communicator), negotiate_timeout)


class Upgrader(TransportUpgrader):
    """Offers one security protocol and one multiplexer, so that there is nothing to downgrade to."""

    def __init__(self, key_pair: KeyPair) -> None:
        noise = NoiseTransport(key_pair, noise_privkey=create_noise_key_pair().private_key)
        super().__init__({NOISE: noise}, {TProtocol(YAMUX): Yamux}, NEGOTIATE_S)
        for stage in (self.security_multistream, self.muxer_multistream):
            stage._selector.multiselect = ShortMultiselect(stage.multiselect.handlers)

    async def upgrade_connection(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """Negotiate yamux; the class that the library registers for it only holds the name."""
        try:
            await self.muxer_multistream.select_transport(conn)
        except (MultiselectError, MultiselectClientError) as error:
            raise MuxerUpgradeFailure("the peer does not speak yamux") from error
        return QuietYamux(_whole(conn), peer_id, is_initiator=conn.is_initiator)


def _whole(conn: ISecureConn) -> ISecureConn:
    if isinstance(conn, SecureSession) and isinstance(conn.conn, NoiseTransportReadWriter):
        return cast(ISecureConn, WholeMessages(conn, conn.conn))
    return conn


class WholeMessages:
    """The bytes of a noise connection: all messages that have arrived are decrypted, all written ones sent at once.

    The library reads two bytes, then the rest, through six layers of coroutines for each, and formats three lines of
    debug. Everything but reading and writing is the session's.
    """

    def __init__(self, session: SecureSession, transport: NoiseTransportReadWriter) -> None:
        """`transport`: that of the session, after the handshake."""
        self._session = session
        self._noise = transport.noise_state
        self._raw = transport.read_writer.read_write_closer
        beneath = getattr(self._raw, "stream", None)
        self._frames = getattr(beneath, "frames_taken", lambda: 0)  # of a WebSocket
        getattr(beneath, "known", lambda: None)()
        self._pending = bytearray()
        self._more = False
        self.opened = 0  # messages in what was read last; a frame of a WebSocket counts as two

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def read(self, n: int | None = None) -> bytes:
        """What has arrived, or a part of it where it is many messages. Raises ConnectionClosedError at the end.

        Nothing, where no message is whole yet, or all were empty: whoever sends such is charged for each read.
        """
        assert n is None, "a multiplexer reads all there is"
        left = self._session._drain(None)  # behind the negotiation
        if left:
            self.opened = 1
            return left
        if self._more:
            await trio.lowlevel.checkpoint()  # others have their turn first
        else:
            data = await self._raw.read(READ_BYTES)
            if not data:
                raise ConnectionClosedError("the connection was closed")
            self._pending += data
        opened = self._opened()
        self.opened += 2 * self._frames()
        return opened

    def _opened(self) -> bytes:
        """The whole messages of `_pending`, decrypted, but only so many at a time. Raises NoiseInvalidMessage."""
        pending, start = self._pending, 0
        opened: list[bytes] = []
        while len(pending) - start >= PREFIX_BYTES and len(opened) < AT_ONCE:
            end = start + PREFIX_BYTES + int.from_bytes(pending[start : start + PREFIX_BYTES], "big")
            if end > len(pending):
                break
            opened.append(self._noise.decrypt(bytes(pending[start + PREFIX_BYTES : end])))
            start = end
        del pending[:start]
        self._more = len(opened) == AT_ONCE  # there may be
        self.opened = len(opened)
        return b"".join(opened)

    async def write(self, data: bytes) -> None:
        """All of it, in as many messages as it takes."""
        messages: list[bytes] = []
        for start in range(0, len(data), MAX_PLAINTEXT_LENGTH):
            sealed = self._noise.encrypt(data[start : start + MAX_PLAINTEXT_LENGTH])
            messages += (len(sealed).to_bytes(PREFIX_BYTES, "big"), sealed)
        await self._raw.write(b"".join(messages))
