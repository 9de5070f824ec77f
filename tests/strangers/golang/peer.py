"""The peer as a process: told on stdin what to do, it says on stdout what happened, both as JSON, a line each.

python -m tests.strangers.golang.peer NETWORK SEED LISTEN
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.peers import PeerIdentity, peer_text
from musig2.protocol.records.records import Request
from tests.strangers.golang.network import LibP2PError, Network
from tests.strangers.golang.signing import Key, Part, opened

ASK_AGAIN_S = 1.0
HEARTBEAT_S, HEARTBEATS = 1.0, 30
PAUSE_S = 0.05  # between two questions, where something is waited for


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class Peer:
    """Keys, the requests that ask them, and what it can be told."""

    def __init__(self, network: str, net: Network, identity: PeerIdentity) -> None:
        self.network, self.net, self.identity = network, net, identity
        self.topic_name = f"musigd/{network}/signers/spend"
        self.daemon: Any = None
        self.keys: dict[bytes, Key] = {}
        self.ads: dict[str, Any] = {}
        self.parts: dict[bytes, Part] = {}
        self.streams: dict[bytes, list[Any]] = {}  # of those that spoke of a request
        self.told: set[bytes] = set()
        self.answers: asyncio.Queue[Any] = asyncio.Queue()

    async def start(self) -> None:
        self.net.serve(f"/musigd/{self.network}/session/1", self.on_session)
        self.net.serve(f"/musigd/{self.network}/directory/1", self.on_directory)
        self.topic = await self.net.pubsub.join(self.topic_name)
        self.asking = asyncio.create_task(self.ask_again())
        self.heard = asyncio.create_task(self.listen(await self.topic.subscription()))

    async def listen(self, subscription: Any) -> None:
        async for message in subscription:
            signed = opened(bytes(message.data))
            said = type(signed.record).__name__.lower()
            say(said="heard", type=said, publicKey=getattr(signed.record, "pubkey", b"").hex())

    async def on_session(self, stream: Any, frame: bytes) -> None:
        value: Any = decode(frame)
        kind, first = value[:2]
        if kind == "env":
            await self.take(stream, opened(first))
        elif kind == "have" and (part := self.parts.get(first)) is not None:
            self.meet(first, stream)
            for envelope in part.said:
                await self.send(stream, envelope)
        elif kind == "complete" and (part := self.parts.get(first)) is not None:
            part.complete(value[2])
            await self.tell(first, [])
        elif kind == "fetch":
            say(said="fault", peer="", reason="it asks nobody", message="a fetch")

    async def take(self, stream: Any, signed: Any) -> None:
        record = signed.record
        if isinstance(record, Request) and signed.id not in self.parts:
            key = next(self.keys[each] for each in record.keys if each in self.keys)
            part = self.parts[signed.id] = Part(key, signed, self.net.addrs)
            self.meet(signed.id, stream)
            await self.send(stream, part.joins[part.index].envelope)
            return
        asked = getattr(record, "request", None)
        for request, part in self.parts.items():
            if asked == request or getattr(record, "session", None) == part.session:
                if self.meet(request, stream):
                    await self.send(stream, part.joins[part.index].envelope)
                await self.tell(request, part.take(signed))

    def meet(self, request: bytes, stream: Any) -> bool:
        """Whether this stream speaks of the request for the first time."""
        streams = self.streams.setdefault(request, [])
        if stream in streams:
            return False
        streams.append(stream)
        return True

    async def tell(self, request: bytes, envelopes: list[bytes]) -> None:
        part = self.parts[request]
        for envelope in envelopes:
            for stream in list(self.streams[request]):
                await self.send(stream, envelope)
        if part.signatures and request not in self.told:
            self.told.add(request)
            say(said="signed", request=request.hex(), attempt=1, signatures=[each.hex() for each in part.signatures])

    async def ask_again(self) -> None:
        """What was lost, or came before the join that it names, comes when it is asked for."""
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            for request in self.parts.keys() - self.told:
                for stream in list(self.streams[request]):
                    await self.write(stream, self.parts[request].have())

    async def send(self, stream: Any, envelope: bytes) -> None:
        await self.write(stream, encode(("env", envelope)))

    async def write(self, stream: Any, frame: bytes) -> None:
        try:
            await self.net.write(stream, frame)
        except LibP2PError:  # a stream that has ended: another one brings the `have`
            for streams in self.streams.values():
                if stream in streams:
                    streams.remove(stream)

    async def on_directory(self, _: Any, frame: bytes) -> None:
        """Answers only: it has no directory to be asked about."""
        if frame[0] == 1:
            await self.answers.put(decode(frame[5:]))

    async def do(self, what: str, values: dict[str, Any]) -> dict[str, Any]:
        command: Callable[..., Awaitable[dict[str, Any]]] = getattr(self, f"do_{what}")
        return await command(**values)

    async def do_connect(self, addr: str) -> dict[str, Any]:
        self.daemon = await self.net.connect(addr)
        return {"peer": self.daemon.string, "over": addr}

    async def do_followed(self) -> dict[str, Any]:
        while not (by := list(await self.net.pubsub.list_peers(self.topic_name))):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(PAUSE_S)
        return {"by": len(by)}

    async def do_advertise(self, scheme: str, how: str) -> dict[str, Any]:
        key = Key(scheme, self.identity)
        self.keys[key.pubkey] = key
        ad, entry = key.advertise(self.net.addrs)
        self.ads[key.pubkey.hex()] = ad
        taken = 0
        if how == "push":
            taken = await self.push(ad.envelope, entry.envelope)
        elif how == "gossip":
            self.publishing = asyncio.create_task(self.publish(entry.envelope, ad.envelope))
        return {"key": key.pubkey.hex(), "taken": taken}

    async def publish(self, *envelopes: bytes) -> None:
        """More than once: Go sends to its mesh only, in which nobody may be before a few heartbeats."""
        for _ in range(HEARTBEATS):
            for each in envelopes:
                await self.topic.publish(each)
            await asyncio.sleep(HEARTBEAT_S)

    async def push(self, *statement: bytes) -> int:
        """How many the daemon took. It may answer on a stream of its own."""
        stream = await self.net.host.new_stream(self.daemon, f"/musigd/{self.network}/directory/1")
        self.reading = asyncio.create_task(self.net.read(stream, self.on_directory))
        await self.net.write(stream, bytes(1) + (1).to_bytes(4, "big") + encode(("push", (statement,))))
        count: int = (await self.answers.get())[1]
        return count

    def under(self, key: str) -> bytes:
        return f"/musigd-{self.network}/{key}".encode()

    async def do_put(self, key: str, newer: bool) -> dict[str, Any]:
        if newer:
            signer = self.keys[bytes.fromhex(key)]
            self.ads[key] = signer.advertise(self.net.addrs, self.ads[key].record.ts)[0]
        await self.net.dht.put_value(self.under(key), self.ads[key].envelope)
        return {"ts": self.ads[key].record.ts}

    async def do_find(self, key: str) -> dict[str, Any]:
        """Asked until the record is there."""
        while True:
            try:
                found = await self.net.dht.get_value(self.under(key))
            except (IndexError, LibP2PError):
                found = None
            if found is not None:
                record = opened(bytes(found)).record
                return {"found": [{"publicKey": record.pubkey.hex(), "ts": record.ts}]}
            await asyncio.sleep(PAUSE_S)


async def carry_out(peer: Peer, line: str) -> None:
    told = json.loads(line)
    what, number = told.pop("do"), told.pop("number")
    try:
        say(said="done", number=number, **await peer.do(what, told))
    except (KeyError, LibP2PError, ValueError) as error:
        say(said="failed", number=number, message=f"{type(error).__name__}: {error}")


async def main(network: str, seed: str, listen: str) -> None:
    identity = PeerIdentity(bytes.fromhex(seed))
    net = await Network.start(network, identity, bytes.fromhex(seed), listen)
    peer = Peer(network, net, identity)
    await peer.start()
    say(said="ready", peer=peer_text(identity.peer), addrs=list(net.host.addrs))
    tasks = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        tasks.add(asyncio.create_task(carry_out(peer, line)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
