"""A co-signer on an ordinary libp2p host, as another program would be: it shares no network code with the daemon.

    python -m tests.e2e.plain_peer NETWORK MULTIADDR SCHEME

It pushes its advertisement to the daemon's directory, publishes that of a second key on the topic, listens there, joins
the first request for its first key, and signs in two rounds. What it does is told as JSON, a line each.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr  # type: ignore[import-untyped]  # without type information

import musig2
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.envelope import open_envelope, seal
from musig2.protocol.records.ids import joinset, nonceset, session_id
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Entry, Join, Message, NonceBody, PartialBody, Request

LARGEST = 1_048_576
HOUR_MS = 3_600_000
FOLLOWED_S = 120.0  # until the daemon follows the topic


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def frames(stream: Any) -> AsyncIterator[bytes]:
    """What stands between the length prefixes, until the daemon ends the stream.

    It ends the one that is not kept when both sides opened one; a handler that lets the end out as an exception takes
    every other stream of the connection with it.
    """
    buffer = b""
    while True:
        try:
            buffer += await stream.read(LARGEST)
        except StreamEOF:
            return
        while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[:4], "big")):
            yield buffer[4:end]
            buffer = buffer[end:]


async def write(stream: Any, frame: bytes) -> None:
    await stream.write(len(frame).to_bytes(4, "big") + frame)


class Signer:
    """The signing half: one key, one request of one message, one attempt."""

    def __init__(self, scheme: str, peer: PeerIdentity) -> None:
        self.scheme, self.peer = musig2.scheme(scheme), peer
        self.secret = musig2.SecretKey.generate()
        self.joins: dict[int, Any] = {}
        self.nonces: dict[int, Any] = {}
        self.partials: dict[int, Any] = {}
        self.secnonce: Any = None

    def sign(self, digest: bytes) -> bytes:
        return self.scheme.schnorr_sign(self.secret, digest)

    def advertise(self, addrs: tuple[bytes, ...]) -> tuple[bytes, bytes]:
        """The envelopes of an advertisement and its entry."""
        now, name, key = int(time.time() * 1_000), self.scheme.name, self.secret.pubkey
        record = Advertisement(name, key, self.peer.peer, addrs, ("spend",), now, now + HOUR_MS)
        advertisement = seal(record, self.sign, self.peer.sign)
        entry = Entry(name, key, self.peer.peer, ("spend",), now, now + HOUR_MS, advertisement.id)
        return advertisement.envelope, seal(entry, self.sign).envelope

    def take(self, envelope: bytes) -> list[bytes]:
        """Process one signed record from the co-signer; returns what to send in answer."""
        signed = open_envelope(envelope, max_bytes=LARGEST)
        match signed.record:
            case Request() as request:
                self.request, self.id, self.session = request, signed.id, session_id(signed.id, 1)
                self.index = request.keys.index(self.secret.pubkey)
                now = int(time.time() * 1_000)
                join = Join(self.scheme.name, self.id, 1, self.secret.pubkey, self.peer.peer, (), now)
                self.joins[self.index] = seal(join, self.sign, self.peer.sign)
                return [self.joins[self.index].envelope]
            case Join(pubkey=pubkey):
                self.joins[self.request.keys.index(pubkey)] = signed
            case Message(join=join_id, body=body):
                who = next(index for index, known in self.joins.items() if known.id == join_id)
                {NonceBody: self.nonces, PartialBody: self.partials}[type(body)][who] = signed
        return self._go_on()

    def _go_on(self) -> list[bytes]:
        count, item = len(self.request.keys), self.request.items[0]
        out = []
        if len(self.joins) == count and self.secnonce is None:
            keyagg = self.scheme.key_agg(self.request.keys)
            self.joinset = joinset(self.session, (self.joins[index].id for index in range(count)))
            self.secnonce, pubnonce = self.scheme.nonce_gen(self.secret, self.secret.pubkey, keyagg, item.msg)
            out.append(self._message(self.nonces, NonceBody(self.joinset, (pubnonce,))))
        if len(self.nonces) == count and self.index not in self.partials:
            pubnonces = [self.nonces[index].record.body.pubnonces for index in range(count)]
            aggnonce = self.scheme.nonce_agg([each[0] for each in pubnonces])
            self.context = self.scheme.session(self.scheme.key_agg(self.request.keys), aggnonce, item.msg)
            psig = self.scheme.sign(self.secnonce, self.secret, self.context)
            out.append(self._message(self.partials, PartialBody(nonceset(self.joinset, pubnonces), (psig,))))
        if len(self.partials) == count:
            psigs = [self.partials[index].record.body.psigs[0] for index in range(count)]
            say(signature=self.scheme.partial_sig_agg(psigs, self.context).hex())
        return out

    def _message(self, slots: dict[int, Any], body: NonceBody | PartialBody) -> bytes:
        message = Message(self.session, self.joins[self.index].id, body)
        slots[self.index] = seal(message, self.peer.sign, peer=self.peer.peer)
        return bytes(slots[self.index].envelope)


async def main(network: str, multiaddr: str, scheme: str) -> None:
    seed = os.urandom(32)
    signer = Signer(scheme, PeerIdentity(seed))
    host = new_host(key_pair=create_new_key_pair(seed))
    router = GossipSub(protocols=[TProtocol("/meshsub/1.1.0")], degree=6, degree_low=4, degree_high=12)
    pubsub = Pubsub(host, router)
    taken = trio.Event()

    async def session(stream: Any) -> None:
        async for frame in frames(stream):
            value: Any = decode(frame)
            for envelope in signer.take(value[1]) if value[0] == "env" else ():
                await write(stream, encode(("env", envelope)))

    async def directory(stream: Any) -> None:
        """If both sides opened a stream, the answer comes over the one that the smaller peer id opened."""
        async for answer in frames(stream):
            if answer[0] == 1:  # not a question of the daemon's
                say(taken=decode(answer[5:]), key=signer.secret.pubkey.hex())
                taken.set()

    host.set_stream_handler(TProtocol(f"/musigd/{network}/session/1"), session)
    host.set_stream_handler(TProtocol(f"/musigd/{network}/directory/1"), directory)
    async with (
        host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]),
        background_trio_service(pubsub),
        background_trio_service(router),
        trio.open_nursery() as nursery,
    ):
        await pubsub.wait_until_ready()
        info = info_from_p2p_addr(Multiaddr(multiaddr))
        await host.connect(info)
        name = f"musigd/{network}/signers/spend"
        topic = await pubsub.subscribe(name)
        stream = await host.new_stream(info.peer_id, [TProtocol(f"/musigd/{network}/directory/1")])
        push = encode(("push", (signer.advertise(()),)))
        nursery.start_soon(directory, stream)
        await write(stream, bytes(1) + (1).to_bytes(4, "big") + push)
        await taken.wait()
        await pubsub.wait_for_subscription(info.peer_id, name, timeout=FOLLOWED_S)
        other = Signer(scheme, signer.peer)
        for envelope in other.advertise(()):
            await pubsub.publish(name, envelope)
        say(published=other.secret.pubkey.hex())
        assert {name for name in sys.modules if name.split(".")[0] == "p2p"} <= {"p2p", "p2p.stand_ins"}
        while True:
            heard = open_envelope((await topic.get()).data, max_bytes=LARGEST).record
            say(heard=type(heard).__name__, publicKey=getattr(heard, "pubkey", b"").hex())


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
