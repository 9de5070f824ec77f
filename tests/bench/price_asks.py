"""The ways of asking for each kind of work, for the case of prices: many of one kind, and what is charged besides."""

from __future__ import annotations

import struct
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import trio
from libp2p.kad_dht.pb.kademlia_pb2 import Message as DhtMessage
from libp2p.pubsub.pb.rpc_pb2 import RPC, Message
from libp2p.utils import encode_varint_prefixed
from libp2p.utils.varint import read_varint_prefixed_bytes

import musig2
from musig2.protocol.records.envelope import check_many
from musig2.protocol.records.records import Record
from musig2.protocol.wire.frame_codec import MAX_DELEGATIONS, encode_frame, with_length
from musig2.protocol.wire.frames import Answer, Fetch, Have, Signed
from musig2.protocol.wire.sync import (
    BITS,
    MAX_FETCH,
    MAX_IDS,
    Ask,
    FetchIds,
    LogPage,
    Peers,
    Push,
    Reconcile,
)
from p2p.streams.prices import Work
from tests.adversary.attacks.directory import next_answer, question
from tests.adversary.attacks.gossip import Author
from tests.adversary.forge import ITEMS, Forge
from tests.adversary.hostile import Hostile, hostile
from tests.bench.price_ways import WAYS

WINDOW_UPDATE = struct.pack("!BBHII", 0, 1, 0, 1_000_001, 0)  # of a stream that does not exist
FETCHES = 60  # what is fetched faster waits for its turn, and would be read after the measurement
numbers = count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """How much of a kind of work was asked for, and of others with it."""

    work: Work
    amount: float
    besides: Mapping[Work, float] = field(default_factory=dict)
    besides_us: float = 0.0  # of what was measured for this alone
    spent_us: float | None = None  # where it was not the daemon that did it


@dataclass(frozen=True, slots=True)
class Prepared:
    """What comes first is done; only what `then` asks for is measured."""

    then: Callable[[], Awaitable[Asked]]


Asking = Callable[[Hostile, Forge], Awaitable[Asked | Prepared]]
ASKS: dict[str, Asking] = {}


def way(name: str) -> Callable[[Asking], Asking]:
    """Register a way of asking."""
    assert name in WAYS, name

    def register(asking: Asking) -> Asking:
        ASKS[name] = asking
        return asking

    return register


# Below the streams.


@way("one byte in each message")
async def sealed(peer: Hostile, forge: Forge) -> Asked:
    noise = peer.connection.secured_conn.conn
    messages = [noise.encrypt(bytes([byte])) for byte in WINDOW_UPDATE * 1_000]
    await noise.read_writer.read_write_closer.write(b"".join(len(one).to_bytes(2, "big") + one for one in messages))
    return Asked(Work.SEALED, len(messages))


@way("one small message after the other")
async def reads(peer: Hostile, forge: Forge) -> Asked:
    for _ in range(2_000):
        await peer.connection.secured_conn.write(WINDOW_UPDATE)
        await trio.sleep(0.001)
    return Asked(Work.READ, 2_000, {Work.SEALED: 2_000, Work.YAMUX_FRAME: 2_000})


@way("window updates")
async def frames(peer: Hostile, forge: Forge) -> Asked:
    for _ in range(20):
        await peer.connection.secured_conn.write(WINDOW_UPDATE * 1_000)
    return Asked(Work.YAMUX_FRAME, 20_000, {Work.SEALED: 20})


@way("messages on another topic")
async def kib(peer: Hostile, forge: Forge) -> Asked:
    stream = await peer.raw_stream("/meshsub/1.1.0")
    rpc = encode_varint_prefixed(RPC(publish=[Message(data=bytes(190_000), topicIDs=["no"])]).SerializeToString())
    for _ in range(100):
        await stream.write(rpc)
    await stream.reset()
    return Asked(Work.KIB, 100 * len(rpc) / 1024, {Work.SEALED: 400, Work.YAMUX_FRAME: 400})


@way("opened, negotiated, reset")
async def streams(peer: Hostile, forge: Forge) -> Asked:
    for _ in range(200):
        stream = await peer.stream("kad", swallow=False)
        await stream.reset()
    return Asked(Work.STREAM, 200)


@way("new peers that leave again")
async def handshakes(peer: Hostile, forge: Forge) -> Asked:
    for _ in range(60):
        async with hostile(forge.target, "127.0.0.1", forge.chance.randbytes(32)) as other:
            await other.stream("session")
    return Asked(Work.HANDSHAKE, 60, {Work.STREAM: 60})


# The cryptography.


@way("signatures, two of three lotus")
async def signatures(peer: Hostile, forge: Forge) -> Asked:
    made = [forge.advertisement(forge.key(), forge.identity())[0] for _ in range(300)]
    return measured_here(Work.SIGNATURE, 600, lambda: check_many(made))


@way("keys of lists of 100")
async def keys(peer: Hostile, forge: Forge) -> Asked:
    lists = [tuple(sorted(forge.pubkeys(100))) for _ in range(5)]
    return measured_here(Work.KEY, 500, lambda: [musig2.scheme("lotus").key_agg_once(some) for some in lists])


def measured_here(work: Work, amount: int, do: Callable[[], object]) -> Asked:
    """Work without the daemon around it."""
    return Asked(work, amount, spent_us=spent_here_us(do))


def spent_here_us(do: Callable[[], object]) -> float:
    """Processor time of all threads of this process."""
    before = time.process_time()
    do()
    return 1e6 * (time.process_time() - before)


def check_in_parts(signed: Sequence[Signed[Record]], size: int = MAX_DELEGATIONS) -> None:
    """Check their signatures as a daemon does that gets so many at once.

    Hundreds at once use all cores, and two threads of one core take longer each: each signature costs more then.
    """
    for start in range(0, len(signed), size):
        check_many(signed[start : start + size])


# Frames of the session protocol.


async def sent(peer: Hostile, frames: list[bytes]) -> float:
    """Send them; how many KiB they are."""
    stream = await peer.stream("session")
    data = b"".join(map(with_length, frames))
    await stream.write(data)
    return len(data) / 1024


@way("answers that nobody waits for")
async def frame(peer: Hostile, forge: Forge) -> Asked:
    size = await sent(peer, [encode_frame(Answer(forge.chance.randbytes(32), "not_yet")) for _ in range(6_000)])
    return Asked(Work.FRAME, 6_000, {Work.KIB: 2 * size})


@way("have of unknown requests")
async def refused(peer: Hostile, forge: Forge) -> Asked:
    haves = [Have(forge.chance.randbytes(32), 1, b"\x01", b"", b"") for _ in range(4_000)]
    size = await sent(peer, list(map(encode_frame, haves)))
    return Asked(Work.REFUSED, 4_000 * 0.2, {Work.KIB: 2 * size, Work.FRAME: 4_000})


@way("requests of two keys")
async def requests(peer: Hostile, forge: Forge) -> Asked:
    made = [forge.frame(forge.request(forge.key())) for _ in range(300)]
    size = await sent(peer, made)
    besides = {Work.KIB: 2 * size, Work.FRAME: 300, Work.SIGNATURE: 300, Work.KEY: 600}
    return Asked(Work.REQUEST, 300, besides)


@way("requests that show much")
async def large_requests(peer: Hostile, forge: Forge) -> Asked:
    made = [forge.frame(forge.shown_request(forge.key())) for _ in range(40)]
    size = await sent(peer, made)
    besides = {Work.KIB: 2 * size, Work.FRAME: 40, Work.SIGNATURE: 40, Work.KEY: 80, Work.REQUEST: 40}
    return Asked(Work.ITEM, 40 * ITEMS, besides)


@way("joins of creators")
async def rows(peer: Hostile, forge: Forge) -> Prepared:
    creators = [forge.key() for _ in range(200)]
    made = [forge.request(creator) for creator in creators]
    joins = [forge.join(request.id, creator, peer.identity) for creator, request in zip(creators, made, strict=True)]
    await sent(peer, list(map(forge.frame, made)))

    async def join() -> Asked:
        checks_us = spent_here_us(lambda: check_in_parts(joins))
        size = await sent(peer, list(map(forge.frame, joins)))
        return Asked(Work.ROW, len(joins), {Work.KIB: 2 * size, Work.FRAME: len(joins)}, checks_us)

    return Prepared(join)


@way("fetches of 16 delegations")
async def fetches(peer: Hostile, forge: Forge) -> Asked:
    shown = [forge.advertisement(forge.key(), peer.identity)[0] for _ in range(FETCHES * MAX_DELEGATIONS)]
    starts = range(0, len(shown), MAX_DELEGATIONS)
    frames = [
        encode_frame(Fetch(tuple(one.envelope for one in shown[start : start + MAX_DELEGATIONS]))) for start in starts
    ]
    checks_us = spent_here_us(lambda: check_in_parts(shown))
    size = await sent(peer, frames)
    return Asked(Work.FETCH, len(shown), {Work.KIB: 2 * size, Work.FRAME: FETCHES}, checks_us)


# The directory.


async def asked(peer: Hostile, asks: list[Ask]) -> tuple[float, float]:
    """Ask one after the other; how many KiB the questions and the answers are."""
    stream = await peer.stream("directory", swallow=False)
    sent = heard = 0
    for ask in asks:
        data = question(next(numbers), ask)
        await stream.write(with_length(data))
        sent, heard = sent + len(data), heard + len(await next_answer(stream))
    return sent / 1024, heard / 1024


@way("for nodes")
async def small_questions(peer: Hostile, forge: Forge) -> Asked:
    size, answer = await asked(peer, [Peers(1)] * 200)
    return Asked(Work.QUESTION, 200, {Work.KIB: 2 * size, Work.QUESTION_KIB: size, Work.SERVED_KIB: answer})


@way("ids that are not there")
async def ids(peer: Hostile, forge: Forge) -> Asked:
    size, answer = await asked(peer, [FetchIds(forge.chance.randbytes(8 * MAX_FETCH)) for _ in range(40)])
    return Asked(Work.QUESTION_KIB, size, {Work.KIB: 2 * size, Work.QUESTION: 40, Work.SERVED_KIB: answer})


@way("advertisements pushed")
async def pushes(peer: Hostile, forge: Forge) -> Asked:
    made: list[Ask] = []
    for _ in range(20):
        some = [forge.advertisement(forge.key(), forge.identity()) for _ in range(50)]
        made.append(Push(tuple((ad.envelope, entry.envelope) for ad, entry in some)))
    size, answer = await asked(peer, made)
    return Asked(Work.QUESTION_KIB, size, {Work.KIB: 2 * size, Work.QUESTION: 20, Work.SERVED_KIB: answer})


@way("buckets that all differ")
async def buckets(peer: Hostile, forge: Forge) -> Asked:
    size, answer = await asked(peer, [Reconcile(BITS[0], b"\xff" * (8 << BITS[0]))] * 40)
    besides = {Work.KIB: 2 * size, Work.QUESTION: 40, Work.SERVED_KIB: answer, Work.QUESTION_KIB: size}
    return Asked(Work.BUCKET, 40 << BITS[0], besides)


@way("pages of the log")
async def pages(peer: Hostile, forge: Forge) -> Asked:
    _, answer = await asked(peer, [LogPage(bytes(16), 0, MAX_IDS)] * 20)
    return Asked(Work.SERVED_KIB, answer, {Work.QUESTION: 20, Work.KIB: answer})


# What spreads.


@way("entries on a topic")
async def gossip(peer: Hostile, forge: Forge) -> Asked:
    author, topic = Author(forge.chance.randbytes(32)), f"musigd/{forge.target.network}/signers/spend"
    made = [forge.advertisement(forge.key(), forge.identity())[1].envelope for _ in range(400)]
    stream = await peer.raw_stream("/meshsub/1.1.0")
    size = 0
    for envelope in made:
        rpc = encode_varint_prefixed(RPC(publish=[author.message(topic, envelope)]).SerializeToString())
        await stream.write(rpc)
        size += len(rpc)
    return Asked(Work.GOSSIP, len(made), {Work.KIB: 2 * size / 1024})


@way("ids that somebody has")
async def control(peer: Hostile, forge: Forge) -> Asked:
    rpc, topic = RPC(), f"musigd/{forge.target.network}/signers/spend"
    for _ in range(40):
        rpc.control.ihave.add(topicID=topic, messageIDs=[forge.chance.randbytes(4).hex().encode() for _ in range(300)])
    data = encode_varint_prefixed(rpc.SerializeToString())
    stream = await peer.raw_stream("/meshsub/1.1.0")
    for _ in range(10):
        await stream.write(data)
    return Asked(Work.CONTROL, 120_000, {Work.KIB: 10 * len(data) / 1024})


@way("who is closest to a key")
async def dht(peer: Hostile, forge: Forge) -> Asked:
    stream = await peer.stream("kad", swallow=False)
    for _ in range(200):
        message = DhtMessage(type=DhtMessage.FIND_NODE, key=forge.chance.randbytes(38))
        await stream.write(encode_varint_prefixed(message.SerializeToString()))
        await read_varint_prefixed_bytes(stream)
    return Asked(Work.DHT, 200, {Work.SEALED: 200, Work.YAMUX_FRAME: 200})


@way("records to store")
async def dht_records(peer: Hostile, forge: Forge) -> Asked:
    stream = await peer.stream("kad", swallow=False)
    for _ in range(100):
        secret = forge.key()
        name = f"/musigd-{forge.target.network}/{secret.pubkey.hex()}".encode()
        message = DhtMessage(type=DhtMessage.PUT_VALUE, key=name)
        message.record.key, message.record.value = name, forge.advertisement(secret, forge.identity())[0].envelope
        await stream.write(encode_varint_prefixed(message.SerializeToString()))
        await read_varint_prefixed_bytes(stream)
    return Asked(Work.DHT, 100, {Work.SEALED: 100, Work.YAMUX_FRAME: 100})


@way("notices of peers that are not there")
async def dials(peer: Hostile, forge: Forge) -> Asked:
    made: list[Ask] = []
    for number in range(40):
        identity = forge.identity()
        node = forge.node(identity, (bytes([4, 127, 7, 7, 1 + number, 6, 0, 9]),))
        notice = forge.notice(identity, [forge.target.pubkey])
        made.append(Push(((node.envelope, None), (notice.envelope, None))))
    size, answer = await asked(peer, made)
    besides = {Work.KIB: 2 * size, Work.QUESTION: 40, Work.QUESTION_KIB: size, Work.SERVED_KIB: answer}
    return Asked(Work.DIAL, 40, besides)
