"""Measures the floor of a session's latency: the same hops and commits, without signing.

Each node is a process with the real RPC server, store, event log and libp2p node, and no signing: a call makes one
commit and one frame to everybody; whoever has the frames of a wave from all others makes the next commit and the next
wave; the commit of the last wave holds the event that the wallet waits for. Waves of a session of n: the last join and
nonce; the nonces of the others (with 2 signers: and the partial signature); the partial signatures; the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sqlite3
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daemon.access.idempotency import StoredAnswers
from daemon.access.tokens import Tokens
from daemon.clock import SystemClock
from daemon.events import EventLog
from daemon.store import Store
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Frame, Have
from p2p.addresses import split_peer
from p2p.network import GossipItem, NetState, Network, NetworkConfig, Offence, PeerChange
from rpc.caller import Caller
from rpc.config import RpcConfig
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.ports import Handler, Problem
from rpc.server.server import RpcServer

OWN = ("subscribe", "unsubscribe", "getEvents", "aggregateKeys", "verifySignature", "rpc.discover")
PADDING = bytes(300)  # about the size of a join


class Healthy:
    def live(self) -> Sequence[Problem]:
        return ()

    def ready(self) -> Sequence[Problem]:
        return ()


def _sample(method: Method) -> Handler:
    """A handler that answers with the documentation's example."""

    async def answer(caller: Caller, params: Any) -> Any:
        return method.answer

    return answer


class FloorNode:
    """One node, which is also the sink of its network. A `getSession` call begins a session of that id."""

    def __init__(self, folder: Path, network: str) -> None:
        self._folder = folder
        self._clock = SystemClock()
        self._store = Store.open(folder / "musigd.db")
        self._events = EventLog(store=self._store, clock=self._clock)
        self._tokens = Tokens(store=self._store, clock=self._clock, events=self._events)
        config = NetworkConfig(
            network=network, listen=("/ip4/127.0.0.1/tcp/0",), mdns=False, dht=False, private_addresses=True
        )
        self._net = Network(config, os.urandom(32), self, self._clock.wall_ms, RecordLimits())
        self._server = RpcServer(
            RpcConfig(network=network, port=0),
            {name: _sample(METHODS[name]) for name in METHODS if name not in OWN} | {"getSession": self._begin},
            events=self._events,
            tokens=self._tokens,
            idempotency=StoredAnswers(store=self._store, clock=self._clock),
            health=Healthy(),
            now_ms=self._clock.wall_ms,
        )
        self._peers: list[bytes] = []
        self._arrived: Counter[tuple[bytes, int]] = Counter()
        self._taken: set[tuple[bytes, int]] = set()
        self._sessions: asyncio.Queue[bytes] = asyncio.Queue()

    async def start(self) -> str:
        """Listen everywhere, say where clients go, and return where peers go."""
        await self._events.start()
        await self._tokens.start()
        await self._net.start()
        await self._server.start()
        await self._tokens.make_cookie(self._folder)
        said = {"rpc": self._server.url, "ws": self._server.ws_url, "pid": os.getpid()}
        (self._folder / "endpoint.json").write_text(json.dumps(said))
        return self._net.multiaddrs()[0]

    async def meet(self, addresses: Sequence[str]) -> None:
        """Connect to the others."""
        for address in addresses:
            addr, peer = split_peer(address)
            assert peer is not None
            assert await self._net.dial(peer, [addr])
            self._peers.append(peer)

    async def run(self) -> None:
        """Take the steps that are due, one after the other."""
        while True:
            session = await self._sessions.get()
            while (wave := self._due(session)) is not None:
                await self._step(session, wave)

    async def _begin(self, caller: Caller, params: Any) -> dict[str, Any]:
        await self._step(bytes.fromhex(params.session_id), 1)
        return {}

    def on_frames(self, batch: list[tuple[bytes, Frame]]) -> None:
        for _, frame in batch:
            assert isinstance(frame, Have)
            self._arrived[frame.request, frame.attempt] += 1
            self._sessions.put_nowait(frame.request)

    def _due(self, session: bytes) -> int | None:
        """The wave that this node may send next, given what has arrived."""
        others, joined = len(self._peers), (session, 1) in self._taken
        first, second, third = (self._arrived[session, wave] for wave in (1, 2, 3))
        if others == 1:
            due = {2: not joined and first, 3: joined and second, 4: not joined and third}
        else:
            due = {
                2: not joined and first,
                3: (joined or (session, 2) in self._taken) and second == others - (not joined),
                4: (session, 3) in self._taken and third == others,
            }
        return next((wave for wave, now in due.items() if now and (session, wave) not in self._taken), None)

    async def _step(self, session: bytes, wave: int) -> None:
        self._taken.add((session, wave))
        ends = wave == 4 or (wave == 3 and len(self._peers) == 1)

        def commit(conn: sqlite3.Connection) -> None:
            conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (f"floor{wave}", PADDING))
            if ends:
                self._events.append(conn, "signature:finalized", {"requestId": session.hex()})

        await self._store.write(commit)
        if wave < 4:
            frame = encode_frame(Have(session, wave, b"", b"", b""))
            for peer in self._peers:
                self._net.send(peer, [frame])
        self._events.publish()

    def on_gossip(self, batch: list[GossipItem]) -> None: ...
    def on_peer(self, change: PeerChange) -> None: ...
    def on_offence(self, peer: bytes, kind: Offence) -> None: ...
    def on_ban(self, peer: bytes, reason: str) -> None: ...
    def on_addresses(self) -> None: ...

    def in_session(self, peer: bytes) -> bool:
        return False

    def on_state(self, state: NetState) -> None: ...

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        return payload


async def serve(folder: Path, network: str) -> None:
    """The process of one node: says where it is, hears where the others are, and runs until it is killed."""
    node = FloorNode(folder, network)
    print(json.dumps(await node.start()), flush=True)
    await node.meet(json.loads(await asyncio.to_thread(sys.stdin.readline)))
    print(json.dumps("connected"), flush=True)
    await node.run()


class Floor:
    """That many nodes, each in a process, all connected."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folders = [folder / f"f{number}" for number in range(count)]
        self._network = f"floor-{secrets.token_hex(4)}"
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        for folder in self.folders:
            folder.mkdir(parents=True)
            words = (sys.executable, "-m", "tests.bench.signing_floor", str(folder), self._network)
            pipe = asyncio.subprocess.PIPE
            self._processes.append(await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe))
        places = [await _hear(process) for process in self._processes]
        for process, place in zip(self._processes, places, strict=True):
            assert process.stdin is not None
            process.stdin.write(json.dumps([other for other in places if other != place]).encode() + b"\n")
        for process in self._processes:
            await _hear(process)

    async def stop(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _hear(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return json.loads(await process.stdout.readline())


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
